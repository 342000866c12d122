//! Lines that do not fit.

use crate::support::json::Line;
use crate::support::{builder, invocation, line, lines};
use faas_sdk_log::{Description, Profile, err, json};
use std::error::Error;
use std::fmt;

fn truncated(line: &Line) -> u64 {
    line.get("truncated")
        .map_or(0, |bytes| bytes.as_u64().expect("a number"))
}

#[test]
fn what_is_left_out_of_one_text_is_counted_once() {
    let text = "x".repeat((8 << 10) + 5);
    let field = line(builder(Profile::AWS), || tracing::info!(text, "message"));
    assert_eq!(truncated(&field), 5);
    let message = line(builder(Profile::AWS), || tracing::info!("{text}"));
    assert_eq!(truncated(&message), 5);
    let span = line(builder(Profile::AWS), || {
        let _entered = tracing::info_span!("span", text).entered();
        tracing::info!("message");
    });
    assert_eq!(truncated(&span), 5);
}

#[derive(Debug)]
struct Long(usize);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&"e".repeat(self.0))
    }
}

impl Error for Long {}

#[test]
fn what_is_left_out_of_an_error_is_counted_once() {
    let error = Long((8 << 10) + 5);
    let own = line(builder(Profile::AWS), || {
        tracing::warn!(error = err(&error));
    });
    assert_eq!(truncated(&own), 5);
    let dynamic: &(dyn Error + 'static) = &error;
    let own = line(builder(Profile::AWS), || tracing::warn!(error = dynamic));
    assert_eq!(truncated(&own), 5);
    let other = line(builder(Profile::AWS), || {
        tracing::warn!(other = err(&error));
    });
    assert_eq!(truncated(&other), 5);
    let both = line(builder(Profile::AWS), || {
        tracing::warn!(error = err(&error), other = err(&error));
    });
    assert_eq!(truncated(&both), 10);
}

#[test]
fn a_value_that_another_one_replaced_does_not_count() {
    let text = "x".repeat(9 << 10);
    let over = lines(builder(Profile::AWS), || {
        let span = tracing::info_span!("span", text, other = text);
        let _entered = span.enter();
        tracing::info!(text = 1, other = 2, "replaced by the event");
        let inner = tracing::info_span!("span", text = 1, other = 2);
        inner.in_scope(|| tracing::info!("replaced by the inner span"));
        span.record("text", 1);
        span.record("other", 2);
        tracing::info!("replaced by a later record");
        tracing::info!("dup" = text, "dup" = 1, "replaced in the event");
    });
    for line in &over {
        assert_eq!(truncated(line), 0, "{}", line["message"]);
    }
}

#[test]
fn texts_go_before_structures_and_messages() {
    let text = "x".repeat(1000);
    let line = line(builder(Profile::V1).line_limit(4 << 10), || {
        tracing::info!(
            a = text,
            b = text,
            c = text,
            d = text,
            tree = json(&[text.as_str()]),
            "{}",
            text
        );
    });
    let fields = &line["fields"];
    for key in ["a", "b", "c", "d"] {
        assert_eq!(fields[key].as_str().map(str::len), Some(256));
    }
    assert_eq!(fields["tree"][0], text);
    assert_eq!(line["message"], text);
    assert_eq!(truncated(&line), 4 * (1000 - 256));
}

#[test]
fn fields_go_before_messages() {
    let text = "x".repeat(1500);
    let line = line(builder(Profile::V1).line_limit(4 << 10), || {
        tracing::info!(a = json(&[&text]), b = json(&[&text]), "{text}{text}");
    });
    assert!(line.get("fields").is_none());
    assert_eq!(line["message"], format!("{text}{text}"));
    let fields = format!("\"fields\":{{\"a\":[\"{text}\"],\"b\":[\"{text}\"]}}");
    assert_eq!(truncated(&line), fields.len() as u64);
}

/// An error whose parts are long each.
#[derive(Debug)]
struct Chain(Option<Box<Chain>>, usize);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&"\u{1}".repeat(self.1))
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_deref()?)
    }
}

#[test]
fn the_shortest_limit_holds_for_the_longest_of_everything() {
    // Each byte takes six when it is written.
    let text = "\u{1}".repeat(9 << 10);
    let name: &str = "n".repeat(300).leak();
    let cause = Chain(None, 9 << 10);
    let error = Chain(Some(Box::new(cause)), 9 << 10);
    for profile in [Profile::V1, Profile::AWS, Profile::GOOGLE, Profile::ALIBABA] {
        let lines = lines_of(profile, || {
            tracing::error!(
                event = text,
                duration_ms = 1,
                error = err(&error),
                text,
                "{text}"
            );
            tracing::info!(event = text, text, "{text}");
            tracing::warn!(other = err(&error), a = name, b = json(&text), "{text}");
        });
        for line in lines {
            assert!(line.length <= 2 << 10, "{} {}", line.length, line.value);
            assert!(truncated(&line) > 9 << 10);
        }
    }
}

/// Known by [`describe`], which has much to say.
#[derive(Debug)]
struct Known(Vec<(&'static str, String)>);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("known")
    }
}

impl Error for Known {}

fn describe<'a>(error: &'a (dyn Error + 'static)) -> Option<Description<'a>> {
    let Known(context) = error.downcast_ref()?;
    let long = "\u{1}".repeat(2000);
    let mut known = Description::default();
    known.kind = Some(long.clone().into());
    known.code = Some(long.clone().into());
    known.location = Some(format!("{long}:1").into());
    known.context = context;
    Some(known)
}

#[test]
fn the_shortest_limit_holds_for_all_that_is_known_of_an_error() {
    let error = Known(vec![
        ("a", "\u{1}".repeat(2000)),
        ("b", "\u{1}".repeat(2000)),
    ]);
    for profile in [Profile::V1, Profile::AWS, Profile::GOOGLE, Profile::ALIBABA] {
        for line in lines_of(profile, || tracing::error!(error = err(&error), "message")) {
            assert!(line.length <= 2 << 10, "{} {}", line.length, line.value);
            assert!(truncated(&line) > 4 << 10);
            assert!(
                line["error"]["kind"]
                    .as_str()
                    .is_some_and(|kind| !kind.is_empty())
            );
        }
    }
}

fn lines_of(profile: Profile, work: impl FnOnce()) -> Vec<Line> {
    let builder = builder(profile).line_limit(0).describe(describe);
    let raw = crate::support::raw(builder, || {
        invocation("8476a536-e9f4-11e8-9739-2dfe598c3fcd").in_scope(work);
    });
    let raw = raw.iter().filter(|line| line.starts_with('{'));
    raw.map(|line| crate::support::json::line(line)).collect()
}

#[test]
fn no_limit_is_below_2_kib() {
    let text = "x".repeat(1500);
    for limit in [0, 100, 2 << 10] {
        let line = line(builder(Profile::V1).line_limit(limit), || {
            tracing::info!(text);
        });
        assert_eq!(line["fields"]["text"], text);
        assert_eq!(truncated(&line), 0);
    }
}

#[test]
fn ids_are_not_cut_to_fit() {
    let id = "i".repeat(1000);
    let text = "x".repeat(9 << 10);
    let lines = lines(builder(Profile::V1).line_limit(2 << 10), || {
        let _entered = invocation(&id).entered();
        tracing::error!(error = err(&Long(3000)), text, "{text}");
    });
    assert_eq!(lines[0]["request_id"], id);
    assert!(truncated(&lines[0]) > 0);
}

#[test]
fn an_id_of_no_sane_length_is_cut_and_that_is_told() {
    let id = "i".repeat(5000);
    let lines = lines(builder(Profile::V1), || {
        tracing::info!(request_id = id, "outside");
        let _entered = invocation(&id).entered();
        tracing::info!("within");
        tracing::info!(request_id = id, "the same");
    });
    for line in lines {
        assert_eq!(line["request_id"], "i".repeat(1024));
        assert_eq!(truncated(&line), 5000 - 1024);
        assert!(line.get("fields").is_none());
    }
}

#[test]
fn buffers_do_not_leak_into_the_next_line() {
    let text = "x".repeat(9 << 10);
    let lines = lines(builder(Profile::V1).line_limit(2 << 10), || {
        tracing::error!(
            error = err(&Long(9000)),
            event = text,
            duration_ms = 5,
            a = text,
            "{text}"
        );
        tracing::error!("after");
    });
    let after = &lines[1];
    assert_eq!(after["message"], "after");
    for key in ["error", "event", "duration_ms", "fields", "truncated"] {
        assert!(after.get(key).is_none(), "{key}");
    }
}
