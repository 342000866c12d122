//! Lines that could not be written.

use crate::support::{builder, end, invocation, json, subscriber};
use faas_sdk_log::{Profile, Sink};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Fails while it is told to.
#[derive(Clone, Default)]
struct Flaky {
    full: Arc<AtomicBool>,
    lines: Arc<Mutex<Vec<String>>>,
    within: Arc<Mutex<Vec<Duration>>>,
}

impl Flaky {
    fn is_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().expect("lines"))
    }
}

impl Sink for Flaky {
    fn write_line(&self, line: &[u8], within: Duration) -> io::Result<()> {
        self.within.lock().expect("times").push(within);
        if self.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let line = String::from_utf8(line.to_vec()).expect("UTF-8");
        self.lines.lock().expect("lines").push(line);
        Ok(())
    }
}

#[test]
fn lost_lines_are_told_of_in_the_next_one() {
    let sink = Flaky::default();
    let subscriber = subscriber(builder(Profile::V1).sink(sink.clone()));
    tracing::dispatcher::with_default(&subscriber, || {
        tracing::info!("first");
        sink.is_full(true);
        for _ in 0..3 {
            tracing::info!("lost");
        }
        sink.is_full(false);
        tracing::info!("second");
        tracing::info!("third");
    });
    let lines: Vec<_> = sink.take().iter().map(|line| json::line(line)).collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["seq"].as_u64(),
                line.get("lost").and_then(serde_json::Value::as_u64),
            )
        })
        .collect();
    assert_eq!(told, [(Some(0), None), (Some(4), Some(3)), (Some(5), None)]);
}

#[test]
fn lost_lines_of_the_ring_count_too() {
    let sink = Flaky::default();
    let subscriber = subscriber(builder(Profile::V1).sink(sink.clone()));
    tracing::dispatcher::with_default(&subscriber, || {
        let _entered = invocation("id").entered();
        tracing::debug!("kept");
        tracing::debug!("kept");
        sink.is_full(true);
        end!("error");
        sink.is_full(false);
        tracing::info!("after");
    });
    let after = json::line(&sink.take()[0]);
    assert_eq!(after["lost"], 3);
    assert_eq!(after["seq"], 1);
}

#[test]
fn a_person_is_told_of_lost_lines_too() {
    let sink = Flaky::default();
    let subscriber = subscriber(builder(Profile::PRETTY).sink(sink.clone()));
    tracing::dispatcher::with_default(&subscriber, || {
        sink.is_full(true);
        tracing::info!("lost");
        sink.is_full(false);
        tracing::info!("second");
        tracing::info!("third");
    });
    let lines = sink.take();
    assert!(lines[0].contains(" lost=1"), "{lines:?}");
    assert!(!lines[1].contains(" lost="), "{lines:?}");
}

#[test]
fn no_write_waits_beyond_the_deadline_of_the_invocation() {
    use faas_sdk_log::Invocation;
    use faas_sdk_scope::{Instance, Scope};
    let sink = Flaky::default();
    let second = Duration::from_secs(1);
    let patient = builder(Profile::V1)
        .write_timeout(second)
        .sink(sink.clone());
    let subscriber = subscriber(patient);
    tracing::dispatcher::with_default(&subscriber, || {
        tracing::info!("outside");
        for allowed in [None, Some(Duration::ZERO), Some(second * 3600)] {
            let span = tracing::info_span!("job");
            let scope = Scope::new(&Instance::new(), allowed);
            Invocation::new("id").scope(&scope).bind(&span);
            span.in_scope(|| tracing::info!("within"));
        }
    });
    let within = sink.within.lock().expect("times").clone();
    assert_eq!(within, [second, second, Duration::from_millis(20), second]);
}
