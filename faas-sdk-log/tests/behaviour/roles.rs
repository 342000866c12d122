//! Fields that stand at the top level of a line, if they are of the right kind.

use crate::support::{builder, end, invocation, line, lines};
use faas_sdk_log::{Profile, bytes, err, json};
use serde_json::json as value;
use tracing::field::Empty;

fn v1() -> faas_sdk_log::Builder {
    builder(Profile::V1)
}

#[test]
fn an_event_is_a_text() {
    let named = line(v1(), || tracing::info!(name: "cache.miss", "message"));
    assert_eq!(named["event"], "cache.miss");
    let given = line(v1(), || {
        tracing::info!(name: "cache.miss", event = "other", "message");
    });
    assert_eq!(given["event"], "other");
    let shown = line(v1(), || tracing::info!(event = ?Some(1), "message"));
    assert_eq!(shown["event"], "Some(1)");
    let number = line(v1(), || tracing::info!(event = 5, "message"));
    assert_eq!(number["fields"], value!({"event": 5}));
    assert!(number.get("event").is_none());
    let none = line(v1(), || tracing::info!("message"));
    assert!(none.get("event").is_none());
}

#[test]
fn a_duration_is_a_number() {
    for (duration, expected) in [
        (
            line(v1(), || tracing::info!(duration_ms = 1.234_567)),
            value!(1.235),
        ),
        (line(v1(), || tracing::info!(duration_ms = 7)), value!(7)),
        (
            line(v1(), || tracing::info!(duration_ms = 7_u64)),
            value!(7),
        ),
        (line(v1(), || tracing::info!(duration_ms = -1)), value!(-1)),
        (
            line(v1(), || tracing::info!(duration_ms = 1e306)),
            value!(1e306),
        ),
    ] {
        assert_eq!(duration["duration_ms"], expected);
        assert!(duration.get("fields").is_none());
    }
    for (other, expected) in [
        (
            line(v1(), || tracing::info!(duration_ms = "7")),
            value!("7"),
        ),
        (line(v1(), || tracing::info!(duration_ms = %7)), value!("7")),
        (
            line(v1(), || tracing::info!(duration_ms = true)),
            value!(true),
        ),
        (
            line(v1(), || tracing::info!(duration_ms = f64::NAN)),
            value!("NaN"),
        ),
        (
            line(v1(), || tracing::info!(duration_ms = u64::MAX)),
            value!("18446744073709551615"),
        ),
        (
            line(v1(), || tracing::info!(duration_ms = 1_i128)),
            value!("1"),
        ),
    ] {
        assert_eq!(other["fields"], value!({"duration_ms": expected}));
        assert!(other.get("duration_ms").is_none(), "{other:?}");
    }
}

#[test]
fn an_error_is_an_object_and_its_text_is_a_field() {
    let error = "x".parse::<u32>().expect_err("no number");
    let text = "invalid digit found in string";
    for line in [
        line(v1(), || tracing::warn!(error = err(&error))),
        line(v1(), || {
            tracing::warn!(error = &error as &(dyn std::error::Error + 'static));
        }),
    ] {
        assert_eq!(line["error"]["message"], text);
        assert!(line.get("fields").is_none());
    }
    for line in [
        line(v1(), || tracing::warn!(error = %error)),
        line(v1(), || tracing::warn!(error = text)),
        line(v1(), || tracing::warn!(%error)),
    ] {
        assert_eq!(line["fields"], value!({"error": text}));
        assert!(line.get("error").is_none());
    }
    let structured = line(v1(), || tracing::warn!(error = json(&[1])));
    assert_eq!(structured["fields"], value!({"error": [1]}));
    let other = line(v1(), || tracing::warn!(cause = err(&error)));
    assert_eq!(
        other["fields"],
        value!({"cause": {
            "kind": "core::num::error::ParseIntError", "message": text
        }})
    );
    let both = line(v1(), || {
        tracing::warn!(
            first = err(&std::fmt::Error),
            error = err(&error),
            last = err(&std::fmt::Error)
        );
    });
    assert_eq!(both["error"]["message"], text);
    assert_eq!(both["fields"]["first"]["kind"], "core::fmt::Error");
    assert_eq!(both["fields"]["last"]["kind"], "core::fmt::Error");
}

#[test]
fn a_message_may_be_missing_or_no_text() {
    assert_eq!(line(v1(), || tracing::info!(a = 1))["message"], "");
    let number = line(v1(), || tracing::info!(message = 5));
    assert_eq!(number["message"], "");
    assert_eq!(number["fields"], value!({"message": 5}));
}

#[test]
fn a_request_id_is_lifted_where_no_other_one_is_known() {
    let lines = lines(v1(), || {
        tracing::info!(request_id = "a", "outside");
        tracing::info!(request_id = 7, "outside");
        tracing::info!(request_id = None::<&str>, "outside");
        let _entered = invocation("a").entered();
        tracing::info!(request_id = "a", "the invocation's own");
        tracing::info!(request_id = "b", "that of another one");
        let _inner = tracing::info_span!("inner", request_id = "c").entered();
        tracing::info!(request_id = %"b", "that of another one");
        tracing::info!("that of a span");
    });
    assert_eq!(lines[0]["request_id"], "a");
    assert!(lines[0].get("fields").is_none());
    assert_eq!(lines[1]["fields"], value!({"request_id": 7}));
    assert!(lines[2].get("request_id").is_none());
    for line in &lines[3..] {
        assert_eq!(line["request_id"], "a");
    }
    assert!(lines[3].get("fields").is_none());
    assert_eq!(lines[4]["fields"], value!({"request_id": "b"}));
    assert_eq!(lines[5]["fields"], value!({"request_id": "b"}));
    assert_eq!(lines[6]["fields"], value!({"request_id": "c"}));
}

#[test]
fn outcomes_are_read_from_every_kind_of_text() {
    for (failed, expected) in [
        (end_of(|| end!("ok")), false),
        (end_of(|| end!("error")), true),
        (end_of(|| end!(tracing::field::display("ok"))), false),
        (end_of(|| end!(tracing::field::display("timeout"))), true),
        (end_of(|| end!(tracing::field::debug(Failed))), true),
        (end_of(|| end!(tracing::field::debug(true))), false),
        (end_of(|| end!(true)), false),
        (end_of(|| end!(Empty)), false),
    ] {
        assert_eq!(failed, expected);
    }
}

struct Failed;

impl std::fmt::Debug for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("error")
    }
}

/// Whether what ends an invocation says that it failed: then its DEBUG lines are written.
fn end_of(end: impl FnOnce()) -> bool {
    let lines = lines(v1(), || {
        let _entered = invocation("a").entered();
        tracing::debug!("kept");
        end();
    });
    lines.iter().any(|line| line["level"] == "DEBUG")
}

#[test]
fn bytes_are_base64_or_text() {
    let line = line(v1(), || {
        tracing::info!(key_b64 = bytes(b"\xff\x00"), text = b"a\xff\x00".as_slice());
    });
    assert_eq!(
        line["fields"],
        value!({"key_b64": "/wA=", "text": "a\u{fffd}\0"})
    );
}
