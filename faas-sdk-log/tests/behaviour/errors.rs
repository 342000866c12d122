//! The error object.

use crate::support::{builder, line};
use faas_sdk_log::{Description, Profile, err};
use serde_json::json as value;
use std::error::Error;
use std::fmt;

/// An error with so many causes behind it.
#[derive(Debug)]
struct Layered(usize, Option<Box<Layered>>);

impl Layered {
    fn new(causes: usize) -> Self {
        let cause = causes.checked_sub(1).map(|rest| Box::new(Self::new(rest)));
        Self(causes, cause)
    }
}

impl fmt::Display for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer {}", self.0)
    }
}

impl Error for Layered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.1.as_deref()?)
    }
}

#[test]
fn eight_causes_are_told() {
    let eight = line(builder(Profile::V1), || {
        tracing::warn!(error = err(&Layered::new(8)));
    });
    assert_eq!(
        eight["error"]["causes"].as_array().expect("causes").len(),
        8
    );
    assert_eq!(eight["error"]["causes"][7], "layer 0");
    assert!(eight.get("truncated").is_none());
    let nine = line(builder(Profile::V1), || {
        tracing::warn!(error = err(&Layered::new(9)));
    });
    assert_eq!(nine["error"]["causes"].as_array().expect("causes").len(), 8);
    assert!(nine.get("truncated").is_some());
}

/// An error that is its own cause.
#[derive(Debug)]
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("again")
    }
}

impl Error for Endless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn an_endless_chain_ends() {
    let line = line(builder(Profile::V1), || {
        tracing::warn!(error = err(&Endless), text = %format!("{:?}", err(&Endless)));
    });
    assert_eq!(line["error"]["causes"], value!(vec!["again"; 8]));
    assert_eq!(
        line["fields"]["text"].as_str().map(str::len),
        Some("again: ".len() * 9 - 2)
    );
}

#[derive(Debug)]
enum Failing {
    Timeout { ms: u64 },
    Refused(u16),
    Gone,
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { ms } => write!(f, "deadline of {ms} ms exceeded"),
            Self::Refused(code) => write!(f, "refused with {code}"),
            Self::Gone => f.write_str("gone"),
        }
    }
}

impl Error for Failing {}

/// Prints its message for `Debug` too, as some do.
struct Plain(&'static str);

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Plain {}

fn kind(error: &(impl Error + 'static)) -> String {
    let line = line(builder(Profile::V1), || tracing::warn!(error = err(error)));
    line["error"]["kind"].as_str().expect("a kind").to_owned()
}

/// The kind of an error whose type is not known any more.
fn dynamic_kind(error: impl Error + Send + Sync + 'static) -> String {
    let boxed: Box<dyn Error + Send + Sync> = Box::new(error);
    let line = line(builder(Profile::V1), || {
        tracing::warn!(error = err(&*boxed));
    });
    line["error"]["kind"].as_str().expect("a kind").to_owned()
}

#[test]
fn the_kind_is_type_and_variant() {
    assert_eq!(
        kind(&Failing::Timeout { ms: 80 }),
        "behaviour::errors::Failing::Timeout"
    );
    assert_eq!(
        kind(&Failing::Refused(1)),
        "behaviour::errors::Failing::Refused"
    );
    assert_eq!(kind(&Failing::Gone), "behaviour::errors::Failing::Gone");
    assert_eq!(kind(&Endless), "behaviour::errors::Endless");
    assert_eq!(dynamic_kind(Failing::Gone), "Gone");
    assert_eq!(dynamic_kind(Failing::Refused(1)), "Refused");
    assert_eq!(dynamic_kind(Failing::Timeout { ms: 1 }), "Timeout");
}

#[test]
fn a_message_is_no_kind() {
    assert_eq!(
        kind(&Plain("Secret words of a message")),
        "behaviour::errors::Plain"
    );
    assert_eq!(kind(&Plain("Secret: words")), "behaviour::errors::Plain");
    assert_eq!(dynamic_kind(Plain("Secret words of a message")), "Error");
    assert_eq!(dynamic_kind(Plain("Connection-less")), "Error");
}

/// Known by [`describe`].
#[derive(Debug)]
struct Known(Vec<(&'static str, String)>, &'static str);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("known")
    }
}

impl Error for Known {}

fn describe<'a>(error: &'a (dyn Error + 'static)) -> Option<Description<'a>> {
    let Known(context, location) = error.downcast_ref()?;
    let mut known = Description::default();
    known.kind = Some("Known".into());
    known.code = Some("known".into());
    known.retryable = Some(true);
    known.context = context;
    known.location = Some((*location).into());
    Some(known)
}

#[test]
fn what_is_known_of_an_error_is_told() {
    let error = Known(
        vec![("item", "7".into()), ("token", "s3cret".into())],
        "src/a.rs:1:2",
    );
    let line = line(builder(Profile::V1).describe(describe), || {
        tracing::error!(error = err(&error));
    });
    assert_eq!(
        line["error"],
        value!({
            "kind": "Known", "message": "known", "code": "known", "retryable": true,
            "context": {"item": "7", "token": "[redacted]"}
        })
    );
    assert_eq!(line["code"], "src/a.rs:1:2");
}

#[test]
fn what_is_known_of_a_cause_counts_for_the_whole() {
    #[derive(Debug)]
    struct Outer(Known);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let line = line(builder(Profile::V1).describe(describe), || {
        tracing::warn!(error = err(&Outer(Known(Vec::new(), "somewhere"))));
    });
    assert_eq!(line["error"]["kind"], "Known");
    assert_eq!(line["error"]["message"], "outer");
    assert_eq!(line["error"]["causes"], value!(["known"]));
}

#[test]
fn context_has_no_key_twice_and_says_what_is_left_out() {
    let twice = vec![
        ("a b", "first".to_owned()),
        ("a_b", "second".to_owned()),
        ("a_b", "third".to_owned()),
    ];
    let twice = line(builder(Profile::V1).describe(describe), || {
        tracing::warn!(error = err(&Known(twice, "a:1")));
    });
    assert_eq!(twice["error"]["context"], value!({"a_b": "first"}));
    assert!(twice.get("truncated").is_some());
    let names = (0..70).map(|number| format!("key{number}").leak() as &'static str);
    let many = names.map(|name| (name, String::new())).collect();
    let many = line(builder(Profile::V1).describe(describe), || {
        tracing::warn!(error = err(&Known(many, "a:1")));
    });
    let context = many["error"]["context"].as_object().expect("context");
    assert_eq!(context.len(), 64);
    assert!(many.get("truncated").is_some());
}
