//! What lines become as log records.

use crate::receiver::{Receiver, attributes, list, text};
use crate::support::{ENOUGH, Logging, end, invocation, otlp};
use faas_sdk_log::{err, flush, json};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use std::fmt;

#[derive(Debug)]
struct Refused(std::num::ParseIntError);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn levels_and_targets() {
    let receiver = Receiver::start();
    let _logging = Logging::with(otlp(&receiver), |builder| builder.filter("trace"));
    tracing::trace!(target: "shop::item", "TRACE");
    tracing::debug!(target: "shop::item", "DEBUG");
    tracing::info!(target: "shop::item", "INFO");
    tracing::warn!(target: "shop::cart", "WARN");
    tracing::error!(target: "shop::cart", "ERROR");
    flush(ENOUGH).await.expect("exported");
    for (level, number, target) in [
        ("TRACE", 1, "shop::item"),
        ("DEBUG", 5, "shop::item"),
        ("INFO", 9, "shop::item"),
        ("WARN", 13, "shop::cart"),
        ("ERROR", 17, "shop::cart"),
    ] {
        let record = receiver.record(level);
        assert_eq!(
            (record.severity_number, &*record.severity_text),
            (number, level)
        );
        let mut records = receiver.records().into_iter();
        let scope = records.find(|(_, other)| *other == record).expect("it").0;
        assert_eq!(scope, target);
        let said = attributes(&record.attributes);
        let place = said.get("code.file.path").zip(said.get("code.line.number"));
        match place {
            Some((file, Value::IntValue(line))) => {
                assert_eq!((number >= 13, file), (true, &text(file!())));
                assert!(*line > 0);
            }
            _ => assert!(number < 13, "{said:?}"),
        }
    }
}

#[tokio::test]
async fn fields_keep_their_types() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    let order = serde_json::json!({"items": [1, null, "a"], "paid": true, "note": null});
    tracing::info_span!("outer", shop = "light", text = "of the span").in_scope(|| {
        tracing::info!(
            text = "of the event",
            whole = -7,
            large = u64::MAX,
            share = 0.5,
            none = f64::NAN,
            yes = true,
            order = json(&order),
            debug = ?[1, 2],
            duration_ms = 1.23456,
            "said"
        );
    });
    flush(ENOUGH).await.expect("exported");
    let record = receiver.record("said");
    let said = attributes(&record.attributes);
    assert_eq!(said["shop"], text("light"));
    assert_eq!(said["text"], text("of the event"));
    assert_eq!(said["whole"], Value::IntValue(-7));
    assert_eq!(said["large"], text("18446744073709551615"));
    assert_eq!(said["share"], Value::DoubleValue(0.5));
    assert_eq!(said["none"], text("NaN"));
    assert_eq!(said["yes"], Value::BoolValue(true));
    assert_eq!(said["debug"], text("[1, 2]"));
    assert_eq!(said["duration_ms"], Value::DoubleValue(1.235));
    let Value::KvlistValue(order) = &said["order"] else {
        panic!("no map: {said:?}");
    };
    let order = attributes(&order.values);
    assert_eq!(order["paid"], Value::BoolValue(true));
    assert_eq!(
        order["items"],
        list(&[Value::IntValue(1), text("null"), text("a")])
    );
    assert_eq!(order.len(), 2);
    assert_eq!(logging.line("said")["fields"]["text"], "of the event");
    let micros = record.time_unix_nano / 1000 * 1000;
    assert_ne!(micros, 0);
    assert_eq!(record.time_unix_nano, record.observed_time_unix_nano);
}

#[tokio::test]
async fn names_of_events() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    tracing::info!(name: "cache.miss", "by its callsite");
    let name = String::from("cart.full");
    tracing::info!(event = name, "by a field");
    tracing::info!("without");
    tracing::info!(name: "no.message", item = 7);
    let (span, _) = invocation("r-1", 1);
    span.in_scope(|| end("ok"));
    flush(ENOUGH).await.expect("exported");
    assert_eq!(receiver.record("by its callsite").event_name, "cache.miss");
    assert_eq!(receiver.record("by a field").event_name, "cart.full");
    assert_eq!(receiver.record("without").event_name, "");
    let silent = receiver.record("");
    assert_eq!(
        (silent.event_name.as_str(), silent.body),
        ("no.message", None)
    );
    let ended = receiver.record("invoke end");
    assert_eq!(ended.event_name, "invoke.end");
    let said = attributes(&ended.attributes);
    assert_eq!(said["outcome"], text("ok"));
    assert_eq!(said["duration_ms"], Value::DoubleValue(1.5));
    assert!(!said.contains_key("event"), "{said:?}");
}

#[tokio::test]
async fn errors_become_exceptions() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let cause = "x".parse::<u8>().expect_err("no number");
    let reason = cause.to_string();
    tracing::error!(error = err(&Refused(cause)), "failed");
    tracing::error!(error = "text", "told");
    flush(ENOUGH).await.expect("exported");
    let said = attributes(&receiver.record("failed").attributes);
    let Value::StringValue(kind) = &said["exception.type"] else {
        panic!("{said:?}");
    };
    assert!(kind.ends_with("::Refused"), "{kind}");
    assert_eq!(said["exception.message"], text("refused"));
    assert_eq!(said["error.causes"], list(&[text(&reason)]));
    let said = attributes(&receiver.record("told").attributes);
    assert_eq!(said["error"], text("text"));
    assert!(!said.contains_key("exception.message"), "{said:?}");
}

#[tokio::test]
async fn records_have_the_limits_of_lines() {
    let receiver = Receiver::start();
    let logging = Logging::with(otlp(&receiver), |builder| builder.line_limit(4096));
    let long = "x".repeat(3000);
    let many: Vec<u32> = (0..1000).collect();
    tracing::info!(a = &*long, b = &*long, "texts");
    tracing::info!(
        c = json(&many),
        d = json(&many),
        e = json(&many),
        f = json(&many),
        "lists"
    );
    flush(ENOUGH).await.expect("exported");
    let said = attributes(&receiver.record("texts").attributes);
    assert_eq!(said["a"], text(&"x".repeat(256)));
    assert_eq!(logging.line("texts")["fields"]["a"], "x".repeat(256));
    let size = prost::Message::encoded_len(&receiver.record("lists"));
    assert!(size < 2 * 4096, "{size}");
}

#[tokio::test]
async fn a_record_can_be_told_from_all_others() {
    let receiver = Receiver::start();
    let logging = Logging::with(otlp(&receiver), |builder| {
        builder.origin(|origin| origin.instance = Some("i-1".into()))
    });
    tracing::info!("first");
    tracing::info!("second");
    flush(ENOUGH).await.expect("exported");
    for message in ["first", "second"] {
        let said = attributes(&receiver.record(message).attributes);
        let seq = logging.line(message)["seq"].as_u64().expect("a number");
        assert_eq!(said["log.record.uid"], text(&format!("i-1-{seq}")));
    }
}

#[tokio::test]
async fn the_keys_of_a_record_are_those_of_the_standard_first() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    let (span, _) = invocation("r-1", 1);
    span.in_scope(|| tracing::info!("faas.invocation_id" = "a lie", "said"));
    flush(ENOUGH).await.expect("exported");
    let said = attributes(&receiver.record("said").attributes);
    assert_eq!(said["faas.invocation_id"], text("r-1"));
}
