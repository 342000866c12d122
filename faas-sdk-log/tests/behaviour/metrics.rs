//! The line that ends an invocation.

use crate::support::json::Line;
use crate::support::{SPAN, TRACE, builder, end, lines};
use faas_sdk_log::{Builder, Invocation, Profile};
use faas_sdk_scope::{Instance, Scope};
use serde_json::{Value, json as value};
use std::collections::BTreeSet;
use std::time::Duration;

/// The last line of an invocation for which `count` counts.
fn ended(builder: Builder, count: impl FnOnce(&Scope)) -> Line {
    let mut lines = lines(builder, || {
        let scope = Scope::new(&Instance::new(), None);
        let span = tracing::info_span!(target: "faas_sdk::invoke", "invocation");
        Invocation::new("id")
            .trace(TRACE, SPAN, 1)
            .cold_start(true)
            .scope(&scope)
            .bind(&span);
        count(&scope);
        span.in_scope(|| end!("ok"));
    });
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn aws() -> Builder {
    builder(Profile::AWS).origin(|origin| {
        origin.service = Some("shop".into());
        origin.function = Some("item".into());
    })
}

#[test]
fn counters_and_times_of_the_scope_are_fields() {
    let line = ended(builder(Profile::V1), |scope| {
        scope.add("cache.hits", 2);
        scope.add("cache.hits", 3);
        scope.add_time("lock.wait", Duration::from_micros(1500));
        scope.add_time("lock.wait", Duration::from_nanos(1_600));
        scope.add("large", u64::MAX);
        scope.child().add("of_a_part", 1);
    });
    assert_eq!(line["event"], "invoke.end");
    assert_eq!(line["message"], "invoke end");
    assert_eq!(line["duration_ms"], 1.25);
    assert_eq!(
        line["fields"],
        value!({
            "outcome": "ok", "cache.hits": 5, "lock.wait_ms": 1.502, "lock.wait_count": 2,
            "large": "18446744073709551615", "of_a_part": 1
        })
    );
    assert!(line.get("_aws").is_none());
}

#[test]
fn counters_do_not_replace_what_the_line_says() {
    let line = ended(builder(Profile::V1), |scope| {
        scope.add("outcome", 7);
        scope.add("lock_ms", 1);
        scope.add_time("lock", Duration::from_secs(1));
        scope.add("a b", 1);
        scope.add("a_b", 2);
        scope.add("", 3);
    });
    assert_eq!(
        line["fields"],
        value!({"outcome": "ok", "lock_ms": 1, "lock_count": 1, "a_b": 1, "_": 3})
    );
    assert!(
        line.get("truncated").is_some(),
        "some had no key of their own"
    );
}

/// The metrics of a line, after a check that it is as CloudWatch wants it.
///
/// Source: CloudWatch, "Specification: Embedded metric format".
fn metrics(line: &Line) -> Vec<(String, String, Value)> {
    let directive = &line["_aws"];
    let keys: BTreeSet<_> = directive.as_object().expect("_aws").keys().collect();
    assert!(
        keys.iter().eq(["CloudWatchMetrics", "Timestamp"].iter()),
        "{keys:?}"
    );
    assert!(directive["Timestamp"].as_u64().expect("milliseconds") > 1_700_000_000_000);
    let directives = directive["CloudWatchMetrics"].as_array().expect("a list");
    assert_eq!(directives.len(), 1);
    let namespace = directives[0]["Namespace"].as_str().expect("a name");
    assert!((1..=1024).contains(&namespace.len()), "{namespace}");
    for set in directives[0]["Dimensions"].as_array().expect("sets") {
        let set = set.as_array().expect("a set");
        assert!(set.len() <= 30);
        for dimension in set {
            let name = dimension.as_str().expect("a name");
            let value = line[name].as_str().expect("a text at the root");
            assert!((1..=1024).contains(&value.len()), "{value}");
        }
    }
    let metrics = directives[0]["Metrics"].as_array().expect("metrics");
    assert!(metrics.len() <= 100, "{}", metrics.len());
    let mut names = BTreeSet::new();
    metrics
        .iter()
        .map(|metric| {
            let name = metric["Name"].as_str().expect("a name").to_owned();
            assert!((1..=1024).contains(&name.len()));
            assert!(names.insert(name.clone()), "{name} twice");
            let value = line[&name].clone();
            assert!(value.is_number(), "{name} is {value}");
            let unit = metric["Unit"].as_str().expect("a unit").to_owned();
            assert!(["Count", "Milliseconds"].contains(&unit.as_str()));
            (name, unit, value)
        })
        .collect()
}

#[test]
fn on_aws_the_line_carries_metrics() {
    let line = ended(aws(), |scope| {
        scope.add("cache.hits", 2);
        scope.add_time("lock.wait", Duration::from_micros(1500));
    });
    let found = metrics(&line);
    let found: Vec<_> = found
        .iter()
        .map(|(name, unit, value)| (name.as_str(), unit.as_str(), value.as_f64()))
        .collect();
    assert_eq!(
        found,
        [
            ("duration_ms", "Milliseconds", Some(1.25)),
            ("cold_starts", "Count", Some(1.0)),
            ("errors", "Count", Some(0.0)),
            ("cache.hits", "Count", Some(2.0)),
            ("lock.wait_ms", "Milliseconds", Some(1.5)),
        ]
    );
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "shop");
    assert_eq!(directive["Dimensions"], value!([["function"]]));
    assert_eq!(line["function"], "item");
}

#[test]
fn names_that_stand_at_the_root_already_are_no_metrics() {
    let hostile = [
        "level",
        "errors",
        "cold_starts",
        "cold start",
        "cold_start",
        "a b",
        "a_b",
        "a?b",
        "_aws",
        "",
        "truncated",
        "lost",
        "timestamp",
        "function",
        "service",
        "fields",
        "seq",
        "é",
        "\n",
    ];
    let line = ended(aws(), |scope| {
        for (number, name) in hostile.into_iter().enumerate() {
            scope.add(name, number as u64 + 10);
        }
        scope.add_time("duration", Duration::from_secs(9));
        scope.add("duration_ms", 9);
        scope.add_time("a", Duration::from_secs(1));
        scope.add("a_ms", 5);
        scope.add("huge", u64::MAX);
        scope.add("x".repeat(300), 1);
    });
    let found = metrics(&line);
    let value = |name: &str| {
        let mut found = found.iter().filter(|metric| metric.0 == name);
        found.next().and_then(|metric| metric.2.as_f64())
    };
    assert_eq!(value("errors"), Some(0.0));
    assert_eq!(value("cold_starts"), Some(1.0));
    assert_eq!(value("duration_ms"), Some(1.25));
    assert_eq!(value("a_b"), Some(15.0));
    assert_eq!(value("a_ms"), Some(1000.0));
    assert_eq!(value("huge"), Some(u64::MAX as f64));
    assert_eq!(value("level"), None);
    assert_eq!(value("cold_start"), None);
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["cold_start"], true);
    assert_eq!(line["seq"], 0);
}

#[test]
fn there_are_at_most_a_hundred_metrics() {
    let line = ended(aws(), |scope| {
        for number in 0..150 {
            scope.add(format!("counter.{number}"), 1);
        }
    });
    assert_eq!(metrics(&line).len(), 100);
    assert_eq!(line["fields"].as_object().expect("fields").len(), 64);
}

#[test]
fn metrics_need_neither_function_nor_service() {
    for (origin, namespace) in [(None, "faas-sdk"), (Some(""), "faas-sdk"), (Some("é"), "é")] {
        let builder = builder(Profile::AWS).origin(|known| {
            known.service = origin.map(Into::into);
            known.function = origin.map(Into::into);
        });
        let line = ended(builder, |_| {});
        assert_eq!(metrics(&line).len(), 3);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], namespace);
    }
    let named = ended(aws().metrics_namespace("mine"), |_| {});
    assert_eq!(named["_aws"]["CloudWatchMetrics"][0]["Namespace"], "mine");
    let unnamed = ended(aws().metrics_namespace(" "), |_| {});
    assert_eq!(unnamed["_aws"]["CloudWatchMetrics"][0]["Namespace"], "shop");
}

#[test]
fn a_duration_that_is_no_number_is_no_metric() {
    let lines = lines(aws(), || {
        let span = tracing::info_span!("job");
        Invocation::new("id").bind(&span);
        span.in_scope(|| {
            tracing::info!(
                name: "invoke.end",
                target: "faas_sdk::invoke",
                outcome = "error",
                duration_ms = f64::INFINITY,
            );
        });
    });
    let found = metrics(&lines[0]);
    let names: Vec<_> = found.iter().map(|metric| metric.0.as_str()).collect();
    assert_eq!(names, ["cold_starts", "errors"]);
    assert_eq!(lines[0]["errors"], 1);
}

#[test]
fn an_invocation_ends_once() {
    let lines = lines(aws(), || {
        let span = tracing::info_span!("job");
        Invocation::new("id").bind(&span);
        let _entered = span.enter();
        end!("ok");
        end!("ok");
        tracing::info!(name: "invoke.end", "of another target");
        tracing::info!(target: "faas_sdk::invoke", "of another name");
    });
    let with: Vec<_> = lines
        .iter()
        .map(|line| line.get("_aws").is_some())
        .collect();
    assert_eq!(with, [true, false, false, false]);
    for line in &lines[1..] {
        assert!(line.get("errors").is_none());
    }
}

#[test]
fn metrics_that_do_not_fit_are_left_out_last() {
    let line = ended(aws().line_limit(2 << 10), |scope| {
        for number in 0..120 {
            scope.add(format!("counter.{number}.with.a.long.name"), 1);
        }
    });
    assert!(line.length <= 2 << 10, "{}", line.length);
    assert!(line.get("_aws").is_none() && line.get("errors").is_none());
    assert!(line.get("truncated").is_some());
    let wordy = lines(aws().line_limit(2 << 10), || {
        let scope = Scope::new(&Instance::new(), None);
        let span = tracing::info_span!("job");
        Invocation::new("id").scope(&scope).bind(&span);
        for number in 0..14 {
            scope.add(format!("counter.{number}"), 1);
        }
        let message = "m".repeat(2000);
        span.in_scope(
            || tracing::info!(name: "invoke.end", target: "faas_sdk::invoke", "{message}"),
        );
    });
    assert!(wordy[0].length <= 2 << 10, "{}", wordy[0].length);
    assert_eq!(metrics(&wordy[0]).len(), 16);
    assert_eq!(wordy[0]["message"], "m".repeat(128));
    let few = ended(aws().line_limit(2 << 10), |scope| {
        for number in 0..12 {
            scope.add(format!("counter.{number}.with.a.long.name"), 1);
        }
    });
    assert!(few.length <= 2 << 10, "{}", few.length);
    assert_eq!(metrics(&few).len(), 15);
}
