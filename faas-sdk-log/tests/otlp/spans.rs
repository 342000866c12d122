//! Spans, and where they come from.

use crate::receiver::{Receiver, attributes, list, text};
use crate::support::{ENOUGH, Logging, otlp};
use faas_sdk_log::{flush, json};
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tracing_opentelemetry::OpenTelemetrySpanExt;

#[tokio::test]
async fn the_fields_of_lines_are_the_attributes_of_spans() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let span = tracing::info_span!(
        "query",
        text = "items",
        whole = 7_u64,
        large = u64::MAX,
        share = 0.5,
        yes = true,
        list = json(&[1, 2]),
        map = json(&serde_json::json!({"a": [null]})),
        later = tracing::field::Empty,
        debug = ?Some(1),
    );
    span.record("later", "first");
    span.in_scope(|| ());
    span.record("later", "second");
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let said = attributes(&receiver.span("query").attributes);
    for (key, value) in [
        ("text", text("items")),
        ("whole", Value::IntValue(7)),
        ("large", text("18446744073709551615")),
        ("share", Value::DoubleValue(0.5)),
        ("yes", Value::BoolValue(true)),
        ("list", list(&[Value::IntValue(1), Value::IntValue(2)])),
        ("map", text("{\"a\":[null]}")),
        ("later", text("second")),
        ("debug", text("Some(1)")),
        ("target", text(module_path!())),
        ("code.file.path", text(file!())),
    ] {
        assert_eq!(said.get(key), Some(&value), "{key}");
    }
    let mut keys: Vec<_> = said.keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "code.file.path",
        "code.line.number",
        "code.module.name",
        "debug",
        "large",
        "later",
        "list",
        "map",
        "share",
        "target",
        "text",
        "whole",
        "yes",
    ];
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn the_special_fields_of_tracing_opentelemetry_count_and_stand_in_no_line() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    let span = tracing::info_span!(
        "call",
        otel.name = "GET /items",
        otel.kind = ?SpanKind::Client,
        otel.status_code = tracing::field::Empty,
        otel.status_description = tracing::field::Empty,
        peer = "items",
    );
    span.record("otel.status_code", "error");
    span.record("otel.status_description", "no answer from x://u:p@h");
    span.in_scope(|| tracing::info!("within"));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let span = receiver.span("GET /items");
    assert_eq!(span.kind, SpanKind::Client as i32);
    let status = span.status.expect("a status");
    assert_eq!(status.code, StatusCode::Error as i32);
    assert_eq!(status.message, "no answer from x://[redacted]@h");
    let fields = &logging.line("within")["fields"];
    assert_eq!(*fields, serde_json::json!({"peer": "items"}));
    let said = attributes(&span.attributes);
    assert!(said.keys().all(|key| !key.starts_with("otel.")), "{said:?}");
}

#[tokio::test]
async fn lines_are_no_events_of_spans() {
    struct Talks;
    impl std::fmt::Debug for Talks {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::info!("from within");
            f.write_str("talks")
        }
    }
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    tracing::info_span!("work", value = ?Talks).in_scope(|| {
        tracing::info!(value = ?Talks, secret = "hidden", "said");
        tracing::Span::current().add_event("checkpoint", Vec::new());
    });
    flush(ENOUGH).await.expect("exported");
    let span = receiver.span("work");
    let events: Vec<_> = span.events.iter().map(|event| &*event.name).collect();
    assert_eq!(events, ["checkpoint"]);
    assert_eq!(logging.line("said")["fields"]["value"], "talks");
    assert_eq!(attributes(&span.attributes)["value"], text("talks"));
}

#[tokio::test]
async fn other_code_finds_the_context_of_a_span() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let span = tracing::info_span!("work");
    let context = span.context();
    span.set_attribute("added", "by hand");
    span.set_status(Status::error("bad"));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let exported = receiver.span("work");
    let ids = context.span().span_context().clone();
    assert_eq!(ids.span_id().to_bytes(), *exported.span_id);
    assert_eq!(attributes(&exported.attributes)["added"], text("by hand"));
    assert_eq!(exported.status.expect("a status").message, "bad");
}

#[tokio::test]
async fn spans_that_are_open_are_exported_once_they_are_closed() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let outer = tracing::info_span!("outer");
    outer.in_scope(|| tracing::info_span!("inner").in_scope(|| ()));
    flush(ENOUGH).await.expect("exported");
    assert_eq!(receiver.spans().len(), 1);
    drop(outer);
    flush(ENOUGH).await.expect("exported");
    let (outer, inner) = (receiver.span("outer"), receiver.span("inner"));
    assert_eq!(inner.parent_span_id, outer.span_id);
}

#[tokio::test]
async fn the_resource_says_where_they_come_from() {
    let receiver = Receiver::start();
    let otlp = otlp(&receiver).resource_attribute("team", "light");
    let _logging = Logging::with(otlp, |builder| {
        builder.origin(|origin| {
            origin.service = Some("light-shop".into());
            origin.env = Some("prod".into());
            origin.function = Some("item-detail".into());
            origin.function_version = Some("12".into());
            origin.platform = Some("aws-lambda".into());
            origin.region = Some("eu-central-1".into());
            origin.instance = Some("i-1".into());
        })
    });
    tracing::info_span!("work").in_scope(|| tracing::info!("said"));
    flush(ENOUGH).await.expect("exported");
    let resources = receiver.resources();
    assert_eq!(resources.len(), 2);
    for resource in resources {
        for (key, value) in [
            ("service.name", "light-shop"),
            ("deployment.environment.name", "prod"),
            ("faas.name", "item-detail"),
            ("faas.version", "12"),
            ("faas.instance", "i-1"),
            ("cloud.platform", "aws_lambda"),
            ("cloud.region", "eu-central-1"),
            ("team", "light"),
            ("telemetry.sdk.language", "rust"),
        ] {
            assert_eq!(resource[key], text(value), "{key}");
        }
    }
}

#[tokio::test]
async fn the_sampler_decides_on_new_traces() {
    let receiver = Receiver::start();
    let _logging = Logging::with(otlp(&receiver).sample_ratio(0.0), |builder| builder);
    tracing::info_span!("work").in_scope(|| tracing::info!("said"));
    let (span, _) = crate::support::invocation("r-1", 1);
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let names: Vec<_> = receiver.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["invocation"], "its caller samples");
    assert!(receiver.record("said").span_id.is_empty());
}
