//! The subscriber of a whole program. Its one test has a process of its own.

#[allow(dead_code, reason = "this file uses a part of it")]
#[path = "otlp/receiver.rs"]
mod receiver;

use faas_sdk_log::{Otlp, flush, init, pending};
use receiver::{Receiver, attributes, text};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A value that logs while it is formatted.
struct Talks;

impl fmt::Debug for Talks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!("from within");
        f.write_str("talks")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_exports_what_it_logs() {
    let receiver = Receiver::start();
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = Arc::clone(&lines);
    faas_sdk_log::builder()
        .filter("info")
        .otlp(Otlp::new(&receiver.endpoint).expect("a URL"))
        .sink(move |line: &[u8]| {
            let line = String::from_utf8_lossy(line).into_owned();
            sink.lock().expect("lines").push(line);
        })
        .init()
        .expect("no other subscriber");
    assert!(init().is_err());

    tracing::info_span!("work", value = ?Talks).in_scope(|| {
        tracing::info!(value = ?Talks, password = "hunter2", "said");
        tracing::Span::current().add_event("checkpoint", Vec::new());
    });
    let panicked = tokio::spawn(async { panic!("no way out") }).await;
    assert!(panicked.is_err());
    let elsewhere = tokio::spawn(async { tracing::info_span!("elsewhere").in_scope(pending) });
    assert!(elsewhere.await.expect("no panic") > 0);
    tokio::spawn(flush(Duration::from_secs(60)))
        .await
        .expect("no panic")
        .expect("exported");

    let span = receiver.span("work");
    let events: Vec<_> = span.events.iter().map(|event| &*event.name).collect();
    assert_eq!(events, ["checkpoint"], "lines are none");
    assert_eq!(attributes(&span.attributes)["value"], text("talks"));
    assert_eq!(receiver.span("elsewhere").name, "elsewhere");
    let said = receiver.record("said");
    assert_eq!(said.span_id, span.span_id);
    assert_eq!(attributes(&said.attributes)["value"], text("talks"));
    assert!(receiver.messages().contains(&"from within".to_owned()));
    let panic = receiver.record("panicked: no way out");
    assert_eq!(panic.severity_number, 17);
    let said = attributes(&panic.attributes);
    assert_eq!(said["code.file.path"], text(file!()));
    let all = format!("{lines:?} {:?} {:?}", receiver.spans(), receiver.records());
    assert!(!all.contains("hunter2"), "{all}");
}
