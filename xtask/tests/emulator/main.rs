//! The example `hello`, built for Lambda alone, under the emulator of `cargo-lambda`: a Runtime API
//! that nobody of this project wrote.
//!
//! `cargo xtask test` provides the emulator and the function; without them these tests fail.

#[path = "../../src/child.rs"]
mod child;
mod emulator;
mod function;

use emulator::{Answer, Emulator};
use function::Function;

const GOOD: &str = r#"{"name":"world"}"#;
const GREETING: &str = r#"{"message":"Hello, world!"}"#;

#[test]
fn invocations_are_answered_one_after_the_other() {
    let emulator = Emulator::start();
    let mut function = Function::start(&emulator, &[]);
    for name in ["world", "Zoë", "\\\"quoted\\\"", "", "\\u00e9\\n"] {
        let answer = emulator.invoke(&format!(r#"{{"name":"{name}"}}"#), &function);
        assert_eq!(answer.status, 200, "{name}: {answer:?}; {function}");
        assert_eq!(
            answer.json()["message"],
            format!("Hello, {}!", unescaped(name))
        );
    }
    assert!(function.is_running(), "{function}");
}

#[test]
fn a_large_event_is_answered_whole() {
    let emulator = Emulator::start();
    let function = Function::start(&emulator, &[]);
    let name = "x".repeat(1024 * 1024);
    let answer = emulator.invoke(&format!(r#"{{"name":"{name}"}}"#), &function);
    let said: String = answer.body.chars().take(500).collect();
    assert_eq!(answer.status, 200, "{said}; {function}");
    assert!(
        answer.json()["message"] == format!("Hello, {name}!"),
        "{said}"
    );
}

#[test]
fn input_that_does_not_decode_is_a_function_error_and_the_instance_lives_on() {
    let emulator = Emulator::start();
    let mut function = Function::start(&emulator, &[]);
    for (event, hint) in [
        ("{}", "name"),
        (r#"{"name":7}"#, "name"),
        (r#"{"name":"#, ""),
    ] {
        let answer = emulator.invoke(event, &function);
        assert_is_function_error(&answer, hint);
        let good = emulator.invoke(GOOD, &function);
        assert_eq!(
            (good.status, good.body.as_str()),
            (200, GREETING),
            "after {event}"
        );
    }
    assert!(function.is_running(), "{function}");
}

#[test]
fn the_emulators_own_client_gets_the_same_answers() {
    let emulator = Emulator::start();
    let function = Function::start(&emulator, &[]);
    let good = emulator.invoke_by_command(GOOD);
    assert!(good.status.success(), "{good:?}; {function}");
    let printed = String::from_utf8(good.stdout).expect("UTF-8");
    assert_eq!(printed.trim(), GREETING);
    let bad = emulator.invoke_by_command("{}");
    assert!(!bad.status.success(), "{bad:?}; {function}");
    assert!(
        String::from_utf8_lossy(&bad.stderr).contains("name"),
        "{bad:?}; {function}"
    );
}

#[test]
fn an_unknown_function_name_is_an_init_error_that_ends_the_process() {
    let emulator = Emulator::start();
    let mut function = Function::start(&emulator, &[("FAAS_FUNCTION", "helo")]);
    let status = function.wait();
    assert!(!status.success(), "{status}; {function}");
    let said = function.to_string();
    assert!(said.contains("helo") && said.contains("hello"), "{said}");
}

/// The emulator answers a function error with 500 and the function's own report.
#[track_caller]
fn assert_is_function_error(answer: &Answer, hint: &str) {
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(answer.body.contains(hint), "{answer:?}");
    let message = &answer.json()["errorMessage"];
    assert!(
        message.as_str().is_some_and(|message| !message.is_empty()),
        "{answer:?}"
    );
    let kind = error_type(answer);
    let name = kind
        .strip_prefix("Function.")
        .or_else(|| kind.strip_prefix("Runtime."));
    // The platform records a type of any other form as unknown.
    let kept = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.chars().all(|letter| letter.is_ascii_alphabetic())
    };
    assert!(name.is_some_and(kept), "{answer:?}");
}

fn error_type(answer: &Answer) -> String {
    answer.json()["errorType"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// What the JSON text means.
fn unescaped(text: &str) -> String {
    serde_json::from_str(&format!("\"{text}\"")).expect("a JSON text")
}
