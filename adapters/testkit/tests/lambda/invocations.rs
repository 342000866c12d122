//! Events, answers and their limits.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi, Lost, Outcome, Route};
use serde_json::json;

use crate::client::{BASE, Client, start};

#[tokio::test]
async fn an_event_carries_everything_and_its_response_comes_back() {
    let api = start(FakeRuntimeApi::builder().function("shop")).await;
    let event = Event::json(json!({"a": 1}))
        .request_id("r-1")
        .deadline(Duration::from_secs(60))
        .tenant("tenant")
        .trace("Root=1-2-3;Parent=4;Sampled=1")
        .client_context(json!({"custom": {}}))
        .identity("id", "pool")
        .header("X-Other", "o");
    let invocation = api.invoke(event);
    assert_eq!(invocation.request_id(), "r-1");
    let mut runtime = Client::new(&api).await;
    let next = runtime.next().await;
    assert_eq!(next.text(), r#"{"a":1}"#);
    for (name, value) in [
        ("Content-Type", "application/json"),
        ("Lambda-Runtime-Aws-Request-Id", "r-1"),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:us-east-1:123456789012:function:shop",
        ),
        ("Lambda-Runtime-Trace-Id", "Root=1-2-3;Parent=4;Sampled=1"),
        ("Lambda-Runtime-Client-Context", r#"{"custom":{}}"#),
        (
            "Lambda-Runtime-Cognito-Identity",
            r#"{"cognitoIdentityId":"id","cognitoIdentityPoolId":"pool"}"#,
        ),
        ("Lambda-Runtime-Aws-Tenant-Id", "tenant"),
        ("X-Other", "o"),
    ] {
        assert_eq!(next.header(name), Some(value), "{name}");
    }
    let deadline: u128 = next
        .header("Lambda-Runtime-Deadline-Ms")
        .and_then(|value| value.parse().ok())
        .expect("deadline");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_millis();
    assert!(deadline > now && deadline <= now + 60_000);

    let echo = format!(
        "Lambda-Runtime-Invocation-Id: {}\r\nContent-Type: text/plain\r\n",
        next.invocation_id()
    );
    let path = format!("{BASE}/invocation/r-1/response");
    runtime.post(&path, &echo, "done").await.is_accepted();
    let outcome = invocation.await;
    let response = outcome.response().expect("a response");
    assert_eq!(&response.body[..], b"done");
    assert_eq!(response.content_type.as_deref(), Some("text/plain"));
    assert_eq!(
        response.invocation_id.as_deref(),
        Some(next.invocation_id())
    );
    assert_eq!(response.header("host"), Some("api"));
    assert!(!response.streaming && response.chunks.is_empty() && response.trailers.is_empty());

    let requests = api.requests();
    let routes: Vec<_> = requests
        .iter()
        .map(|request| (request.route(), request.status()))
        .collect();
    assert_eq!(
        routes,
        [
            (Some(Route::Next), Some(200)),
            (Some(Route::Response), Some(202))
        ]
    );
    assert_eq!(requests[1].request_id(), Some("r-1"));
    assert_eq!(requests[1].header("content-type"), Some("text/plain"));
    assert_eq!((requests[1].number(), requests[1].connection()), (1, 0));
    assert_eq!(api.connections(), 1);
}

#[tokio::test]
async fn optional_headers_are_absent_or_empty_as_asked() {
    let plain = start(FakeRuntimeApi::builder().invocation_id(false)).await;
    let empty = start(FakeRuntimeApi::builder().empty_headers(true)).await;
    let _ = (
        plain.invoke(Event::bytes("")),
        empty.invoke(Event::bytes("")),
    );
    let plain = Client::new(&plain).await.next().await;
    assert_eq!(plain.header("Lambda-Runtime-Invocation-Id"), None);
    assert_eq!(plain.header("Lambda-Runtime-Aws-Tenant-Id"), None);
    let empty = Client::new(&empty).await.next().await;
    assert_eq!(empty.header("Lambda-Runtime-Aws-Tenant-Id"), Some(""));
    assert_eq!(empty.header("Lambda-Runtime-Client-Context"), Some(""));
}

#[tokio::test]
async fn an_error_is_recorded_with_its_type_details_and_cause() {
    let api = start(FakeRuntimeApi::builder()).await;
    let invocation = api.invoke(Event::bytes("{}"));
    let mut runtime = Client::new(&api).await;
    let id = runtime.next().await.request_id().to_owned();
    let headers = "Lambda-Runtime-Function-Error-Type: Function.NotFound\r\n\
                   Lambda-Runtime-Function-XRay-Error-Cause: {\"paths\":[]}\r\n\
                   Content-Type: application/vnd.aws.lambda.error+json\r\n";
    let body = r#"{"errorMessage":"no item","errorType":"NotFound","stackTrace":["a","b"]}"#;
    let path = format!("{BASE}/invocation/{id}/error");
    runtime.post(&path, headers, body).await.is_accepted();
    let outcome = invocation.await;
    let report = outcome.error().expect("an error");
    assert_eq!(report.error_type.as_deref(), Some("Function.NotFound"));
    assert_eq!(report.platform_error_type(), "Function.NotFound");
    assert_eq!(report.xray_cause.as_deref(), Some(r#"{"paths":[]}"#));
    let details = report.details.as_ref().expect("error JSON");
    assert_eq!(details.error_message, "no item");
    assert_eq!(details.stack_trace, ["a", "b"]);
}

#[tokio::test]
async fn unknown_and_second_answers_are_refused() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut runtime = Client::new(&api).await;
    let invalid = (400, "InvalidRequestID", "Invalid request ID");
    let refused = runtime.respond("nobody", "{}").await;
    refused.is_error(invalid.0, invalid.1, invalid.2);
    let invocation = api.invoke(Event::bytes("{}"));
    let id = runtime.next().await.request_id().to_owned();
    runtime.respond(&id, "1").await.is_accepted();
    let refused = runtime.respond(&id, "2").await;
    refused.is_error(invalid.0, invalid.1, invalid.2);
    let refused = runtime
        .post(&format!("{BASE}/invocation/{id}/error"), "", "{}")
        .await;
    refused.is_error(invalid.0, invalid.1, invalid.2);
    assert_eq!(invocation.await.response().expect("the first").text(), "1");
    assert_eq!(api.connections(), 1, "refusals keep the connection");
}

#[tokio::test]
async fn a_wrong_mode_ends_the_invocation() {
    let api = start(FakeRuntimeApi::builder()).await;
    let invocation = api.invoke(Event::bytes("{}"));
    let mut runtime = Client::new(&api).await;
    let id = runtime.next().await.request_id().to_owned();
    let path = format!("{BASE}/invocation/{id}/response");
    let refused = runtime
        .post(
            &path,
            "Lambda-Runtime-Function-Response-Mode: fast\r\n",
            "body",
        )
        .await;
    refused.is_error(
        400,
        "InvalidFunctionResponseMode",
        "Invalid function response mode",
    );
    let Outcome::Lost(lost) = invocation.await else {
        panic!("must be lost");
    };
    assert_eq!(lost, Lost::InvalidMode("fast".to_owned()));
    assert_eq!(
        lost.platform_error_type(),
        Some("Runtime.InvalidResponseModeHeader")
    );
    let _ = api.invoke(Event::bytes("{}"));
    runtime.next().await;
}

#[tokio::test]
async fn the_default_limit_is_six_mebibytes_and_a_hundred_bytes() {
    const LIMIT: usize = 6 * 1024 * 1024 + 100;
    let api = start(FakeRuntimeApi::builder()).await;
    let mut runtime = Client::new(&api).await;
    for (length, fits) in [(LIMIT, true), (LIMIT + 1, false)] {
        let invocation = api.invoke(Event::bytes("{}"));
        let id = runtime.next().await.request_id().to_owned();
        let answer = runtime.respond(&id, &"x".repeat(length)).await;
        match invocation.await {
            Outcome::Response(response) if fits => {
                answer.is_accepted();
                assert_eq!(response.body.len(), length);
            }
            Outcome::Lost(lost) if !fits => {
                assert_eq!(lost, Lost::TooLarge { limit: LIMIT });
                assert_eq!(
                    lost.platform_error_type(),
                    Some("Function.ResponseSizeTooLarge")
                );
                let message = "Exceeded maximum allowed payload size (6291556 bytes).";
                answer.is_error(413, "RequestEntityTooLarge", message);
            }
            other => panic!("{length} bytes: {other:?}"),
        }
    }
    assert_eq!(
        api.connections(),
        1,
        "an oversize answer keeps the connection"
    );
}

#[tokio::test]
async fn an_oversize_error_report_may_be_sent_again() {
    let api = start(FakeRuntimeApi::builder().response_limit(100)).await;
    let invocation = api.invoke(Event::bytes("{}"));
    let mut runtime = Client::new(&api).await;
    let path = format!(
        "{BASE}/invocation/{}/error",
        runtime.next().await.request_id()
    );
    let refused = runtime.post(&path, "", "x".repeat(101)).await;
    let message = "Exceeded maximum allowed payload size (100 bytes).";
    refused.is_error(413, "RequestEntityTooLarge", message);
    runtime.post(&path, "", "{}").await.is_accepted();
    assert_eq!(&invocation.await.error().expect("an error").body[..], b"{}");
}

#[tokio::test]
async fn late_and_stale_answers_are_gone() {
    let api = start(FakeRuntimeApi::builder()).await;
    let first = api.invoke(Event::bytes("1").request_id("r").deadline(Duration::ZERO));
    let mut runtime = Client::new(&api).await;
    let old = runtime.next().await.invocation_id().to_owned();
    assert!(matches!(first.await, Outcome::TimedOut));
    let refused = runtime.respond("r", "late").await;
    refused.is_error(410, "InvokeTimeout", "Invoke timeout");

    let second = api.invoke(Event::bytes("2").request_id("r"));
    let new = runtime.next().await.invocation_id().to_owned();
    assert_ne!(old, new);
    let path = format!("{BASE}/invocation/r/response");
    let echo = |id: &str| format!("Lambda-Runtime-Invocation-Id: {id}\r\n");
    for call in ["response", "error"] {
        let path = format!("{BASE}/invocation/r/{call}");
        let stale = runtime.post(&path, &echo(&old), "stale").await;
        stale.is_error(410, "InvokeTimeout", "Invoke timeout");
    }
    runtime
        .post(&path, &echo(&new), "fresh")
        .await
        .is_accepted();
    assert_eq!(second.await.response().expect("a response").text(), "fresh");
    let seen = api.observe();
    assert_eq!((seen.answered, seen.timed_out), (1, 1));
}

#[tokio::test]
async fn deadlines_can_be_left_unenforced() {
    let api = start(FakeRuntimeApi::builder().enforce_deadline(false)).await;
    let invocation = api.invoke(Event::bytes("1").deadline(Duration::ZERO));
    let mut runtime = Client::new(&api).await;
    let id = runtime.next().await.request_id().to_owned();
    runtime.respond(&id, "late").await.is_accepted();
    assert!(invocation.await.response().is_some());
}

#[tokio::test]
async fn an_answer_under_way_at_the_deadline_is_gone() {
    let api = start(FakeRuntimeApi::builder()).await;
    let invocation = api.invoke(
        Event::bytes("1")
            .request_id("r")
            .deadline(Duration::from_millis(50)),
    );
    let mut runtime = Client::new(&api).await;
    runtime.next().await;
    let head = format!(
        "POST {BASE}/invocation/r/response HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1"
    );
    runtime.send(head).await;
    assert!(matches!(invocation.await, Outcome::TimedOut));
    runtime.send("2").await;
    runtime
        .answer()
        .await
        .is_error(410, "InvokeTimeout", "Invoke timeout");
}

#[tokio::test]
async fn an_event_nobody_takes_ends_within_the_patience() {
    let builder = FakeRuntimeApi::builder();
    let api = start(
        builder
            .patience(Duration::from_millis(20))
            .deadline(Duration::ZERO),
    )
    .await;
    let Outcome::Lost(Lost::Unanswered(state)) = api.invoke(Event::bytes("")).await else {
        panic!("must be unanswered");
    };
    assert!(state.contains("1 queued"), "{state}");
    let error = api.wait_idle_next(1).await.expect_err("nobody calls next");
    assert!(error.to_string().contains("0 parked next"), "{error}");
}

#[tokio::test]
async fn stopping_ends_open_invocations_and_connections() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut runtime = Client::new(&api).await;
    let held = api.invoke(Event::bytes(""));
    runtime.next().await;
    let queued = api.invoke(Event::bytes(""));
    drop(api);
    for invocation in [held, queued] {
        assert!(matches!(invocation.await, Outcome::Lost(Lost::Stopped)));
    }
    assert!(runtime.rest().await.is_empty());
}

#[tokio::test]
async fn slots_hand_out_that_many_events_at_once() {
    let api = start(FakeRuntimeApi::builder().slots(3)).await;
    let mut runtimes = Vec::new();
    for _ in 0..4 {
        let mut runtime = Client::new(&api).await;
        runtime.ask_next().await;
        runtimes.push(runtime);
    }
    api.wait_idle_next(4).await.expect("parked");
    let invocations: Vec<_> = (0..4).map(|n| api.invoke(Event::json(json!(n)))).collect();
    let held = api
        .wait_for(|state| state.in_flight.len() == 3)
        .await
        .expect("three");
    assert_eq!((held.queued, held.parked_next), (1, 1));

    let mut tasks = tokio::task::JoinSet::new();
    for mut runtime in runtimes {
        tasks.spawn(async move {
            let next = runtime.answer().await;
            let body = next.text().to_owned();
            runtime
                .respond(next.request_id(), &body)
                .await
                .is_accepted();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("answers");
    }
    for (n, invocation) in invocations.into_iter().enumerate() {
        let outcome = invocation.await;
        assert_eq!(
            outcome.response().expect("a response").text(),
            n.to_string()
        );
    }
    assert!(
        api.env()
            .contains(&("AWS_LAMBDA_MAX_CONCURRENCY", "3".to_owned()))
    );
}

#[tokio::test]
async fn an_event_is_not_given_to_a_runtime_that_is_gone() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut gone = Client::new(&api).await;
    gone.ask_next().await;
    api.wait_idle_next(1).await.expect("parked");
    drop(gone);
    api.wait_for(|state| state.parked_next == 0 && state.open_connections == 0)
        .await
        .expect("noticed");
    let invocation = api.invoke(Event::bytes("e"));
    let mut runtime = Client::new(&api).await;
    let id = runtime.next().await.request_id().to_owned();
    runtime.respond(&id, "").await.is_accepted();
    assert!(invocation.await.response().is_some());
}
