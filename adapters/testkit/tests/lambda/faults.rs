//! Every fault, and that the state afterwards is as documented.

use std::time::Duration;

use bytes::Bytes;
use faas_sdk_testkit::lambda::{
    Cut, Event, FakeRuntimeApi, Fault, Invocation, Outcome, RecordedRequest, Route,
};

use crate::client::{BASE, Client, start};

async fn fake() -> FakeRuntimeApi {
    start(FakeRuntimeApi::builder()).await
}

/// An event taken by a runtime that is about to answer, as `r`.
async fn taken(api: &FakeRuntimeApi) -> (Invocation, Client) {
    let invocation = api.invoke(Event::bytes("{}").request_id("r"));
    let mut runtime = Client::new(api).await;
    runtime.next().await;
    (invocation, runtime)
}

fn post() -> String {
    format!("POST {BASE}/invocation/r/response HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")
}

#[tokio::test]
async fn close_on_next_keeps_the_event() {
    let api = fake().await;
    api.fault(Route::Next, Fault::Close);
    api.fault(Route::Next, Fault::Close);
    let _ = api.invoke(Event::bytes("e"));
    for left in [1, 0] {
        let mut runtime = Client::new(&api).await;
        runtime.ask_next().await;
        assert!(runtime.rest().await.is_empty());
        assert_eq!(api.faults_left(), left);
    }
    assert_eq!(Client::new(&api).await.next().await.text(), "e");
    assert_eq!(api.connections(), 3);
    assert_eq!(api.requests()[0].status(), None);
}

#[tokio::test]
async fn an_answer_a_fault_has_spoiled_may_be_sent_again() {
    for fault in [
        Fault::Close,
        Fault::Raw(Bytes::from_static(b"\x00garbage")),
        Fault::status(500, "InternalServerError", "Internal Server Error"),
    ] {
        let api = fake().await;
        let (invocation, mut runtime) = taken(&api).await;
        api.fault(Route::Response, fault.clone());
        runtime.send(post()).await;
        match fault {
            Fault::Close => assert!(runtime.rest().await.is_empty()),
            Fault::Raw(bytes) => assert_eq!(runtime.rest().await, bytes),
            _ => {
                let answer = runtime.answer().await;
                answer.is_error(500, "InternalServerError", "Internal Server Error");
            }
        }
        let mut again = Client::new(&api).await;
        again.respond("r", "again").await.is_accepted();
        assert_eq!(
            invocation.await.response().expect("a response").text(),
            "again"
        );
    }
}

#[tokio::test]
async fn after_a_spoiled_answer_the_runtime_may_go_on() {
    let api = fake().await;
    let (_invocation, mut runtime) = taken(&api).await;
    api.fault(Route::Response, Fault::answer(500, "{}"));
    let answer = runtime.respond("r", "ok").await;
    assert_eq!((answer.status, answer.text()), (500, "{}"));
    let _ = api.invoke(Event::bytes("other"));
    assert_eq!(runtime.next().await.text(), "other");
    assert_eq!(api.connections(), 1);
}

#[tokio::test]
async fn stalls_last_until_the_peer_closes() {
    let api = fake().await;
    let (_invocation, mut runtime) = taken(&api).await;
    api.fault(Route::Response, Fault::Stall);
    runtime.send(post()).await;
    api.wait_for(|state| state.faults_left == 0)
        .await
        .expect("applied");
    assert!(runtime.is_silent().await);
    assert_eq!(api.observe().open_connections, 1);
    drop(runtime);
    api.wait_for(|state| state.open_connections == 0)
        .await
        .expect("noticed");
}

#[tokio::test]
async fn a_frozen_connection_stays_open_unread_until_the_fake_stops() {
    let api = fake().await;
    let (_invocation, mut runtime) = taken(&api).await;
    api.fault(Route::Response, Fault::Freeze);
    runtime.send(post()).await;
    api.wait_for(|state| state.faults_left == 0)
        .await
        .expect("applied");
    assert!(runtime.is_silent().await);
    drop(api);
    assert!(runtime.rest().await.is_empty());
}

#[tokio::test]
async fn a_cut_event_is_handed_out_again() {
    for cut in [Cut::Head, Cut::Body, Cut::At(0), Cut::At(9)] {
        let api = fake().await;
        api.fault(Route::Next, Fault::Cut(cut));
        let invocation = api.invoke(Event::bytes("0123456789"));
        let mut runtime = Client::new(&api).await;
        runtime.ask_next().await;
        let part = runtime.try_answer().await.expect_err("only a part");
        match cut {
            Cut::Head => assert!(part.starts_with(b"HTTP/1.1 200 OK")),
            Cut::Body => assert_eq!(part, b"01234"),
            Cut::At(count) => assert_eq!(part.len(), count),
        }
        let mut runtime = Client::new(&api).await;
        let next = runtime.next().await;
        assert_eq!(next.text(), "0123456789");
        runtime.respond(next.request_id(), "").await.is_accepted();
        assert!(invocation.await.response().is_some());
    }
}

#[tokio::test]
async fn a_cut_after_the_response_was_taken_leaves_it_taken() {
    let api = fake().await;
    let (invocation, mut runtime) = taken(&api).await;
    api.fault(Route::Response, Fault::Cut(Cut::At(0)));
    runtime.send(post()).await;
    assert!(runtime.rest().await.is_empty());
    assert_eq!(
        invocation.await.response().expect("a response").text(),
        "ok"
    );
    let again = Client::new(&api).await.respond("r", "ok").await;
    again.is_error(400, "InvalidRequestID", "Invalid request ID");
}

#[tokio::test]
async fn harmless_disturbances_keep_the_answer_whole() {
    for fault in [
        Fault::SingleBytes,
        Fault::Chunked { size: 3 },
        Fault::Chunked { size: 0 },
        Fault::HeaderFlood {
            count: 300,
            value_len: 100,
        },
    ] {
        let api = fake().await;
        api.fault(Route::Next, fault.clone());
        let invocation = api.invoke(Event::bytes("0123456789"));
        let mut runtime = Client::new(&api).await;
        let next = runtime.next().await;
        assert_eq!(next.text(), "0123456789");
        match fault {
            Fault::Chunked { .. } => {
                assert_eq!(next.header("transfer-encoding"), Some("chunked"));
                assert_eq!(next.header("content-length"), None);
            }
            Fault::HeaderFlood { .. } => {
                let flood = next
                    .headers
                    .iter()
                    .filter(|(name, _)| name.starts_with("X-Flood-"));
                assert_eq!(flood.count(), 300);
            }
            _ => {}
        }
        runtime.respond(next.request_id(), "").await.is_accepted();
        assert!(invocation.await.response().is_some());
        assert_eq!(api.connections(), 1);
    }
}

#[tokio::test]
async fn extra_bytes_follow_the_answer_on_the_kept_connection() {
    let api = fake().await;
    let (_invocation, mut runtime) = taken(&api).await;
    api.fault(
        Route::Response,
        Fault::Extra(Bytes::from_static(b"HTTP/1.1 2")),
    );
    runtime.respond("r", "").await.is_accepted();
    assert_eq!(runtime.exactly(10).await, b"HTTP/1.1 2");
    let _ = api.invoke(Event::bytes("e"));
    assert_eq!(runtime.next().await.text(), "e");
}

#[tokio::test]
async fn connection_close_is_announced_and_done() {
    let api = fake().await;
    let (invocation, mut runtime) = taken(&api).await;
    api.fault(Route::Response, Fault::ConnectionClose);
    let answer = runtime.respond("r", "ok").await;
    answer.is_accepted();
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(runtime.rest().await.is_empty());
    assert!(matches!(invocation.await, Outcome::Response(_)));
}

#[tokio::test]
async fn a_delay_comes_after_the_request_was_taken() {
    let api = fake().await;
    let (invocation, mut runtime) = taken(&api).await;
    let delay = Fault::Delay(Duration::from_millis(50));
    api.fault(Route::Response, delay);
    runtime.send(post()).await;
    assert!(invocation.await.response().is_some());
    assert_eq!(api.requests()[1].status(), None, "taken, not answered");
    runtime.answer().await.is_accepted();
}

#[tokio::test]
async fn an_event_without_a_request_id_does_not_block_the_runtime() {
    let api = fake().await;
    let short = Event::bytes("1").deadline(Duration::from_millis(50));
    let lost = api.invoke(short.without_header("Lambda-Runtime-Aws-Request-Id"));
    let _ = api.invoke(Event::bytes("2").header("Lambda-Runtime-Deadline-Ms", "soon"));
    let mut runtime = Client::new(&api).await;
    assert_eq!(
        runtime.next().await.header("Lambda-Runtime-Aws-Request-Id"),
        None
    );
    let next = runtime.next().await;
    assert_eq!(next.header("Lambda-Runtime-Deadline-Ms"), Some("soon"));
    assert!(matches!(lost.await, Outcome::TimedOut));
}

#[tokio::test]
async fn every_call_can_be_disturbed() {
    let api = start(FakeRuntimeApi::builder().snap_start(true)).await;
    let mut client = Client::new(&api).await;
    for (route, method, path) in [
        (Route::Next, "GET", "/2018-06-01/runtime/invocation/next"),
        (
            Route::Response,
            "POST",
            "/2018-06-01/runtime/invocation/r/response",
        ),
        (
            Route::Error,
            "POST",
            "/2018-06-01/runtime/invocation/r/error",
        ),
        (Route::InitError, "POST", "/2018-06-01/runtime/init/error"),
        (
            Route::RestoreNext,
            "GET",
            "/2018-06-01/runtime/restore/next",
        ),
        (
            Route::RestoreError,
            "POST",
            "/2018-06-01/runtime/restore/error",
        ),
        (Route::Ping, "GET", "/2018-06-01/ping"),
        (Route::Register, "POST", "/2020-01-01/extension/register"),
        (
            Route::ExtensionNext,
            "GET",
            "/2020-01-01/extension/event/next",
        ),
        (
            Route::ExtensionInitError,
            "POST",
            "/2020-01-01/extension/init/error",
        ),
        (
            Route::ExtensionExitError,
            "POST",
            "/2020-01-01/extension/exit/error",
        ),
    ] {
        api.fault(route, Fault::answer(503, "busy"));
        let answer = match method {
            "GET" => client.get(path, "").await,
            _ => client.post(path, "", "{}").await,
        };
        assert_eq!((answer.status, answer.text()), (503, "busy"), "{route:?}");
        assert_eq!(
            api.requests().last().and_then(RecordedRequest::route),
            Some(route)
        );
    }
    assert_eq!(api.faults_left(), 0);
}
