//! Streamed responses, trailers and broken framing.

use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi, Invocation, Lost, Outcome};

use crate::client::{BASE, Client, start};

const MODE: &str = "Lambda-Runtime-Function-Response-Mode: streaming\r\n";
const TRAILER: &str =
    "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n";

/// Takes an event and sends the head of a chunked response.
async fn begin(api: &FakeRuntimeApi, headers: &str) -> (Invocation, Client) {
    let invocation = api.invoke(Event::bytes("{}"));
    let mut runtime = Client::new(api).await;
    let id = runtime.next().await.request_id().to_owned();
    let head = format!(
        "POST {BASE}/invocation/{id}/response HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{headers}\r\n"
    );
    runtime.send(head).await;
    (invocation, runtime)
}

#[tokio::test]
async fn chunks_are_seen_as_they_come_and_kept_as_sent() {
    let api = start(FakeRuntimeApi::builder()).await;
    let (invocation, mut runtime) = begin(&api, MODE).await;
    runtime.send("5\r\nhello\r\n").await;
    api.wait_for(|state| state.in_flight.iter().any(|one| one.received == 5))
        .await
        .expect("the first chunk before the end");
    runtime.send("1\r\n \r\n5\r\nworld\r\n0\r\n\r\n").await;
    runtime.answer().await.is_accepted();
    let outcome = invocation.await;
    let response = outcome.response().expect("a response");
    assert!(response.streaming);
    assert_eq!(response.text(), "hello world");
    assert_eq!(response.chunks, [&b"hello"[..], b" ", b"world"]);
    assert!(response.stream_error().expect("no trailers").is_none());
    let _ = api.invoke(Event::bytes("again"));
    assert_eq!(runtime.next().await.text(), "again");
}

#[tokio::test]
async fn an_error_after_the_first_bytes_comes_in_trailers() {
    let api = start(FakeRuntimeApi::builder()).await;
    let (invocation, mut runtime) = begin(&api, &format!("{MODE}{TRAILER}")).await;
    // {"errorMessage":"late","errorType":"Late"}
    let body = "eyJlcnJvck1lc3NhZ2UiOiJsYXRlIiwiZXJyb3JUeXBlIjoiTGF0ZSJ9";
    runtime
        .send(format!(
            "4\r\npart\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.Late\r\n\
             Lambda-Runtime-Function-Error-Body: {body}\r\n\r\n"
        ))
        .await;
    runtime.answer().await.is_accepted();
    let outcome = invocation.await;
    let response = outcome.response().expect("a response");
    assert_eq!(response.text(), "part");
    assert_eq!(response.trailers.len(), 2);
    let error = response.stream_error().expect("valid").expect("present");
    assert_eq!(error.error_type, "Function.Late");
    assert_eq!(error.details.error_message, "late");
}

#[tokio::test]
async fn an_error_written_as_a_chunk_is_no_trailer() {
    let api = start(FakeRuntimeApi::builder()).await;
    let (invocation, mut runtime) = begin(&api, MODE).await;
    let text = "Lambda-Runtime-Function-Error-Type: Function.Late\r\n";
    runtime
        .send(format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len()))
        .await;
    runtime.answer().await.is_accepted();
    let outcome = invocation.await;
    let response = outcome.response().expect("a response");
    assert!(response.stream_error().expect("no trailers").is_none());
    assert_eq!(response.text(), text);
}

#[tokio::test]
async fn broken_framing_is_a_truncated_request() {
    for (wire, why) in [
        ("zz\r\n", "chunk size"),
        ("2\r\nabc\r\n", "not ended by CRLF"),
        ("0\r\nX-Other: 1\r\n\r\n", "not announced"),
    ] {
        let api = start(FakeRuntimeApi::builder()).await;
        let (invocation, mut runtime) = begin(&api, &format!("{MODE}{TRAILER}")).await;
        runtime.send(wire).await;
        let refused = runtime.answer().await;
        refused.is_error(
            400,
            "TruncatedHTTPRequest",
            "HTTP request detected as truncated",
        );
        assert_eq!(refused.header("connection"), Some("close"));
        assert!(runtime.rest().await.is_empty());
        let Outcome::Lost(lost) = invocation.await else {
            panic!("must be lost: {wire:?}");
        };
        assert!(lost.to_string().contains(why), "{lost}");
        assert_eq!(
            lost.platform_error_type(),
            Some("Runtime.TruncatedResponse")
        );
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_a_truncated_request() {
    let api = start(FakeRuntimeApi::builder()).await;
    let (invocation, mut runtime) = begin(&api, MODE).await;
    runtime.send("5\r\nhel").await;
    runtime.finish_sending().await;
    runtime.answer().await.is_error(
        400,
        "TruncatedHTTPRequest",
        "HTTP request detected as truncated",
    );
    assert!(matches!(
        invocation.await,
        Outcome::Lost(Lost::Truncated(_))
    ));
    // The environment goes on.
    let _ = api.invoke(Event::bytes("again"));
    Client::new(&api).await.next().await;
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let patience = std::time::Duration::from_millis(30);
    let api = start(FakeRuntimeApi::builder().patience(patience)).await;
    let (invocation, mut runtime) = begin(&api, MODE).await;
    runtime.send("5\r\nhel").await;
    runtime.answer().await.is_error(
        400,
        "TruncatedHTTPRequest",
        "HTTP request detected as truncated",
    );
    assert!(matches!(
        invocation.await,
        Outcome::Lost(Lost::Truncated(_))
    ));
}

#[tokio::test]
async fn lenient_takes_trailers_nobody_announced() {
    let api = start(FakeRuntimeApi::builder().lenient()).await;
    let (invocation, mut runtime) = begin(&api, MODE).await;
    runtime.send("0\r\nX-Other: 1\r\n\r\n").await;
    runtime.answer().await.is_accepted();
    let outcome = invocation.await;
    let trailers = &outcome.response().expect("a response").trailers;
    assert_eq!(trailers, &[("X-Other".to_owned(), "1".to_owned())]);
}

#[tokio::test]
async fn streams_have_a_limit_of_their_own() {
    let api = start(FakeRuntimeApi::builder().response_limit(4).stream_limit(8)).await;
    for (headers, body, fits) in [
        (MODE, "12345678", true),
        (MODE, "123456789", false),
        ("", "12345", false),
    ] {
        let (invocation, mut runtime) = begin(&api, headers).await;
        runtime
            .send(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))
            .await;
        let status = runtime.answer().await.status;
        assert_eq!(status, if fits { 202 } else { 413 }, "{headers:?} {body}");
        assert_eq!(invocation.await.response().is_some(), fits);
    }
}
