//! The published schema, and what takes its place on Google Cloud.

use crate::support::json::{self, Line};
use jsonschema::Validator;
use serde_json::{Value, json as value};
use std::sync::OnceLock;

fn validator() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let schema = serde_json::from_str(faas_sdk_log::SCHEMA).expect("JSON");
        jsonschema::draft202012::new(&schema).expect("a schema")
    })
}

pub(crate) fn is_valid(line: &Value) -> bool {
    validator().is_valid(line)
}

/// Checks a line against the schema, and its keys against the order in which that lists them.
#[track_caller]
pub(crate) fn check(line: &Line) {
    if let Err(error) = validator().validate(&line.value) {
        panic!("{error} at {}: {}", error.instance_path(), line.value);
    }
    let order = listed();
    let known = |key: &String| order.iter().position(|listed| listed == key);
    let places: Vec<_> = line.keys.iter().filter_map(known).collect();
    assert!(places.is_sorted(), "{:?}", line.keys);
}

/// The keys at the top level in the order of the schema.
pub(crate) fn listed() -> Vec<String> {
    let (_, properties) = faas_sdk_log::SCHEMA
        .split_once("\"properties\": ")
        .expect("properties");
    let mut stream = serde_json::Deserializer::from_str(properties).into_iter::<Value>();
    stream.next().expect("an object").expect("JSON");
    json::keys(&properties[..stream.byte_offset()])
}

const GOOGLE: &[&str] = &[
    "time",
    "severity",
    "message",
    "event",
    "request_id",
    "logging.googleapis.com/labels",
    "logging.googleapis.com/trace",
    "logging.googleapis.com/spanId",
    "logging.googleapis.com/trace_sampled",
    "seq",
    "logging.googleapis.com/insertId",
    "v",
    "serviceContext",
    "target",
    "logging.googleapis.com/sourceLocation",
    "@type",
    "context",
    "duration_ms",
    "fields",
    "error",
    "truncated",
    "lost",
];

#[track_caller]
pub(crate) fn check_google(line: &Line) {
    let known = |key: &String| GOOGLE.iter().position(|listed| listed == key);
    let places: Option<Vec<_>> = line.keys.iter().map(known).collect();
    assert!(
        places.is_some_and(|places| places.is_sorted()),
        "{:?}",
        line.keys
    );
    for key in ["time", "severity", "message", "v", "target"] {
        assert!(line.get(key).is_some(), "no {key}: {}", line.value);
    }
    let severities = ["DEBUG", "INFO", "WARNING", "ERROR"];
    assert!(severities.contains(&line["severity"].as_str().expect("a severity")));
    if let Some(labels) = line.get("logging.googleapis.com/labels") {
        let labels = labels.as_object().expect("labels");
        assert!(labels.values().all(Value::is_string));
    }
}

#[test]
fn the_schema_refuses_what_is_no_line() {
    let good = value!({
        "timestamp": "2026-11-23T05:37:37.692866Z", "level": "INFO", "message": "", "v": 1,
        "target": "a"
    });
    assert!(is_valid(&good));
    for (key, value) in [
        ("timestamp", value!("2026-11-23T05:37:37Z")),
        ("level", value!("info")),
        ("message", value!(null)),
        ("v", value!(2)),
        ("seq", value!(-1)),
        ("trace_id", value!("4BF92F3577B34DA6A3CE929D0E0E4736")),
        ("span_id", value!("00f067aa0ba902b")),
        ("cold_start", value!("true")),
        ("service", value!("")),
        ("duration_ms", value!("5")),
        ("fields", value!({})),
        ("fields", value!({"a b": 1})),
        ("error", value!("text")),
        ("error", value!({"kind": "a"})),
        ("error", value!({"kind": "a", "message": "", "other": 1})),
        ("error", value!({"kind": "a", "message": "", "causes": []})),
        (
            "error",
            value!({"kind": "a", "message": "", "context": {"a": 1}}),
        ),
        ("truncated", value!(0)),
        ("lost", value!(0)),
        ("other", value!("text")),
        ("other", value!(5)),
        ("_aws", value!({"Timestamp": 1, "CloudWatchMetrics": []})),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        assert!(!is_valid(&bad), "{bad}");
    }
    for key in ["timestamp", "level", "message", "v", "target"] {
        let mut bad = good.clone();
        bad.as_object_mut().expect("an object").remove(key);
        assert!(!is_valid(&bad), "{bad}");
    }
    let mut metrics = good.clone();
    metrics["event"] = value!("invoke.end");
    metrics["errors"] = value!(1);
    metrics["_aws"] = value!({"Timestamp": 1, "CloudWatchMetrics": [{
        "Namespace": "a", "Dimensions": [["function"]],
        "Metrics": [{"Name": "errors", "Unit": "Count"}]
    }]});
    assert!(is_valid(&metrics));
    metrics["errors"] = value!("1");
    assert!(!is_valid(&metrics), "metrics are numbers");
    metrics["errors"] = value!(1);
    metrics["event"] = value!("other");
    assert!(!is_valid(&metrics), "metrics are for the end");
}
