//! Secrets never leave.

use crate::receiver::{Receiver, attributes, text};
use crate::support::{ENOUGH, Logging, invocation, otlp};
use faas_sdk_log::{err, flush, json};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, TraceFlags, TraceState};
use opentelemetry::{SpanId, TraceId};
use std::fmt;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const SECRET: &str = "hunter2";

#[derive(Debug)]
struct Leaky;

impl fmt::Display for Leaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from redis://user:{SECRET}@cache:6379/0")
    }
}

impl std::error::Error for Leaky {}

fn dsn() -> String {
    format!("postgres://app:{SECRET}@db:5432/shop")
}

#[tokio::test]
async fn no_field_of_a_span_or_a_line_tells_a_secret() {
    let receiver = Receiver::start();
    let logging = Logging::with(otlp(&receiver), |builder| builder.redact("loyalty_number"));
    let nested = serde_json::json!({
        "loyalty_number": SECRET,
        "token": [SECRET],
        "url": dsn(),
        "kept": 1,
    });
    let boxed: Box<dyn std::error::Error + 'static> = Box::new(Leaky);
    let (invocation, _) = invocation("r-1", 1);
    invocation.in_scope(|| {
        let span = tracing::info_span!(
            "work",
            password = SECRET,
            loyalty_number = 990_088_007_700_u64,
            authorization = ?SECRET,
            url = dsn(),
            shown = %dsn(),
            nested = json(&nested),
            chain = err(&Leaky),
            source = &*boxed,
            api_key = tracing::field::Empty,
        );
        span.record("api_key", SECRET);
        span.in_scope(|| {
            tracing::error!(
                cookie = SECRET,
                loyalty_number = 990_088_007_700_u64,
                url = dsn(),
                nested = json(&nested),
                error = err(&Leaky),
                "connected to {}",
                dsn()
            );
        });
    });
    drop(invocation);
    flush(ENOUGH).await.expect("exported");
    let (spans, records) = (receiver.spans(), receiver.records());
    let all = format!("{spans:?} {records:?} {:?}", logging.lines());
    assert!(!all.contains(SECRET), "{all}");
    assert!(!all.contains("990088007700"), "{all}");
    let said = attributes(&receiver.span("work").attributes);
    for key in ["password", "loyalty_number", "authorization", "api_key"] {
        assert_eq!(said[key], text("[redacted]"), "{key}");
    }
    assert_eq!(said["url"], text("postgres://[redacted]@db:5432/shop"));
    let nested = r#"{"kept":1,"loyalty_number":"[redacted]","token":"[redacted]","url":"postgres://[redacted]@db:5432/shop"}"#;
    assert_eq!(said["nested"], text(nested));
}

#[tokio::test]
async fn nor_does_what_is_added_to_a_span_otherwise() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let span = tracing::info_span!("work", otel.name = dsn());
    span.set_attribute("token", SECRET);
    span.set_attribute("dsn", dsn());
    span.set_attribute(
        "dsns",
        opentelemetry::Value::Array(vec![opentelemetry::StringValue::from(dsn())].into()),
    );
    span.add_event(
        dsn(),
        vec![
            KeyValue::new("password", SECRET),
            KeyValue::new("dsn", dsn()),
        ],
    );
    let other = SpanContext::new(
        TraceId::from(1),
        SpanId::from(1),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    span.add_link_with_attributes(other, vec![KeyValue::new("secret", SECRET)]);
    span.set_status(opentelemetry::trace::Status::error(dsn()));
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let spans = receiver.spans();
    let all = format!("{spans:?}");
    assert!(!all.contains(SECRET), "{all}");
    let [span] = &*spans else { panic!("{all}") };
    assert_eq!((span.events.len(), span.links.len()), (1, 1));
    assert_eq!(attributes(&span.attributes)["token"], text("[redacted]"));
}

#[tokio::test]
async fn long_texts_are_cut() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let long = "x".repeat(100_000);
    let span = tracing::info_span!("work", long);
    span.set_attribute("added", long.clone());
    drop(span);
    flush(ENOUGH).await.expect("exported");
    let said = attributes(&receiver.span("work").attributes);
    let cut = text(&"x".repeat(8 << 10));
    assert_eq!((&said["long"], &said["added"]), (&cut, &cut));
}
