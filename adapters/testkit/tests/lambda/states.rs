//! What a runtime may do when, and requests that are none.

use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi, Lost, Outcome, Phase, RecordedRequest};
use proptest::prelude::*;

use crate::client::{Answer, BASE, Client, start};

#[track_caller]
fn is_forbidden(answer: &Answer, from: &str, to: &str) {
    let message = format!(
        "State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"
    );
    answer.is_error(403, "InvalidStateTransition", &message);
}

#[tokio::test]
async fn next_is_refused_while_an_invocation_is_unanswered() {
    let api = start(FakeRuntimeApi::builder()).await;
    let _ = api.invoke(Event::bytes(""));
    let mut runtime = Client::new(&api).await;
    let id = runtime.next().await.request_id().to_owned();
    let refused = runtime.get(&format!("{BASE}/invocation/next"), "").await;
    is_forbidden(&refused, "Running", "Ready");
    runtime.respond(&id, "").await.is_accepted();
    let _ = api.invoke(Event::bytes(""));
    runtime.next().await;
}

#[tokio::test]
async fn lenient_lets_the_runtime_run_ahead() {
    let api = start(FakeRuntimeApi::builder().lenient()).await;
    let mut runtime = Client::new(&api).await;
    let _ = (api.invoke(Event::bytes("1")), api.invoke(Event::bytes("2")));
    assert_eq!(runtime.next().await.text(), "1");
    assert_eq!(runtime.next().await.text(), "2");
    runtime
        .post(&format!("{BASE}/init/error"), "", "{}")
        .await
        .is_accepted();
}

#[tokio::test]
async fn an_init_error_is_final_until_a_restart() {
    let api = start(FakeRuntimeApi::builder()).await;
    let early = api.invoke(Event::bytes(""));
    let mut runtime = Client::new(&api).await;
    let headers = "Lambda-Runtime-Function-Error-Type: Runtime.NoHandler\r\n";
    let body = r#"{"errorMessage":"m","errorType":"t"}"#;
    let path = format!("{BASE}/init/error");
    runtime.post(&path, headers, body).await.is_accepted();
    let seen = api.observe();
    assert_eq!(seen.phase, Phase::InitError);
    let report = seen.init_error.expect("recorded");
    assert_eq!(report.error_type.as_deref(), Some("Runtime.NoHandler"));
    assert_eq!(report.details.expect("error JSON").error_message, "m");
    for invocation in [early, api.invoke(Event::bytes(""))] {
        assert!(matches!(invocation.await, Outcome::Lost(Lost::InitError)));
    }
    let next = format!("{BASE}/invocation/next");
    is_forbidden(&runtime.get(&next, "").await, "InitError", "Ready");
    is_forbidden(
        &runtime.post(&path, "", body).await,
        "InitError",
        "InitError",
    );
    api.restart();
    let _ = api.invoke(Event::bytes("e"));
    assert_eq!(runtime.next().await.text(), "e");
    is_forbidden(&runtime.post(&path, "", body).await, "Running", "InitError");
}

#[tokio::test]
async fn restore_calls_need_snap_start() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut runtime = Client::new(&api).await;
    let answer = runtime.get(&format!("{BASE}/restore/next"), "").await;
    assert_eq!(
        (answer.status, answer.text()),
        (404, "404 page not found\n")
    );
}

#[tokio::test]
async fn a_restore_ends_in_next_or_in_its_error() {
    let api = start(FakeRuntimeApi::builder().snap_start(true)).await;
    assert!(
        api.env()
            .contains(&("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start".to_owned()))
    );
    let mut runtime = Client::new(&api).await;
    let restore = format!("{BASE}/restore/next");
    let restore_error = format!("{BASE}/restore/error");
    let init_error = format!("{BASE}/init/error");
    let next = format!("{BASE}/invocation/next");
    is_forbidden(
        &runtime.post(&restore_error, "", "{}").await,
        "Started",
        "RuntimeRestoreErrorState",
    );

    runtime
        .send(format!("GET {restore} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .await;
    api.wait_for(|state| state.parked_restore == 1)
        .await
        .expect("parked");
    assert!(runtime.is_silent().await);
    let mut other = Client::new(&api).await;
    is_forbidden(&other.get(&next, "").await, "RestoreReady", "Ready");
    api.restore();
    let restored = runtime.answer().await;
    assert_eq!((restored.status, restored.text()), (200, ""));
    assert_eq!(api.observe().phase, Phase::Restoring);
    let _ = api.invoke(Event::bytes("e"));
    runtime.next().await;
    is_forbidden(&other.get(&restore, "").await, "Running", "RestoreReady");

    for path in [&restore_error, &init_error] {
        api.restart();
        api.restore();
        let mut runtime = Client::new(&api).await;
        assert_eq!(runtime.get(&restore, "").await.status, 200);
        let invocation = api.invoke(Event::bytes("e"));
        let headers = "Lambda-Runtime-Function-Error-Type: Runtime.AfterRestoreError\r\n";
        runtime.post(path, headers, "{}").await.is_accepted();
        let report = api.observe().restore_error.expect("recorded");
        assert_eq!(
            report.error_type.as_deref(),
            Some("Runtime.AfterRestoreError")
        );
        assert!(matches!(
            invocation.await,
            Outcome::Lost(Lost::RestoreError)
        ));
        is_forbidden(
            &runtime.get(&next, "").await,
            "RuntimeRestoreErrorState",
            "Ready",
        );
    }
}

#[tokio::test]
async fn a_prefix_is_part_of_the_address_and_required() {
    let api = start(FakeRuntimeApi::builder().path_prefix("/.rt/fn/")).await;
    let expected = format!("http://{}/.rt/fn", api.socket_addr());
    assert_eq!(api.address(), expected);
    let mut runtime = Client::new(&api).await;
    let pong = runtime.get("/.rt/fn/2018-06-01/ping", "").await;
    assert_eq!((pong.status, pong.text()), (200, "pong"));
    assert_eq!(runtime.get("/2018-06-01/ping", "").await.status, 404);
    assert_eq!(
        runtime
            .post("/.rt/fn/2018-06-01/ping", "", "x")
            .await
            .status,
        405
    );
    let plain = start(FakeRuntimeApi::builder()).await;
    assert_eq!(plain.address(), plain.socket_addr().to_string());
}

#[tokio::test]
async fn unusable_requests_are_refused_and_the_connection_is_closed() {
    let api = start(FakeRuntimeApi::builder()).await;
    let flood = format!(
        "GET /2018-06-01/ping HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "a: b\r\n".repeat(5000)
    );
    for (request, status) in [
        ("GET /2018-06-01/ping HTTP/1.1\r\n\r\n", 400),
        ("GET /2018-06-01/ping HTTP/1.1\nHost: a\n\n", 400),
        ("nonsense\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            501,
        ),
        (&flood, 431),
    ] {
        let mut client = Client::new(&api).await;
        client.send(request).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, status, "{request:.60}");
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(client.rest().await.is_empty());
    }
}

#[tokio::test]
async fn a_half_sent_head_is_given_up() {
    let patience = std::time::Duration::from_millis(20);
    let api = start(FakeRuntimeApi::builder().patience(patience)).await;
    let mut client = Client::new(&api).await;
    client.send("GET /2018-06").await;
    assert_eq!(client.answer().await.status, 408);
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn the_peer_may_close_after_an_answer_and_expect_a_go_ahead() {
    let api = start(FakeRuntimeApi::builder()).await;
    let mut client = Client::new(&api).await;
    let pong = client
        .get("/2018-06-01/ping", "Connection: close\r\n")
        .await;
    assert_eq!(pong.header("connection"), Some("close"));
    assert!(client.rest().await.is_empty());

    let invocation = api.invoke(Event::bytes(""));
    let mut runtime = Client::new(&api).await;
    let id = runtime.next().await.request_id().to_owned();
    let head = format!(
        "POST {BASE}/invocation/{id}/response HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    );
    runtime.send(head).await;
    let go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";
    assert_eq!(runtime.exactly(go_ahead.len()).await, go_ahead.as_bytes());
    runtime.send("ok").await;
    runtime.answer().await.is_accepted();
    assert_eq!(
        invocation.await.response().expect("a response").text(),
        "ok"
    );
}

#[tokio::test]
async fn only_the_newest_requests_are_kept() {
    let api = start(FakeRuntimeApi::builder().keep_requests(2)).await;
    let mut client = Client::new(&api).await;
    for _ in 0..5 {
        client.get("/2018-06-01/ping", "").await;
    }
    let numbers: Vec<_> = api.requests().iter().map(RecordedRequest::number).collect();
    assert_eq!(numbers, [3, 4]);
    assert_eq!(api.observe().request_count, 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_leave_the_server_alive(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let api = start(FakeRuntimeApi::builder()).await;
            let mut noise = Client::new(&api).await;
            noise.send(&bytes).await;
            noise.finish_sending().await;
            let answer = noise.rest().await;
            assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 "));
            let pong = Client::new(&api).await.get("/2018-06-01/ping", "").await;
            assert_eq!(pong.text(), "pong");
        });
    }
}
