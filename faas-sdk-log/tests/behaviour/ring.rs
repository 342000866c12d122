//! DEBUG lines that are kept until it is known how the invocation ends.

use crate::support::json::Line;
use crate::support::{builder, end, invocation, lines};
use faas_sdk_log::{Builder, Profile};

fn v1() -> Builder {
    builder(Profile::V1)
}

fn messages(lines: &[Line]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["message"].as_str().expect("a message"))
        .collect()
}

#[test]
fn kept_lines_are_written_before_the_end_of_what_fails() {
    for outcome in ["error", "timeout", "panic", "partial"] {
        let lines = lines(v1(), || {
            let _entered = invocation("id").entered();
            let _inner = tracing::info_span!("inner", key = 1).entered();
            tracing::debug!(value = 2, "kept");
            tracing::info!("at once");
            tracing::debug!("kept too");
            tracing::trace!("too fine");
            end!(outcome);
        });
        assert_eq!(
            messages(&lines),
            ["at once", "kept", "kept too", "invoke end"]
        );
        assert_eq!(lines[1]["level"], "DEBUG");
        assert_eq!(lines[1]["request_id"], "id");
        assert_eq!(
            lines[1]["fields"],
            serde_json::json!({"value": 2, "key": 1})
        );
        let numbers: Vec<_> = lines.iter().map(|line| line["seq"].as_u64()).collect();
        assert_eq!(numbers, [Some(0), None, None, Some(1)]);
        // Each line says when it happened, not when it was written.
        assert!(lines[1]["timestamp"].as_str() <= lines[2]["timestamp"].as_str());
        assert!(lines[2]["timestamp"].as_str() <= lines[3]["timestamp"].as_str());
    }
}

#[test]
fn kept_lines_of_what_does_not_fail_are_forgotten() {
    let lines = lines(v1(), || {
        // What a caller did wrong, or gave up, is no failure.
        for outcome in ["ok", "rejected", "cancelled", "error"] {
            let _entered = invocation(outcome).entered();
            tracing::debug!("kept by {outcome}");
            end!(outcome);
            tracing::debug!("behind the end");
        }
    });
    assert_eq!(
        messages(&lines),
        [
            "invoke end",
            "invoke end",
            "invoke end",
            "kept by error",
            "invoke end"
        ]
    );
}

#[test]
fn invocations_at_once_keep_their_own_lines() {
    let lines = lines(v1(), || {
        let spans = ["a", "b", "c"].map(invocation);
        for _ in 0..3 {
            for (span, name) in spans.iter().zip(["a", "b", "c"]) {
                span.in_scope(|| tracing::debug!("{name}"));
            }
        }
        spans[1].in_scope(|| end!("error"));
        spans[0].in_scope(|| end!("ok"));
        spans[2].in_scope(|| end!("error"));
    });
    assert_eq!(
        messages(&lines),
        [
            "b",
            "b",
            "b",
            "invoke end",
            "invoke end",
            "c",
            "c",
            "c",
            "invoke end"
        ]
    );
    for line in &lines[..3] {
        assert_eq!(line["request_id"], "b");
    }
    for line in &lines[5..] {
        assert_eq!(line["request_id"], "c");
    }
}

#[test]
fn the_ring_is_bounded_and_says_what_it_dropped() {
    let lines = lines(v1().debug_ring(4 << 10), || {
        let _entered = invocation("id").entered();
        for number in 0..100 {
            tracing::debug!(text = "x".repeat(300), "kept {number}");
        }
        tracing::debug!(text = "x".repeat(6000), "too long by itself");
        end!("error");
    });
    let (end, kept) = lines.split_last().expect("lines");
    assert!(kept.iter().map(|line| line.length).sum::<usize>() <= 4 << 10);
    assert!(kept.len() >= 5);
    assert_eq!(kept.last().expect("a line")["message"], "kept 99");
    assert_eq!(end["fields"]["debug_lines_dropped"], 100 - kept.len() + 1);
}

#[test]
fn nothing_is_kept_without_a_ring_or_outside_of_invocations() {
    let none = lines(v1().debug_ring(0), || {
        let _entered = invocation("id").entered();
        tracing::debug!("kept");
        end!("error");
    });
    assert_eq!(messages(&none), ["invoke end"]);
    let outside = lines(v1(), || {
        tracing::debug!("in no span");
        let _entered = tracing::info_span!("span").entered();
        tracing::debug!("in no invocation");
        end!("error");
    });
    assert_eq!(messages(&outside), ["invoke end"]);
}

#[test]
fn lines_that_the_filter_wants_are_written_at_once() {
    let lines = lines(v1().filter("info,behaviour=debug,quiet=warn"), || {
        let _entered = invocation("id").entered();
        tracing::debug!("at once");
        tracing::debug!(target: "other", "kept");
        tracing::debug!(target: "quiet", "not even kept");
        end!("error");
    });
    assert_eq!(messages(&lines), ["at once", "kept", "invoke end"]);
    assert_eq!(lines[0]["seq"], 0);
    assert_eq!(lines[2]["seq"], 1);
}

/// The engine's own lines may be hidden; that an invocation failed is seen all the same.
#[test]
fn what_ends_an_invocation_counts_also_where_it_is_not_written() {
    for filter in [
        "off,behaviour=info",
        "info,faas_sdk=warn",
        "info,faas_sdk=off",
    ] {
        let lines = lines(v1().filter(filter), || {
            for outcome in ["ok", "error"] {
                let _entered = invocation(outcome).entered();
                tracing::debug!("kept by {outcome}");
                tracing::info!("at once");
                end!(outcome);
                tracing::debug!("behind the end");
            }
        });
        assert_eq!(
            messages(&lines),
            ["at once", "at once", "kept by error"],
            "{filter}"
        );
        assert_eq!(lines[1]["seq"], 1);
    }
}

#[test]
fn kept_lines_are_within_the_limits_and_redacted() {
    let lines = lines(v1().line_limit(2 << 10), || {
        let _entered = invocation("id").entered();
        tracing::debug!(password = "s3cret", text = "x".repeat(9000), "kept");
        end!("error");
    });
    assert!(lines[0].length <= 2 << 10);
    assert_eq!(lines[0]["fields"]["password"], "[redacted]");
    assert!(lines[0].get("truncated").is_some());
}

#[test]
fn the_pretty_profile_keeps_nothing() {
    let lines = crate::support::raw(builder(Profile::PRETTY), || {
        let _entered = invocation("id").entered();
        tracing::debug!("kept");
        end!("error");
    });
    assert_eq!(lines.len(), 1);
}

#[test]
fn an_invocation_without_an_end_takes_its_lines_along() {
    let lines = lines(v1(), || {
        let span = invocation("id");
        span.in_scope(|| tracing::debug!("kept"));
        drop(span);
        let _entered = invocation("other").entered();
        end!("error");
    });
    assert_eq!(messages(&lines), ["invoke end"]);
}
