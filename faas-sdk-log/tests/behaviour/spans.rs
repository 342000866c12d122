//! Fields and invocations that lines get from spans.

use crate::support::{Kept, SPAN, TRACE, builder, invocation, line, lines, subscriber};
use faas_sdk_log::{Invocation, Profile, json};
use serde_json::json as value;
use tracing::field::Empty;
use tracing::{Level, Span};

fn v1() -> faas_sdk_log::Builder {
    builder(Profile::V1)
}

#[test]
fn the_event_beats_the_inner_span_and_that_the_outer_one() {
    let line = line(v1(), || {
        let _a = tracing::info_span!("a", a = 1, b = 1, c = 1, "d e" = 1).entered();
        let _b = tracing::info_span!("b", b = 2, c = 2, d_e = 2).entered();
        tracing::info!(c = 3, "message");
    });
    assert_eq!(line["fields"], value!({"a": 1, "b": 2, "c": 3, "d_e": 2}));
}

#[test]
fn the_later_of_two_keys_in_one_span_counts() {
    let lines = lines(v1(), || {
        let span = tracing::info_span!("span", "a b" = 1, c = 2, a_b = 3, d = Empty);
        span.in_scope(|| tracing::info!("message"));
        span.record("d", 4);
        span.in_scope(|| tracing::info!("message"));
    });
    assert_eq!(lines[0]["fields"], value!({"c": 2, "a_b": 3}));
    assert_eq!(lines[1]["fields"], value!({"c": 2, "a_b": 3, "d": 4}));
}

#[test]
fn fields_of_spans_may_be_recorded_later_and_anew() {
    let lines = lines(v1(), || {
        let span = tracing::info_span!("span", a = 1, b = Empty, c = Empty);
        let inner = tracing::info_span!(parent: &span, "inner", d = 1);
        let _entered = inner.enter();
        tracing::info!("before");
        span.record("b", "text").record("a", 2);
        tracing::info!("between");
        span.record("c", json(&[1])).record("b", false);
        inner.record("d", 2);
        tracing::info!("behind");
    });
    let fields: Vec<_> = lines.iter().map(|line| &line["fields"]).collect();
    assert_eq!(*fields[0], value!({"a": 1, "d": 1}));
    assert_eq!(*fields[1], value!({"a": 2, "b": "text", "d": 1}));
    assert_eq!(*fields[2], value!({"a": 2, "b": false, "c": [1], "d": 2}));
}

#[test]
fn parents_that_are_named_count() {
    let lines = lines(v1(), || {
        let one = invocation("one");
        let two = invocation("two");
        let inner = tracing::info_span!(parent: &one, "inner", inner = 1);
        let root = tracing::info_span!(parent: None, "root", root = 1);
        let _entered = two.enter();
        tracing::info!(parent: &one, "of one");
        tracing::info!(parent: &inner, "of one, in inner");
        tracing::info!(parent: None, "of none");
        tracing::info!(parent: &root, "of none, in root");
        tracing::info!("of two");
        let contextual = tracing::info_span!("contextual");
        contextual.in_scope(|| tracing::info!("of two"));
        let detached = tracing::info_span!(parent: None, "detached");
        detached.in_scope(|| tracing::info!("of none"));
    });
    for line in &lines {
        let owner = line
            .get("request_id")
            .map_or("none", |id| id.as_str().expect("an id"));
        let message = line["message"].as_str().expect("a message");
        assert!(
            message.starts_with(&format!("of {owner}")),
            "{owner}: {message}"
        );
        assert_eq!(line.get("fields").is_some(), message.contains("in "));
    }
    assert_eq!(lines.len(), 7);
}

#[test]
fn an_invocation_is_bound_to_any_span() {
    let lines = lines(v1(), || {
        let span = tracing::info_span!("job", order = 7, late = Empty);
        let given = Invocation::new("id").trace(TRACE, SPAN, 0).bind(&span);
        assert_eq!(given, Some((TRACE, SPAN, 0)));
        assert_eq!(Invocation::new("other").bind(&Span::none()), None);
        span.in_scope(|| tracing::info!("what the author said of the span stays"));
        span.record("late", 1);
        span.in_scope(|| tracing::info!("what is recorded later too"));
    });
    assert_eq!(lines[0]["fields"], value!({"order": 7}));
    assert_eq!(lines[1]["fields"], value!({"order": 7, "late": 1}));
    for line in &lines {
        assert_eq!(line["request_id"], "id");
        assert_eq!(line["trace_flags"], "00");
        assert_eq!(line["cold_start"], false);
    }
}

/// The engine's span says what the line says anyway.
#[test]
fn the_engines_span_adds_no_fields_but_those_recorded_later() {
    let line = line(v1(), || {
        let span = tracing::info_span!(
            target: "faas_sdk::invoke", "invocation",
            request_id = "id", function = "f", handler = Empty
        );
        Invocation::new("id").bind(&span);
        span.record("handler", "h");
        span.in_scope(|| tracing::info!("message"));
    });
    assert_eq!(line["fields"], value!({"handler": "h"}));
}

#[test]
fn without_a_layer_of_ours_nothing_is_bound() {
    let other = tracing_subscriber::registry();
    tracing::subscriber::with_default(other, || {
        let span = tracing::info_span!("span");
        let trace = Invocation::new("id").trace(TRACE, SPAN, 1).bind(&span);
        assert_eq!(trace, Some((TRACE, SPAN, 1)));
    });
}

#[test]
fn spans_carry_their_fields_whatever_the_filter_says() {
    let lines = lines(v1().filter("error"), || {
        let _info = tracing::info_span!("info", info = 1).entered();
        let _debug = tracing::debug_span!("debug", debug = 1).entered();
        tracing::warn!("not written");
        tracing::error!("message");
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["fields"], value!({"info": 1}));
}

#[test]
fn layers_of_different_subscribers_do_not_meet() {
    let (first, second) = (Kept::default(), Kept::default());
    let one = subscriber(v1().filter("info").redact("name").sink(first.sink()));
    let two = subscriber(v1().filter("debug").sink(second.sink()));
    let pass = || {
        let span = tracing::info_span!("span", name = "n");
        let _entered = span.enter();
        tracing::event!(Level::DEBUG, key = 1, "debug");
        tracing::event!(Level::INFO, key = 1, "info");
    };
    for _ in 0..3 {
        tracing::dispatcher::with_default(&one, pass);
        tracing::dispatcher::with_default(&two, pass);
    }
    let first: Vec<_> = first
        .take()
        .iter()
        .map(|line| crate::support::json::line(line))
        .collect();
    let second: Vec<_> = second
        .take()
        .iter()
        .map(|line| crate::support::json::line(line))
        .collect();
    assert_eq!((first.len(), second.len()), (3, 6));
    for (seq, line) in first.iter().enumerate() {
        assert_eq!(line["fields"], value!({"key": 1, "name": "[redacted]"}));
        assert_eq!(line["seq"], seq);
    }
    for line in &second {
        assert_eq!(line["fields"], value!({"key": 1, "name": "n"}));
    }
}

#[test]
fn a_span_of_another_subscriber_is_none_of_ours() {
    let (first, second) = (Kept::default(), Kept::default());
    let one = subscriber(v1().sink(first.sink()));
    let two = subscriber(v1().sink(second.sink()));
    let span = tracing::dispatcher::with_default(&one, || {
        let span = tracing::info_span!("span", key = 1);
        Invocation::new("id").bind(&span);
        span
    });
    tracing::dispatcher::with_default(&two, || {
        span.in_scope(|| tracing::info!("elsewhere"));
    });
    tracing::dispatcher::with_default(&one, || {
        span.in_scope(|| tracing::info!("here"));
    });
    let here = crate::support::json::line(&first.take()[0]);
    assert_eq!(here["request_id"], "id");
    let elsewhere = crate::support::json::line(&second.take()[0]);
    assert!(elsewhere.get("request_id").is_none());
}

#[test]
fn more_keys_than_fit_are_told_of() {
    let line = line(v1(), || {
        let _outer = tracing::info_span!(
            "outer",
            b00 = 1,
            b01 = 1,
            b02 = 1,
            b03 = 1,
            b04 = 1,
            b05 = 1,
            b06 = 1,
            b07 = 1,
            b08 = 1,
            b09 = 1,
            b10 = 1,
            b11 = 1,
            b12 = 1,
            b13 = 1,
            b14 = 1,
            b15 = 1,
            b16 = 1,
            b17 = 1,
            b18 = 1,
            b19 = 1,
            b20 = 1,
            b21 = 1,
            b22 = 1,
            b23 = 1,
            b24 = 1,
            b25 = 1,
            b26 = 1,
            b27 = 1,
            b28 = 1,
            b29 = 1
        )
        .entered();
        let _middle = tracing::info_span!(
            "middle",
            a00 = 1,
            a01 = 1,
            a02 = 1,
            a03 = 1,
            a04 = 1,
            a05 = 1,
            a06 = 1,
            a07 = 1,
            a08 = 1,
            a09 = 1,
            a10 = 1,
            a11 = 1,
            a12 = 1,
            a13 = 1,
            a14 = 1,
            a15 = 1,
            a16 = 1,
            a17 = 1,
            a18 = 1,
            a19 = 1,
            a20 = 1,
            a21 = 1,
            a22 = 1,
            a23 = 1,
            a24 = 1,
            a25 = 1,
            a26 = 1,
            a27 = 1,
            a28 = 1,
            a29 = 1
        )
        .entered();
        tracing::info!(c0 = 1, c1 = 1, c2 = 1, c3 = 1, c4 = 1, c5 = 1, "message");
    });
    let fields = line["fields"].as_object().expect("fields");
    assert_eq!(fields.len(), 64);
    // The outermost ones have no room.
    assert!(!fields.contains_key("b28") && fields.contains_key("b27"));
    assert_eq!(line["truncated"], 2 * "\"b28\":1".len());
}

#[test]
fn one_span_may_have_more_keys_than_fit() {
    let lines = lines(v1(), || {
        let span = tracing::info_span!(
            "span",
            f00 = 1,
            f01 = 1,
            f02 = 1,
            f03 = 1,
            f04 = 1,
            f05 = 1,
            f06 = 1,
            f07 = 1,
            f08 = 1,
            f09 = 1,
            f10 = 1,
            f11 = 1,
            f12 = 1,
            f13 = 1,
            f14 = 1,
            f15 = 1,
            f16 = 1,
            f17 = 1,
            f18 = 1,
            f19 = 1,
            f20 = 1,
            f21 = 1,
            f22 = 1,
            f23 = 1,
            f24 = 1,
            f25 = 1,
            f26 = 1,
            f27 = 1,
            f28 = 1,
            f29 = 1,
            f30 = 1,
            f31 = 1,
            f32 = 1,
            f33 = 1,
            f34 = 1,
            f35 = 1,
            f36 = 1,
            f37 = 1,
            f38 = 1,
            f39 = 1,
            f40 = 1,
            f41 = 1,
            f42 = 1,
            f43 = 1,
            f44 = 1,
            f45 = 1,
            f46 = 1,
            f47 = 1,
            f48 = 1,
            f49 = 1,
            f50 = 1,
            f51 = 1,
            f52 = 1,
            f53 = 1,
            f54 = 1,
            f55 = 1,
            f56 = 1,
            f57 = 1,
            f58 = 1,
            f59 = 1,
            f60 = 1,
            f61 = 1,
            f62 = 1,
            f63 = 1,
            f64 = 1,
            f65 = 1
        );
        let _entered = span.enter();
        tracing::info!("two found no room in the span");
        tracing::info!(g00 = 1, "and one more not in the line");
    });
    let member = "\"f00\":1".len();
    assert_eq!(lines[0]["truncated"], 2 * member);
    assert_eq!(lines[1]["truncated"], 3 * member);
    for line in &lines {
        assert_eq!(
            line["fields"].as_object().map(serde_json::Map::len),
            Some(64)
        );
    }
}
