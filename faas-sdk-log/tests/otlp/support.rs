use crate::receiver::Receiver;
use faas_sdk_log::{Builder, Invocation, Otlp};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::Span;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

/// Far more than anything here takes.
pub(crate) const ENOUGH: Duration = Duration::from_secs(60);

/// The subscriber of one test, on its thread.
pub(crate) struct Logging {
    lines: Arc<Mutex<Vec<Value>>>,
    guard: Option<DefaultGuard>,
}

impl Logging {
    /// Exports to the receiver.
    pub(crate) fn to(receiver: &Receiver) -> Self {
        Self::with(otlp(receiver), |builder| builder)
    }

    pub(crate) fn with(otlp: Otlp, set: impl FnOnce(Builder) -> Builder) -> Self {
        Self::of(|builder| set(builder.otlp(otlp)))
    }

    pub(crate) fn of(set: impl FnOnce(Builder) -> Builder) -> Self {
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let sink = Arc::clone(&lines);
        let builder = faas_sdk_log::builder()
            .filter("info")
            .sink(move |line: &[u8]| {
                let line = serde_json::from_slice(line).expect("JSON");
                sink.lock().expect("lines").push(line);
            });
        let subscriber = tracing_subscriber::registry().with(set(builder).layers());
        Self {
            lines,
            guard: Some(tracing::subscriber::set_default(subscriber)),
        }
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.lines.lock().expect("lines").clone()
    }

    #[track_caller]
    pub(crate) fn line(&self, message: &str) -> Value {
        let lines = self.lines();
        let mut said = lines.iter().filter(|line| line["message"] == message);
        match (said.next(), said.next()) {
            (Some(line), None) => line.clone(),
            _ => panic!("not one line {message}: {lines:#?}"),
        }
    }

    /// The lines with this event name.
    pub(crate) fn events(&self, name: &str) -> Vec<Value> {
        let lines = self.lines().into_iter();
        lines.filter(|line| line["event"] == name).collect()
    }

    /// Ends the subscriber.
    pub(crate) fn end(&mut self) {
        self.guard = None;
    }
}

pub(crate) fn otlp(receiver: &Receiver) -> Otlp {
    Otlp::new(&receiver.endpoint).expect("a URL")
}

pub(crate) const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
pub(crate) const CALLER: u64 = 0x00f0_67aa_0ba9_02b7;

/// The span of an invocation whose caller samples, or does not.
pub(crate) fn invocation(id: &str, flags: u8) -> (Span, (u128, u64, u8)) {
    let span = tracing::info_span!(target: "faas_sdk::invoke", "invocation", request_id = id);
    let ids = Invocation::new(id)
        .parent(TRACE, CALLER, flags, Some("vendor=1"))
        .trace(TRACE, 7, flags)
        .bind(&span);
    (span, ids.expect("ids"))
}

/// The line that ends an invocation.
pub(crate) fn end(outcome: &str) {
    tracing::info!(
        name: "invoke.end",
        target: "faas_sdk::invoke",
        outcome,
        error_code = (outcome != "ok").then_some("too_slow"),
        duration_ms = 1.5,
        "invoke end"
    );
}

/// The ids of a line, as bytes.
pub(crate) fn line_ids(line: &Value) -> (Vec<u8>, Vec<u8>) {
    let hex = |key: &str| {
        let text = line[key].as_str().expect("an id");
        let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("digits");
        (0..text.len()).step_by(2).map(digits).collect()
    };
    (hex("trace_id"), hex("span_id"))
}
