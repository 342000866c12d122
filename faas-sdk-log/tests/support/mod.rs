//! Lines kept in memory, and how they are read.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test file uses a part of it"
)]

pub(crate) mod child;
pub(crate) mod json;

use faas_sdk_log::{Builder, Invocation, Profile};
use json::Line;
use std::sync::{Arc, Mutex, OnceLock};
use tracing::{Dispatch, Span};
use tracing_subscriber::layer::SubscriberExt;

/// The lines of one layer, one for each call of its sink.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<String>>>);

impl Kept {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("lines"))
    }

    pub(crate) fn lines(&self) -> Vec<Line> {
        self.take().iter().map(|line| json::line(line)).collect()
    }

    pub(crate) fn sink(&self) -> impl Fn(&[u8]) + Send + Sync + 'static + use<> {
        let lines = Arc::clone(&self.0);
        move |line: &[u8]| {
            let line = String::from_utf8(line.to_vec()).expect("UTF-8");
            lines.lock().expect("lines").push(line);
        }
    }
}

/// A layer that no variable of the environment changes.
pub(crate) fn builder(profile: Profile) -> Builder {
    faas_sdk_log::builder().profile(profile).variables(|_| None)
}

/// The subscriber of this layer.
pub(crate) fn subscriber(builder: Builder) -> Dispatch {
    more_than_one_subscriber();
    Dispatch::new(tracing_subscriber::registry().with(builder.layer()))
}

/// What `work` writes, line by line.
pub(crate) fn raw(builder: Builder, work: impl FnOnce()) -> Vec<String> {
    let kept = Kept::default();
    let subscriber = subscriber(builder.sink(kept.sink()));
    tracing::dispatcher::with_default(&subscriber, work);
    kept.take()
}

/// What `work` writes, as JSON.
pub(crate) fn lines(builder: Builder, work: impl FnOnce()) -> Vec<Line> {
    let lines = raw(builder, work);
    lines.iter().map(|line| json::line(line)).collect()
}

/// Has all lines of the process kept; in a process of its own.
pub(crate) fn init(builder: Builder) -> Kept {
    let kept = Kept::default();
    builder.sink(kept.sink()).init().expect("no subscriber");
    kept
}

/// The one line that `work` writes.
#[track_caller]
pub(crate) fn line(builder: Builder, work: impl FnOnce()) -> Line {
    let mut lines = lines(builder, work);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// The span of an invocation with this id.
pub(crate) fn invocation(id: &str) -> Span {
    let span = tracing::info_span!(target: "faas_sdk::invoke", "invocation");
    Invocation::new(id)
        .trace(TRACE, SPAN, 1)
        .cold_start(true)
        .bind(&span);
    span
}

pub(crate) const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
pub(crate) const SPAN: u64 = 0x00f0_67aa_0ba9_02b7;

/// Writes the line that ends an invocation, as an engine does.
macro_rules! end {
    ($outcome:expr) => {
        tracing::info!(
            name: "invoke.end",
            target: "faas_sdk::invoke",
            outcome = $outcome,
            duration_ms = 1.25,
            "invoke end"
        )
    };
}
pub(crate) use end;

/// While it knows of one subscriber alone, `tracing` takes the one of whichever thread first passes
/// a callsite for it. Tests have theirs on a thread each.
fn more_than_one_subscriber() {
    static OTHERS: OnceLock<[Dispatch; 2]> = OnceLock::new();
    OTHERS.get_or_init(|| {
        [(); 2].map(|()| {
            let layer = builder(Profile::V1).filter("trace").sink(|_: &[u8]| {});
            Dispatch::new(tracing_subscriber::registry().with(layer.layer()))
        })
    });
}
