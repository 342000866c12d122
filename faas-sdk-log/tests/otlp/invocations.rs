//! Invocations: their spans, and what their lines carry.

use crate::receiver::{LOGS, Receiver, TRACES, attributes, text};
use crate::support::{CALLER, ENOUGH, Logging, TRACE, end, invocation, line_ids, otlp};
use faas_sdk_log::{Invocation, flush, pending};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tracing::Instrument;

#[tokio::test]
async fn the_span_is_the_callers_child_and_the_lines_carry_its_ids() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    let (span, ids) = invocation("r-1", 1);
    span.in_scope(|| {
        tracing::info!("outer");
        tracing::info_span!("query", table = "items").in_scope(|| tracing::info!("inner"));
        end("ok");
    });
    drop(span);
    assert_eq!(pending(), 5);
    flush(ENOUGH).await.expect("exported");
    assert_eq!(pending(), 0);

    let root = receiver.span("invocation");
    assert_eq!(root.trace_id, TRACE.to_be_bytes());
    assert_eq!(root.parent_span_id, CALLER.to_be_bytes());
    assert_eq!(root.trace_state, "vendor=1");
    assert_eq!(root.kind, SpanKind::Server as i32);
    assert_eq!(root.flags & 0xff, 1);
    assert_eq!(
        root.status.clone().expect("a status").code,
        StatusCode::Unset as i32
    );
    assert!(root.start_time_unix_nano <= root.end_time_unix_nano);
    let said = attributes(&root.attributes);
    assert_eq!(said["faas.invocation_id"], text("r-1"));
    assert_eq!(said["faas.coldstart"], Value::BoolValue(false));
    assert!(!said.contains_key("request_id"), "{said:?}");

    let child = receiver.span("query");
    assert_eq!(child.trace_id, root.trace_id);
    assert_eq!(child.parent_span_id, root.span_id);
    assert_eq!(child.kind, SpanKind::Internal as i32);
    assert_eq!(attributes(&child.attributes)["table"], text("items"));

    let of_root = (root.trace_id.clone(), root.span_id.clone());
    for message in ["outer", "inner", "invoke end"] {
        let line = logging.line(message);
        assert_eq!(line_ids(&line), of_root);
        assert_eq!(
            (&line["trace_flags"], &line["request_id"]),
            (&"01".into(), &"r-1".into())
        );
        let record = receiver.record(message);
        assert_eq!(record.trace_id, root.trace_id);
        assert_eq!(record.flags, 1);
        // A record names the innermost span.
        let span = if message == "inner" { &child } else { &root };
        assert_eq!(record.span_id, span.span_id);
        let said = attributes(&record.attributes);
        assert_eq!(said["faas.invocation_id"], text("r-1"));
        assert_eq!(said["faas.coldstart"], Value::BoolValue(false));
    }
    assert_eq!(ids.0, TRACE);
    assert_eq!(ids.1.to_be_bytes(), *root.span_id);
    assert_eq!(ids.2, 1);
}

#[tokio::test]
async fn a_span_that_is_entered_already_still_gets_its_parent() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let span = tracing::info_span!("job");
    span.in_scope(|| {
        let current = tracing::Span::current();
        Invocation::new("r-1")
            .parent(TRACE, CALLER, 1, None)
            .bind(&current);
        tracing::info!("within");
    });
    drop(span);
    flush(ENOUGH).await.expect("exported");
    assert_eq!(receiver.span("job").parent_span_id, CALLER.to_be_bytes());
}

#[tokio::test]
async fn without_a_caller_it_begins_a_trace() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let span = tracing::info_span!("job", job = 7);
    let ids = Invocation::new("r-1")
        .trace(1, 2, 0)
        .cold_start(true)
        .function(Some("resize"))
        .trigger(Some("timer"))
        .bind(&span)
        .expect("ids");
    assert_ne!((ids.0, ids.1, ids.2), (1, 2, 0));
    span.in_scope(|| tracing::info!("within"));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let root = receiver.span("resize");
    assert_eq!(root.trace_id, ids.0.to_be_bytes());
    assert_eq!(root.span_id, ids.1.to_be_bytes());
    assert!(root.parent_span_id.is_empty());
    let said = attributes(&root.attributes);
    assert_eq!(said["faas.coldstart"], Value::BoolValue(true));
    assert_eq!(said["faas.trigger"], text("timer"));
    assert_eq!(said["faas.name"], text("resize"));
    assert_eq!(said["job"], Value::IntValue(7));
    let record = attributes(&receiver.record("within").attributes);
    assert_eq!(record["faas.name"], text("resize"));
    assert_eq!(record["faas.coldstart"], Value::BoolValue(true));
}

#[tokio::test]
async fn an_unsampled_caller_means_no_spans_but_its_trace_in_every_line() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    let (span, ids) = invocation("r-1", 0);
    span.in_scope(|| {
        tracing::info_span!("query").in_scope(|| tracing::info!("inner"));
        end("error");
    });
    drop(span);
    flush(ENOUGH).await.expect("exported");
    assert!(
        receiver
            .requests()
            .iter()
            .all(|request| request.path == LOGS)
    );
    assert_eq!((ids.0, ids.2), (TRACE, 0));
    assert_ne!(ids.1, CALLER);
    let line = logging.line("inner");
    assert_eq!(line["trace_flags"], "00");
    let record = receiver.record("inner");
    assert_eq!(line_ids(&line), (record.trace_id, record.span_id));
    assert_eq!(record.flags, 0);
}

#[tokio::test]
async fn an_invocation_that_failed_has_a_span_that_says_so() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let (span, _) = invocation("r-1", 1);
    span.in_scope(|| {
        tracing::error!("an error line alone changes nothing");
        end("timeout");
    });
    drop(span);
    let (span, _) = invocation("r-2", 1);
    span.in_scope(|| {
        tracing::error!("an error line alone changes nothing");
        end("ok");
    });
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let spans = receiver.spans();
    let of = |id: &str| {
        let is_it = |span: &&opentelemetry_proto::tonic::trace::v1::Span| {
            attributes(&span.attributes)["faas.invocation_id"] == text(id)
        };
        spans.iter().find(is_it).expect("a span")
    };
    let failed = of("r-1");
    let status = failed.status.clone().expect("a status");
    assert_eq!(
        (status.code, &*status.message),
        (StatusCode::Error as i32, "timeout")
    );
    assert_eq!(
        attributes(&failed.attributes)["error.type"],
        text("too_slow")
    );
    let status = of("r-2").status.clone().expect("a status");
    assert_eq!(status.code, StatusCode::Unset as i32);
    assert!(spans.iter().all(|span| span.events.is_empty()), "{spans:?}");
}

#[tokio::test]
async fn the_end_counts_also_where_its_line_is_not_written() {
    let receiver = Receiver::start();
    let logging = Logging::with(otlp(&receiver), |builder| {
        builder.filter("info,faas_sdk::invoke=off")
    });
    let (span, _) = invocation("r-1", 1);
    span.in_scope(|| end("error"));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let status = receiver.span("invocation").status.expect("a status");
    assert_eq!(status.code, StatusCode::Error as i32);
    assert!(logging.lines().is_empty() && receiver.records().is_empty());
}

#[tokio::test]
async fn debug_lines_are_exported_when_they_are_written() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    for (id, outcome) in [("r-1", "ok"), ("r-2", "error")] {
        let (span, _) = invocation(id, 1);
        span.in_scope(|| {
            tracing::debug!(id, "detail");
            end(outcome);
        });
    }
    flush(ENOUGH).await.expect("exported");
    let line = logging.line("detail");
    let record = receiver.record("detail");
    assert_eq!(line["request_id"], "r-2");
    let said = attributes(&record.attributes);
    assert_eq!(said["faas.invocation_id"], text("r-2"));
    assert_eq!(said["id"], text("r-2"));
    assert_eq!(
        (record.severity_number, &*record.severity_text),
        (5, "DEBUG")
    );
    assert_eq!(line_ids(&line), (record.trace_id, record.span_id));
}

#[tokio::test]
async fn the_same_debug_lines_are_kept_as_lines_and_as_records() {
    let receiver = Receiver::start();
    let logging = Logging::with(otlp(&receiver), |builder| builder.debug_ring(2000));
    let (span, _) = invocation("r-1", 1);
    span.in_scope(|| {
        for number in 0..20 {
            let long = "x".repeat(number * 17 % 300);
            tracing::debug!(long, "detail {number}");
        }
        end("error");
    });
    flush(ENOUGH).await.expect("exported");
    let lines = logging.lines();
    let mut written: Vec<_> = lines
        .iter()
        .map(|line| line["message"].as_str().expect("a message").to_owned())
        .collect();
    let mut exported = receiver.messages();
    assert!((2..20).contains(&written.len()), "{written:?}");
    written.sort();
    exported.sort();
    assert_eq!(written, exported);
}

#[tokio::test]
async fn invocations_at_the_same_time_do_not_meet() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    let run = |id: &'static str| {
        let (span, ids) = invocation(id, 1);
        let work = async move {
            for step in 0..5 {
                let query = tracing::info_span!("query", id, step);
                async {
                    tracing::info!(id, "{id} {step}");
                    tokio::task::yield_now().await;
                }
                .instrument(query)
                .await;
            }
            end("ok");
            ids
        };
        work.instrument(span)
    };
    let (first, second) = tokio::join!(run("r-1"), run("r-2"));
    flush(ENOUGH).await.expect("exported");
    for (id, ids) in [("r-1", first), ("r-2", second)] {
        let span_id = ids.1.to_be_bytes();
        for step in 0..5 {
            let message = format!("{id} {step}");
            let record = receiver.record(&message);
            let query = receiver
                .spans()
                .into_iter()
                .find(|span| span.span_id == record.span_id);
            let query = query.expect("its span");
            assert_eq!(query.parent_span_id, span_id);
            assert_eq!(attributes(&query.attributes)["id"], text(id));
            assert_eq!(
                attributes(&record.attributes)["faas.invocation_id"],
                text(id)
            );
            assert_eq!(line_ids(&logging.line(&message)).1, span_id);
        }
    }
    assert_eq!(receiver.spans().len(), 12);
}

#[tokio::test]
async fn each_signal_can_be_left_out() {
    let receiver = Receiver::start();
    let logging = Logging::with(otlp(&receiver).logs(false), |builder| builder);
    let (span, _) = invocation("r-1", 1);
    span.in_scope(|| tracing::info!("written alone"));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    assert_eq!(
        line_ids(&logging.line("written alone")).1,
        receiver.span("invocation").span_id
    );
    drop(logging);

    let _logging = Logging::with(otlp(&receiver).spans(false), |builder| builder);
    let (span, ids) = invocation("r-2", 1);
    span.in_scope(|| tracing::info!("exported"));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    assert_eq!(ids, (TRACE, 7, 1), "those it was given");
    assert_eq!(receiver.record("exported").span_id, 7_u64.to_be_bytes());
    let paths: Vec<_> = receiver
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, [TRACES, LOGS]);
}
