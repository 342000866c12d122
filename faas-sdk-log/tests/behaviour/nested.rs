//! Values that log while they are logged, or that panic.
//!
//! With the subscriber of one thread alone `tracing` passes no events on while it passes one on.

use crate::support::child::own_process;
use crate::support::{builder, init, line, lines};
use faas_sdk_log::{Description, Profile, err, json};
use serde::{Serialize, Serializer};
use serde_json::json as value;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Logs when its text is asked for.
struct Chatty<'a>(&'a Cell<usize>);

impl fmt::Debug for Chatty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        tracing::info!(debug = ?Some(1), tree = json(&[2]), "within");
        f.write_str("chatty")
    }
}

own_process! {
    fn a_value_that_logs_is_asked_once() {
    let asked = Cell::new(0);
    let kept = init(builder(Profile::V1));
        tracing::info!(before = json(&[0]), chatty = ?Chatty(&asked), after = json(&[1]), "around");
    let lines = kept.lines();
    assert_eq!(asked.get(), 1);
    let [within, around] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(within["message"], "within");
    assert_eq!(within["fields"], value!({"debug": "Some(1)", "tree": [2]}));
    assert_eq!(around["message"], "around");
    assert_eq!(
        around["fields"],
        value!({"before": [0], "chatty": "chatty", "after": [1]})
    );
    }
}

own_process! {
    fn a_structured_value_may_log_before_it_gives_its_structure() {
    struct Inner<'a>(&'a Cell<usize>);
    impl fmt::Debug for Inner<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            // The nested line asks for values of its own.
            tracing::info!(chatty = ?Chatty(self.0), "within");
            json(&value!({"a": [1]})).fmt(f)
        }
    }
    let asked = Cell::new(0);
    let kept = init(builder(Profile::V1));
        tracing::info!(inner = ?Inner(&asked), "around");
    let lines = kept.lines();
    assert_eq!(asked.get(), 1);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["fields"], value!({"inner": {"a": [1]}}));
    }
}

own_process! {
    fn a_value_may_log_behind_what_answers_for_it() {
        struct Behind;
        impl fmt::Debug for Behind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                json(&[1]).fmt(f)?;
                tracing::warn!(tree = json(&[2]), error = err(&fmt::Error), "within");
                Ok(())
            }
        }
        let kept = init(builder(Profile::V1));
        tracing::info!(value = ?Behind, "around");
        let lines = kept.lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["fields"], value!({"tree": [2]}));
        assert_eq!(lines[1]["fields"], value!({"value": [1]}));
    }
}

own_process! {
    fn a_nested_line_does_not_change_how_much_is_told_of_an_error() {
        struct Before;
        impl fmt::Debug for Before {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                tracing::info!(a = ?1, b = err(&fmt::Error), "within");
                err(&Traced(std::backtrace::Backtrace::force_capture())).fmt(f)
            }
        }
        let kept = init(builder(Profile::V1).describe(describe));
        tracing::error!(error = ?Before, "around");
        let lines = kept.lines();
        assert!(lines[1]["error"]["backtrace"].is_string(), "{lines:?}");
    }
}

#[derive(Debug)]
struct Traced(std::backtrace::Backtrace);

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("traced")
    }
}

impl std::error::Error for Traced {}

fn describe<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<Description<'a>> {
    let Traced(backtrace) = error.downcast_ref()?;
    let mut known = Description::default();
    known.backtrace = Some(backtrace);
    Some(known)
}

/// Logs when it is serialized.
struct Talkative;

impl Serialize for Talkative {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        tracing::info!(tree = json(&"inner"), error = err(&fmt::Error), "within");
        serializer.collect_seq([1, 2])
    }
}

own_process! {
    fn a_structured_value_may_log_while_it_is_serialized() {
    let kept = init(builder(Profile::V1));
        tracing::info!(
            talkative = json(&value_of(Talkative)),
            also = json(&3),
            "around"
        );
    let lines = kept.lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["fields"], value!({"tree": "inner"}));
    assert_eq!(
        lines[1]["fields"],
        value!({"talkative": {"it": [1, 2]}, "also": 3})
    );
    }
}

#[derive(Serialize)]
struct Wrapped<T> {
    it: T,
}

fn value_of<T>(it: T) -> Wrapped<T> {
    Wrapped { it }
}

/// Logs when its message is asked for.
#[derive(Debug)]
struct Wordy;

impl fmt::Display for Wordy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::warn!(error = err(&fmt::Error), also = json(&[1]), "within");
        f.write_str("wordy")
    }
}

impl std::error::Error for Wordy {}

own_process! {
    fn an_error_may_log_while_its_message_is_read() {
    let kept = init(builder(Profile::V1));
        tracing::warn!(error = err(&Wordy), "around");
        tracing::warn!(other = err(&Wordy), "around");
        tracing::warn!(
            error = &Wordy as &(dyn std::error::Error + 'static),
            "around"
        );
    let lines = kept.lines();
    assert_eq!(lines.len(), 6);
    for pair in lines.chunks(2) {
        assert_eq!(pair[0]["error"]["kind"], "core::fmt::Error");
        assert_eq!(pair[0]["fields"], value!({"also": [1]}));
        let error = pair[1]
            .get("error")
            .unwrap_or_else(|| &pair[1]["fields"]["other"]);
        assert_eq!(error["message"], "wordy");
    }
    }
}

#[test]
fn structured_values_within_other_values_are_text() {
    let line = line(builder(Profile::V1), || {
        tracing::info!(
            one = ?Some(json(&[1])),
            two = ?(json(&[1]), json(&"a")),
            error = ?Some(err(&fmt::Error)),
            "message"
        );
    });
    assert_eq!(
        line["fields"],
        value!({
            "one": "Some([1])",
            "two": "([1], \"a\")",
            "error": "Some(an error occurred when formatting an argument)"
        })
    );
}

/// A text that is what a structured value writes in place of itself.
#[test]
fn the_marker_as_a_text_is_a_text() {
    let line = line(builder(Profile::V1), || {
        tracing::info!(text = %"\u{f8ff}", debug = ?Marker, "\u{f8ff}");
    });
    assert_eq!(line["message"], "\u{f8ff}");
    assert_eq!(
        line["fields"],
        value!({"text": "\u{f8ff}", "debug": "\u{f8ff}"})
    );
}

#[derive(Clone, Copy)]
struct Marker;

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\u{f8ff}")
    }
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

impl std::error::Error for Panics {}

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        drop(serializer.serialize_str("begun"));
        panic!("on purpose")
    }
}

fn caught(work: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(work)).expect_err("a panic");
}

#[test]
fn a_value_that_panics_leaves_later_lines_alone() {
    let lines = lines(builder(Profile::V1), || {
        let span = tracing::info_span!("span", kept = 1, later = tracing::field::Empty);
        let _entered = span.enter();
        caught(|| tracing::info!(before = 1, panics = ?Panics, "message"));
        // Nobody asks here.
        assert_eq!(format!("{:?} {:?}", json(&[1]), err(&fmt::Error)), {
            "[1] an error occurred when formatting an argument"
        });
        caught(|| tracing::info!(panics = json(&value_of(Panics)), "message"));
        caught(|| tracing::info!(panics = %Panics, "message"));
        caught(|| tracing::info!(error = err(&Panics), "message"));
        caught(|| tracing::info!("message {Panics}"));
        caught(|| drop(tracing::info_span!("lost", panics = ?Panics)));
        caught(|| {
            span.record("later", tracing::field::debug(Panics));
        });
        assert_eq!(format!("{:?}", json(&[1])), "[1]");
        tracing::info!(tree = json(&[1]), "after");
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["message"], "after");
    assert_eq!(lines[0]["fields"], value!({"kept": 1, "tree": [1]}));
    assert!(lines[0].get("error").is_none());
}

#[test]
fn nobody_asks_outside_of_lines() {
    let lines = lines(builder(Profile::V1), || {
        tracing::info!(debug = ?1, "message");
        assert_eq!(format!("{:?}", json(&[1])), "[1]");
    });
    assert_eq!(lines.len(), 1);
}
