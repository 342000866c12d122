//! Lines for people.

use crate::support::{builder, end, invocation, raw};
use faas_sdk_log::{Profile, err, json};

fn text(work: impl FnOnce()) -> String {
    let lines = raw(builder(Profile::PRETTY), work);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.concat()
}

/// What stands behind the time of day.
fn said(work: impl FnOnce()) -> String {
    let text = text(work);
    let (time, rest) = text.split_once(' ').expect("a time");
    assert_eq!(time.len(), "05:37:37.692".len(), "{text}");
    rest.to_owned()
}

#[test]
fn a_line_is_read_from_left_to_right() {
    let line = said(|| {
        let _entered = invocation("id-1").entered();
        let _span = tracing::info_span!("span", span = "two words").entered();
        tracing::info!(
            count = 5,
            word = "word",
            tree = json(&[1]),
            duration_ms = 1.5,
            "message"
        );
    });
    assert_eq!(
        line,
        "INFO  message duration_ms=1.5 count=5 word=word tree=[1] span=\"two words\" \
         behaviour::pretty id-1\n"
    );
}

#[test]
fn events_without_a_message_have_a_name() {
    let named = said(|| tracing::info!(name: "cache.miss", key = 1));
    assert_eq!(named, "INFO  cache.miss key=1 behaviour::pretty\n");
    let given = said(|| tracing::info!(event = "cache.hit", key = 1));
    assert_eq!(given, "INFO  cache.hit key=1 behaviour::pretty\n");
    let both = said(|| tracing::info!(event = "cache.hit", "message"));
    assert_eq!(both, "INFO  message event=cache.hit behaviour::pretty\n");
    let own = said(|| tracing::info!(name: "cache.miss", "message"));
    assert_eq!(own, "INFO  message behaviour::pretty\n");
    let outside = said(|| tracing::info!(request_id = "id-2", "message"));
    assert_eq!(outside, "INFO  message behaviour::pretty id-2\n");
}

#[test]
fn errors_stand_on_lines_of_their_own() {
    let error = "x".parse::<u32>().expect_err("no number");
    let line = said(|| tracing::warn!(error = err(&error), "message"));
    let (first, second) = line.split_once('\n').expect("two lines");
    assert!(
        first.starts_with("WARN  message behaviour::pretty "),
        "{first}"
    );
    assert!(first.contains("pretty.rs:"), "{first}");
    assert_eq!(
        second,
        "  error: invalid digit found in string (core::num::error::ParseIntError)\n"
    );
}

#[test]
fn there_are_no_colours_where_nobody_asked() {
    let lines = raw(builder(Profile::PRETTY).filter("trace"), || {
        tracing::trace!("");
        tracing::debug!("");
        tracing::info!("");
        tracing::warn!("");
        tracing::error!(error = err(&std::fmt::Error), "");
        let _entered = invocation("id").entered();
        end!("ok");
    });
    assert!(!lines.concat().contains('\u{1b}'));
}

#[test]
fn no_value_reaches_the_terminal_as_an_escape_sequence() {
    // A colour, a title, the same by one character each, and what deletes.
    let bad =
        "\u{1b}[31m \u{1b}]0;x\u{7} \u{9b}31m \u{9d}0;x\u{9c} \u{90}\r\u{8}\u{7f}\u{85}\u{2028}";
    let lines = raw(builder(Profile::PRETTY), || {
        let _entered = invocation(bad).entered();
        let _span = tracing::info_span!("span", span = bad).entered();
        tracing::info!(
            text = bad, display = %bad, debug = ?bad, bytes = bad.as_bytes(), tree = json(&[bad]),
            event = bad, "{bad}"
        );
        tracing::info!(event = bad);
        tracing::error!(error = err(&Bad(bad)), "message");
        tracing::error!(other = err(&Bad(bad)), "message");
    });
    for letter in lines.concat().chars() {
        assert!(letter == '\n' || !letter.is_control(), "{letter:?}");
        assert_ne!(letter, '\u{2028}');
    }
}

#[derive(Debug)]
struct Bad(&'static str);

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Bad {}
