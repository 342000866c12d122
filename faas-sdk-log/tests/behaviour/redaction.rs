//! Secrets in every kind of field, in every profile.

use crate::support::child::{self, own_process};
use crate::support::{builder, end, init, invocation, raw};
use faas_sdk_log::{Builder, Description, Profile, bytes, err, json};
use faas_sdk_scope::Sensitive;
use serde::Serialize;
use std::error::Error;
use std::fmt;
use tracing::field::{Empty, debug};

/// No character of it is escaped anywhere, so that it would be found.
const SECRET: &str = "hunter2s3cret";
const URL: &str = "postgres://admin:hunter2s3cret@db.internal/shop";
const TOKEN_URL: &str = "https://hunter2s3cret@example.org/a";

const PROFILES: [Profile; 5] = [
    Profile::V1,
    Profile::AWS,
    Profile::GOOGLE,
    Profile::ALIBABA,
    Profile::PRETTY,
];

fn settings(profile: Profile) -> Builder {
    builder(profile)
        .redact("loyalty_number")
        .redact("owner")
        .redact_never("token_count")
        .describe(describe)
        .filter("trace")
}

/// What `work` writes in each profile, each time so many lines that say `[redacted]` instead of the
/// secret.
#[track_caller]
fn hidden(expected: usize, work: impl Fn()) {
    for profile in PROFILES {
        for limit in [None, Some(2 << 10)] {
            let mut settings = settings(profile);
            if let Some(limit) = limit {
                settings = settings.line_limit(limit);
            }
            let lines = raw(settings, &work);
            assert_eq!(lines.len(), expected, "{lines:?}");
            for line in &lines {
                assert!(!line.contains(SECRET), "{}: {line}", profile.name());
                assert!(line.contains("[redacted]"), "{}: {line}", profile.name());
            }
        }
    }
}

#[test]
fn sensitive_values_are_hidden_however_they_are_printed() {
    let secret = Sensitive::new(SECRET.to_owned());
    #[derive(Debug)]
    #[allow(dead_code, reason = "printed")]
    struct Login<'a> {
        user: &'a str,
        pin: Sensitive<u32>,
        word: &'a Sensitive<String>,
    }
    let login = Login {
        user: "u",
        pin: Sensitive::new(1234),
        word: &secret,
    };
    hidden(8, || {
        tracing::info!(%secret, "message");
        tracing::info!(?secret, "message");
        tracing::info!(?login, "message");
        tracing::info!(some = ?Some(&secret), "message");
        tracing::info!("message {secret}");
        tracing::info!("message {login:?}");
        tracing::info_span!("span", %secret).in_scope(|| tracing::info!("message"));
        tracing::info_span!("span", ?login).in_scope(|| tracing::info!("message"));
    });
}

#[derive(Debug)]
struct Refused(&'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Refused {}

/// Every kind of value under one key.
macro_rules! every_kind {
    ($key:literal) => {{
        tracing::info!($key = SECRET, "message");
        tracing::info!($key = SECRET.to_owned(), "message");
        tracing::info!($key = Some(SECRET), "message");
        tracing::info!($key = SECRET.as_bytes(), "message");
        tracing::info!($key = tracing::field::display(SECRET), "message");
        tracing::info!($key = tracing::field::debug(SECRET), "message");
        tracing::info!($key = format_args!("{SECRET}"), "message");
        tracing::info!($key = json(&[SECRET]), "message");
        tracing::info!($key = bytes(SECRET.as_bytes()), "message");
        tracing::info!($key = err(&Refused(SECRET)), "message");
        tracing::info!(
            $key = (&Refused(SECRET) as &(dyn Error + 'static)),
            "message"
        );
        tracing::info!($key = true, "message");
        tracing::info!($key = 1, "message");
        tracing::info!($key = 1_u64, "message");
        tracing::info!($key = 1.5, "message");
        tracing::info!($key = 1_i128, "message");
        tracing::info!($key = 1_u128, "message");
    }};
}

const KINDS: usize = 17;

#[test]
fn listed_keys_are_hidden_in_events() {
    hidden(KINDS, || every_kind!("password"));
    hidden(KINDS, || every_kind!("X-Api-Key"));
    hidden(KINDS, || every_kind!("loyaltyNumber"));
    hidden(KINDS, || every_kind!("owner"));
    hidden(KINDS, || every_kind!("user[password]"));
    // Base64 is not how it would be found.
    for line in raw(settings(Profile::V1), || every_kind!("password")) {
        assert!(!line.contains("aHVudGVyMnMzY3JldA"), "{line}");
    }
}

#[test]
fn keys_of_our_own_can_be_listed_too() {
    let settings = || builder(Profile::V1).redact("error").redact("event");
    let lines = raw(settings(), || {
        tracing::info!(error = err(&Refused(SECRET)), "message");
        tracing::info!(error = %Refused(SECRET), "message");
        tracing::info!(event = SECRET, "message");
    });
    for line in lines {
        assert!(
            line.contains("[redacted]") && !line.contains(SECRET),
            "{line}"
        );
    }
}

#[test]
fn listed_keys_are_hidden_in_spans() {
    hidden(6, || {
        let outer = tracing::info_span!("outer", password = SECRET);
        let _outer = outer.enter();
        tracing::info!("message");
        let inner = tracing::info_span!("inner", token = json(&[SECRET]), phone = 1);
        let _inner = inner.enter();
        tracing::info!("message");
        let later = tracing::info_span!("later", pin = Empty, secret = Empty, owner = Empty);
        let _later = later.enter();
        later.record("pin", SECRET);
        tracing::info!("message");
        later.record("secret", debug(SECRET));
        tracing::info!("message");
        later.record("owner", err(&Refused(SECRET)));
        tracing::info!("message");
        outer.record("password", json(&SECRET));
        tracing::info!("message");
    });
}

#[derive(Serialize)]
struct Login {
    user: &'static str,
    password: &'static str,
    inner: Inner,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inner {
    api_key: [&'static str; 2],
    loyalty_number: Option<&'static str>,
    list: Vec<Deep>,
}

#[derive(Serialize)]
enum Deep {
    Token(&'static str),
    Card { number: &'static str },
}

fn login() -> Login {
    Login {
        user: "u",
        password: SECRET,
        inner: Inner {
            api_key: [SECRET; 2],
            loyalty_number: Some(SECRET),
            list: vec![Deep::Token(SECRET), Deep::Card { number: SECRET }],
        },
    }
}

#[test]
fn listed_keys_are_hidden_within_structures() {
    hidden(3, || {
        tracing::info!(login = json(&login()), "message");
        tracing::info!(logins = json(&[Some(login())]), "message");
        tracing::info_span!("span", login = json(&login())).in_scope(|| tracing::info!("message"));
    });
    let list = serde_json::json!({"owner": SECRET, "a": [{"owner": [SECRET]}]});
    hidden(3, || {
        tracing::info!(list = json(&list), "message");
        tracing::info!(list = json(&login().inner.list), "message");
        // As text, within other text.
        tracing::info!(list = ?Some(json(&list)), "message");
    });
}

#[test]
fn exceptions_are_shown() {
    let lines = raw(settings(Profile::V1), || {
        tracing::info!(
            token_count = 5,
            tree = json(&serde_json::json!({"tokenCount": 6})),
            "message"
        );
    });
    assert!(lines[0].contains("\"token_count\":5"), "{lines:?}");
    assert!(lines[0].contains("\"tokenCount\":6"), "{lines:?}");
}

/// An error with context.
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
    let mut known = Description::default();
    known.context = context;
    known.code = Some(URL.into());
    Some(known)
}

#[test]
fn listed_keys_are_hidden_in_the_context_of_errors() {
    let known = Known(vec![
        ("password", SECRET.to_owned()),
        ("owner", SECRET.to_owned()),
        ("address", URL.to_owned()),
        ("item", "7".to_owned()),
    ]);
    hidden(3, || {
        tracing::warn!(error = err(&known), password = 1, "message");
        tracing::warn!(cause = err(&known), password = 1, "message");
        tracing::error!(
            error = &known as &(dyn Error + 'static),
            password = 1,
            "message"
        );
    });
}

/// Fails because of another error.
#[derive(Debug)]
struct Outer(Refused);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer of {URL}")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn credentials_in_urls_are_hidden_everywhere() {
    for url in [URL, TOKEN_URL] {
        hidden(13, || {
            tracing::info!(url, "message");
            tracing::info!(url = Some(url), "message");
            tracing::info!(url = url.as_bytes(), "message");
            tracing::info!(url = %url, "message");
            tracing::info!(url = ?url, "message");
            tracing::info!(url = ?Some(("to", url)), "message");
            tracing::info!(event = url, "message");
            tracing::info!(request_id = url, "message");
            tracing::info!("to {url}");
            tracing::info!(tree = json(&serde_json::json!({"a": [url]})), "message");
            tracing::info!(tree = ?Some(json(&serde_json::json!({"a": [url]}))), "message");
            tracing::info!(text = %serde_json::json!({"a": [url]}), "message");
            let span = tracing::info_span!("span", url, later = Empty);
            let _span = span.enter();
            span.record("later", url);
            tracing::info!("message");
        });
    }
    hidden(6, || {
        tracing::warn!(error = err(&Outer(Refused(URL))), "message");
        tracing::warn!(cause = err(&Outer(Refused(URL))), "message");
        tracing::warn!(
            error = &Outer(Refused(URL)) as &(dyn Error + 'static),
            "message"
        );
        tracing::warn!(error = %Outer(Refused(URL)), "message");
        tracing::warn!(error = ?Some(err(&Outer(Refused(URL)))), "message");
        tracing::warn!("message: {}", Outer(Refused(URL)));
    });
}

/// A cut in the middle of them does not show their first half.
#[test]
fn credentials_are_hidden_where_a_text_is_cut() {
    for before in (8 << 10) - 40..(8 << 10) + 2 {
        let text = format!("{} {URL}", "x".repeat(before));
        let lines = raw(builder(Profile::AWS), || {
            tracing::info!(text, bytes = text.as_bytes(), display = %text, "{text}");
        });
        assert!(!lines.concat().contains("hunter"), "{before}");
    }
    for before in 200..260 {
        let text = format!("{} {URL}", "x".repeat(before));
        let lines = raw(builder(Profile::V1).line_limit(2 << 10), || {
            tracing::info!(
                a = text,
                b = text,
                c = text,
                d = text,
                e = text,
                f = text,
                g = text
            );
        });
        assert!(!lines.concat().contains("hunter"), "{before}");
    }
}

#[test]
fn kept_lines_are_redacted_as_well() {
    let lines = raw(settings(Profile::V1).filter("info"), || {
        let _entered = invocation("id").entered();
        tracing::debug!(
            password = SECRET,
            url = URL,
            tree = json(&login()),
            "message"
        );
        end!("error");
    });
    assert!(!lines.concat().contains(SECRET), "{lines:?}");
    assert!(lines[0].contains("[redacted]"));
}

own_process! {
    fn a_line_within_a_line_is_redacted() {
        struct Chatty;
        impl fmt::Debug for Chatty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                tracing::info!(owner = SECRET, tree = json(&login()), text = ?Some(json(&login())));
                json(&login()).fmt(f)?;
                tracing::info!(owner = SECRET, text = ?Some(json(&login())));
                Ok(())
            }
        }
        let kept = init(settings(Profile::V1));
        tracing::info!(a = ?Chatty, b = ?Some(Chatty), "message");
        let lines = kept.take().concat();
        assert!(!lines.contains(SECRET), "{lines}");
        assert!(lines.contains("[redacted]"));
    }
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn a_panic_with_a_url() {
    settings(Profile::V1)
        .stderr()
        .init()
        .expect("no subscriber");
    std::panic::catch_unwind(|| panic!("to {URL}")).expect_err("a panic");
}

#[test]
fn credentials_in_the_message_of_a_panic_are_hidden() {
    let ended = child::run("redaction::a_panic_with_a_url", &[("RUST_BACKTRACE", "0")]);
    assert!(!ended.errors.contains(SECRET), "{ended:?}");
    assert!(ended.errors.contains("[redacted]@db.internal"), "{ended:?}");
}

/// What the documentation says is not covered.
#[test]
fn texts_that_the_author_made_are_not_searched() {
    let lines = raw(settings(Profile::V1), || {
        tracing::info!("the password is {SECRET}");
        tracing::info!(login = ?("password", SECRET), "message");
    });
    assert!(lines.iter().all(|line| line.contains(SECRET)), "{lines:?}");
}
