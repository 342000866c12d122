//! The lines of whole processes: on each adapter, many invocations at once, each line checked
//! against the published schema and against the invocation that wrote it.

mod support;

use faas_sdk_testkit::behaviour::http_call;
use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use support::{Process, example};
use tokio::process::Command;

/// How many invocations are under way at once.
const TOGETHER: usize = 64;

fn narrate() -> Command {
    let mut command = example("narrate");
    command.env("NARRATE_TOGETHER", TOGETHER.to_string());
    command
}

/// Whether the invocation of this number is to fail: every eighth one.
fn fails(number: usize) -> bool {
    number.is_multiple_of(8)
}

/// What the invocation of this number is asked.
fn tale(number: usize) -> Value {
    let ends = if fails(number) { "badly" } else { "well" };
    json!({"ends": ends, "password": "hunter2"})
}

/// Checks every line of a process that was asked all tales.
fn check(out: &str, platform: &str, longest: usize, rounds: usize) {
    let schema = serde_json::from_str(faas_sdk_log::SCHEMA).expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a valid schema");
    let mut numbers = BTreeSet::new();
    let mut invocations: BTreeMap<String, Invocation> = BTreeMap::new();
    for line in out.lines() {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if let Err(error) = schema.validate(&value) {
            panic!("{error} at {}: {line}", error.instance_path());
        }
        assert!(line.len() < longest && !line.contains("hunter2"), "{line}");
        if let Some(seq) = value["seq"].as_u64() {
            assert!(numbers.insert(seq), "{seq} twice");
        }
        let Some(id) = value["request_id"].as_str() else {
            assert!(value["fields"]["own"].is_null(), "whose is {line}");
            continue;
        };
        assert_eq!(value["platform"], platform, "{line}");
        invocations
            .entry(id.to_owned())
            .or_default()
            .take(id, &value, line);
    }
    let last = numbers.last().copied().unwrap_or_default();
    assert_eq!(numbers.len() as u64, last + 1, "lines are missing");
    assert_eq!(invocations.len(), TOGETHER * rounds);
    let failed = invocations.values().filter(|invocation| invocation.failed);
    assert_eq!(failed.count(), TOGETHER * rounds / 8);
    for (id, invocation) in &invocations {
        assert_eq!(invocation.ended, 1, "{id}");
        assert_eq!(invocation.debug, usize::from(invocation.failed), "{id}");
        assert_eq!(invocation.errors, invocation.debug, "{id}");
        let ours = if invocation.failed { 8 } else { 7 };
        assert_eq!(invocation.own, ours, "{id}");
    }
}

/// What the lines of one invocation said.
#[derive(Default)]
struct Invocation {
    trace: Option<Value>,
    own: usize,
    debug: usize,
    errors: usize,
    ended: usize,
    failed: bool,
}

impl Invocation {
    fn take(&mut self, id: &str, value: &Value, line: &str) {
        let trace = self.trace.get_or_insert_with(|| value["trace_id"].clone());
        assert_eq!(*trace, value["trace_id"], "{line}");
        if let Some(own) = value["fields"]["own"].as_str() {
            assert_eq!(own, id, "{line}");
            self.own += 1;
        }
        if value["message"] == "the narrator is gone" {
            let error = &value["error"];
            assert_eq!(error["kind"], "Unavailable", "{line}");
            assert_eq!(error["code"], "unavailable", "{line}");
            assert_eq!(error["retryable"], true, "{line}");
            assert_eq!(
                error["causes"][0], "invalid digit found in string",
                "{line}"
            );
            self.errors += 1;
        }
        if value["level"] == "DEBUG" {
            assert!(value["seq"].is_null() && self.ended == 0, "{line}");
            self.debug += 1;
        }
        if value["event"] == "invoke.end" {
            self.ended += 1;
            self.failed = value["fields"]["outcome"] != "ok";
            assert_eq!(value["fields"]["chapters"], 2, "{line}");
            assert!(value["duration_ms"].is_number(), "{line}");
        }
    }
}

#[tokio::test]
async fn each_line_of_the_local_server_is_of_its_own_invocation() {
    on_local(3).await;
}

#[tokio::test]
async fn each_line_on_lambda_is_of_its_own_invocation() {
    on_lambda(3).await;
}

#[tokio::test]
#[ignore = "long"]
async fn soak_each_line_is_of_its_own_invocation() {
    on_local(200).await;
    on_lambda(200).await;
}

async fn on_local(rounds: usize) {
    let (mut process, address) = Process::start_local(&mut narrate()).await;
    let out = process.read();
    for _ in 0..rounds {
        let calls = (0..TOGETHER).map(|number| tokio::spawn(call(address, number)));
        for call in calls.collect::<Vec<_>>() {
            call.await.expect("a call");
        }
    }
    process.signal("TERM");
    let (status, ..) = process.ends().await;
    let out = out.await.expect("the output");
    assert!(status.success(), "{status}: {out}");
    check(&out, "local", 15 << 10, rounds);
}

async fn call(address: SocketAddr, number: usize) {
    let tale = tale(number).to_string();
    let reply = http_call(address, "POST", "/narrate", &[], tale.as_bytes()).await;
    let expected = if fails(number) { 503 } else { 200 };
    assert_eq!(reply.expect("an answer").status, expected);
}

async fn on_lambda(rounds: usize) {
    let api = FakeRuntimeApi::builder()
        .slots(TOGETHER)
        .start()
        .await
        .expect("the fake");
    let mut process = Process::start(
        narrate()
            .envs(api.env())
            .env("AWS_LAMBDA_MAX_CONCURRENCY", TOGETHER.to_string()),
    );
    let out = process.read();
    for _ in 0..rounds {
        let calls: Vec<_> = (0..TOGETHER)
            .map(|number| api.invoke(Event::json(tale(number))))
            .collect();
        for (number, call) in calls.into_iter().enumerate() {
            let outcome = call.await;
            assert_eq!(outcome.error().is_some(), fails(number), "{outcome:?}");
        }
    }
    process.signal("TERM");
    let (status, ..) = process.ends().await;
    let out = out.await.expect("the output");
    assert!(status.success(), "{status}: {out}");
    check(&out, "aws-lambda", 200 << 10, rounds);
    assert!(
        out.contains("\"_aws\":{") && out.contains("\"chapters\":2"),
        "the end lines carry metrics"
    );
}

/// One invocation at a time, with so little patience for a full output that the test need not wait.
fn impatient() -> Command {
    let mut command = example("narrate");
    command.env("FAAS_LOG__WRITE_TIMEOUT_MS", "20");
    command
}

#[tokio::test]
async fn an_output_that_nobody_reads_holds_up_nothing_and_its_losses_are_told() {
    let (mut process, address) = Process::start_local(&mut impatient()).await;
    // Each of them writes more than a page, and a pipe holds sixteen.
    for _ in 0..40 {
        call(address, 1).await;
    }
    // The first line that finds room tells of those that found none.
    let mut lost = 0;
    while lost == 0 {
        let reading = process.says("\"lost\":");
        let (line, ()) = tokio::join!(reading, call(address, 1));
        let line: Value = serde_json::from_str(&line).expect("a whole line");
        lost = line["lost"].as_u64().expect("a number");
    }
    process.signal("TERM");
    let (status, out, _) = process.ends().await;
    assert!(status.success(), "{status}");
    for line in out.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[tokio::test]
async fn a_closed_output_is_no_failure_of_the_function() {
    let (mut process, address) = Process::start_local(&mut impatient()).await;
    call(address, 1).await;
    process.stop_reading();
    for number in 0..16 {
        call(address, number).await;
    }
    process.signal("TERM");
    let (status, _, errors) = process.ends().await;
    assert!(
        status.success() && !errors.contains("panic"),
        "{status}: {errors}"
    );
}

#[tokio::test]
async fn the_filter_is_faas_log_then_the_platforms_level_then_rust_log() {
    const JSON: (&str, &str) = ("AWS_LAMBDA_LOG_FORMAT", "JSON");
    const TEXT: (&str, &str) = ("AWS_LAMBDA_LOG_FORMAT", "Text");
    const LOUD: (&str, &str) = ("AWS_LAMBDA_LOG_LEVEL", "INFO");
    const QUIET: (&str, &str) = ("AWS_LAMBDA_LOG_LEVEL", "ERROR");
    for (variables, ends) in [
        (&[][..], 1),
        (&[JSON, QUIET], 0),
        (&[TEXT, QUIET], 1),
        (&[JSON, QUIET, ("FAAS_LOG", "info")], 1),
        (&[("RUST_LOG", "error")], 0),
        (&[JSON, LOUD, ("RUST_LOG", "error")], 1),
        (&[("FAAS_LOG", "error"), ("RUST_LOG", "info")], 0),
    ] {
        let api = FakeRuntimeApi::builder().start().await.expect("the fake");
        let mut process = Process::start(
            example("misbehave")
                .envs(api.env())
                .envs(variables.iter().copied()),
        );
        let out = process.read();
        let outcome = api.invoke(Event::json(json!("panic"))).await;
        assert!(outcome.error().is_some(), "{outcome:?}");
        process.signal("TERM");
        let (status, ..) = process.ends().await;
        assert!(status.success(), "{status}");
        let out = out.await.expect("the output");
        let lines = out.lines().map(|line| {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        });
        let lines: Vec<_> = lines.collect();
        let ended = lines.iter().filter(|line| line["event"] == "invoke.end");
        assert_eq!(ended.count(), ends, "{variables:?}: {out}");
        // The span of the invocation is there also where only errors are wanted.
        let errors: Vec<_> = lines
            .iter()
            .filter(|line| line["level"] == "ERROR")
            .collect();
        assert_eq!(errors.len(), 1, "{out}");
        assert!(errors[0]["request_id"].is_string(), "{out}");
    }
}

#[tokio::test]
async fn a_filter_that_does_not_parse_is_told_of() {
    let api = FakeRuntimeApi::builder().start().await.expect("the fake");
    let mut process = Process::start(
        example("misbehave")
            .envs(api.env())
            .env("FAAS_LOG", "info,shop=loud"),
    );
    let line = process.says("WARN").await;
    assert!(line.contains("FAAS_LOG does not parse"), "{line}");
}
