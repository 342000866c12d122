//! Whole processes: signals, exit codes, and handlers that can't be cancelled.

mod support;

use faas_sdk_testkit::behaviour::http_call;
use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi, Outcome};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use support::{PATIENCE, Process, example};
use tokio::process::Command;

/// The example `misbehave`, which cargo builds beside the tests.
fn misbehave() -> Command {
    example("misbehave")
}

fn on_lambda(api: &FakeRuntimeApi, variables: &[(&str, &str)]) -> Process {
    Process::start(misbehave().envs(api.env()).envs(variables.iter().copied()))
}

#[tokio::test]
async fn a_handler_that_never_yields_is_answered_and_ends_the_process() {
    let api = FakeRuntimeApi::builder().start().await.expect("the fake");
    // A reserve that is large enough for a machine that is busy with other tests.
    let process = on_lambda(&api, &[("FAAS_INVOKE__RESERVE_MS", "400")]);
    let event = Event::json(json!("spin")).deadline(Duration::from_secs(4));
    let outcome = api.invoke(event).await;
    let report = outcome.error().unwrap_or_else(|| panic!("{outcome:?}"));
    assert_eq!(report.platform_error_type(), "Runtime.Timeout");
    let (status, out, _) = process.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(out.contains("did not yield"), "{out}");
    // Its last line comes out before the process ends, with what was kept back for it.
    let last = out.lines().last().expect("lines");
    let last: serde_json::Value = serde_json::from_str(last).expect("a line");
    assert_eq!(last["event"], "invoke.end", "{out}");
    assert_eq!(last["fields"]["outcome"], "timeout", "{out}");
    assert!(last["request_id"].is_string(), "{out}");
    assert!(
        out.contains("\"level\":\"DEBUG\",\"message\":\"about to spin\""),
        "{out}"
    );
}

#[tokio::test]
async fn a_panic_is_logged_with_its_place_and_the_process_lives_on() {
    let api = FakeRuntimeApi::builder().start().await.expect("the fake");
    let mut process = on_lambda(&api, &[]);
    let outcome = api.invoke(Event::json(json!("panic"))).await;
    assert_eq!(
        outcome.error().expect("an error").platform_error_type(),
        "Runtime.Panic"
    );
    assert!(
        api.invoke(Event::json(json!("answer")))
            .await
            .response()
            .is_some()
    );
    let line = process.says("panicked").await;
    let line: serde_json::Value = serde_json::from_str(&line).expect("a line");
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["error"]["kind"], "Panic");
    assert_eq!(line["message"], "panicked: on purpose");
    let code = line["code"].as_str().expect("a place");
    assert!(code.contains("examples/misbehave.rs:"), "{code}");
    let end = process.says("\"level\"").await;
    let end: serde_json::Value = serde_json::from_str(&end).expect("a line");
    assert_eq!(end["event"], "invoke.end", "one line tells of the panic");
    assert_eq!(end["fields"]["outcome"], "panic");
    assert_eq!(end["errors"], 1, "a metric");
}

#[tokio::test]
async fn the_line_of_a_panic_comes_before_the_answer() {
    let api = FakeRuntimeApi::builder().start().await.expect("the fake");
    let process = on_lambda(&api, &[]);
    let outcome = api.invoke(Event::json(json!("panic"))).await;
    assert!(outcome.error().is_some());
    // Whatever was not written by now never is.
    process.signal("KILL");
    let (_, out, _) = process.ends().await;
    assert!(out.contains("panicked: on purpose"), "{out}");
    assert!(out.contains("\"event\":\"invoke.end\""), "{out}");
}

#[tokio::test]
async fn a_stop_signal_drains_and_runs_the_shutdown_hooks() {
    let api = FakeRuntimeApi::builder().start().await.expect("the fake");
    let mut process = on_lambda(&api, &[("MISBEHAVE_SHUTDOWN", "1")]);
    let running = api.invoke(Event::json(json!({"sleep": 300})));
    process.says("sleeping").await;
    process.signal("TERM");
    let outcome = running.await;
    assert_eq!(outcome.response().expect("a response").text(), "\"slept\"");
    let (status, out, _) = process.ends().await;
    assert!(status.success(), "{status}");
    assert!(out.contains("shutdown hook"), "{out}");
}

#[tokio::test]
async fn a_second_stop_signal_ends_at_once() {
    let api = FakeRuntimeApi::builder()
        .deadline(PATIENCE)
        .start()
        .await
        .expect("the fake");
    let mut process = on_lambda(&api, &[("MISBEHAVE_SHUTDOWN", "1")]);
    let running = api.invoke(Event::json(json!("wait")));
    process.says("waiting").await;
    process.signal("TERM");
    process.says("stop signal received").await;
    process.signal("TERM");
    let (_, out, _) = process.ends().await;
    assert!(!out.contains("shutdown hook"), "{out}");
    drop(api);
    assert!(matches!(running.await, Outcome::Lost(_)));
}

#[tokio::test]
async fn a_failed_init_and_a_wrong_setting_are_reported_and_end_the_process() {
    for (variables, error_type, word) in [
        (
            &[("MISBEHAVE_INIT", "1")][..],
            "Function.Unavailable",
            "no store",
        ),
        (
            &[("FAAS_FUNCTION", "nothing")],
            "Runtime.InvalidApp",
            "FAAS_FUNCTION",
        ),
        (
            &[("FAAS_INVOKE__RESERV_MS", "1")],
            "Runtime.InvalidConfig",
            "reserve_ms",
        ),
    ] {
        let api = FakeRuntimeApi::builder().start().await.expect("the fake");
        let process = on_lambda(&api, variables);
        let (status, _, errors) = process.ends().await;
        assert_eq!(status.code(), Some(1), "{word}");
        assert!(errors.contains(word), "{errors}");
        let report = api
            .observe()
            .init_error
            .unwrap_or_else(|| panic!("{word} was not reported"));
        assert_eq!(report.platform_error_type(), error_type);
        assert!(
            report
                .details
                .expect("details")
                .error_message
                .contains(word)
        );
    }
}

#[tokio::test]
async fn an_unknown_platform_is_refused_in_words() {
    let process = Process::start(misbehave().env("FAAS_PLATFORM", "moon"));
    let (status, _, errors) = process.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(
        errors.contains("FAAS_PLATFORM") && errors.contains("aws-lambda"),
        "{errors}"
    );
}

/// Serves on the local platform; gives the address it is served on.
async fn on_local(variables: &[(&str, &str)]) -> (Process, SocketAddr) {
    Process::start_local(misbehave().envs(variables.iter().copied())).await
}

#[tokio::test]
async fn the_local_server_drains_at_the_first_signal() {
    let (mut process, address) = on_local(&[("MISBEHAVE_SHUTDOWN", "1")]).await;
    let call = tokio::spawn(async move {
        let body = json!({"sleep": 300}).to_string();
        let reply = http_call(address, "POST", "/misbehave", &[], body.as_bytes()).await;
        reply.expect("an answer")
    });
    process.says("sleeping").await;
    process.signal("INT");
    let reply = call.await.expect("the call");
    assert_eq!((reply.status, &*reply.body), (200, &b"\"slept\""[..]));
    let (status, out, _) = process.ends().await;
    assert!(
        status.success() && out.contains("shutdown hook"),
        "{status}: {out}"
    );
}

#[tokio::test]
async fn a_handler_that_never_yields_is_answered_locally_too() {
    let (process, address) = on_local(&[("FAAS_LOCAL_TIMEOUT_MS", "500")]).await;
    let reply = http_call(address, "POST", "/misbehave", &[], b"\"spin\"").await;
    assert_eq!(reply.expect("an answer").status, 504);
    let (status, out, _) = process.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(out.contains("did not yield"), "{out}");
}

/// Without a deadline there is no watchdog, and nothing else notices it.
#[tokio::test]
async fn two_signals_end_a_handler_that_never_yields() {
    let (mut process, address) = on_local(&[("FAAS_INVOKE__DRAIN_MS", "100")]).await;
    let call =
        tokio::spawn(
            async move { http_call(address, "POST", "/misbehave", &[], b"\"spin\"").await },
        );
    process.says("spinning").await;
    process.signal("TERM");
    process.signal("TERM");
    let (status, _, _) = process.ends().await;
    assert!(status.code().is_some(), "{status}");
    drop(call);
}

#[tokio::test]
async fn an_init_hook_that_panics_is_reported() {
    let api = FakeRuntimeApi::builder().start().await.expect("the fake");
    let process = on_lambda(&api, &[("MISBEHAVE_INIT", "panic")]);
    let (status, _, errors) = process.ends().await;
    assert_eq!(status.code(), Some(1), "{errors}");
    let report = api.observe().init_error.expect("an init error");
    assert_eq!(report.platform_error_type(), "Runtime.Panic");
}

#[tokio::test]
async fn an_error_that_quotes_its_input_is_bounded() {
    let api = FakeRuntimeApi::builder().start().await.expect("the fake");
    let _process = on_lambda(&api, &[("FAAS_LOG", "off")]);
    let event = Event::json(json!({"sleep": "\u{200b}".repeat(900_000)}));
    let outcome = api.invoke(event).await;
    let report = outcome.error().unwrap_or_else(|| panic!("{outcome:?}"));
    assert_eq!(report.platform_error_type(), "Function.InvalidInput");
    assert!(report.body.len() < 4096, "{}", report.body.len());
}
