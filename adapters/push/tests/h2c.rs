//! HTTP/2 without TLS, beside HTTP/1 on the same port.
#![cfg(feature = "h2c")]

mod support;

use faas_sdk_core::{Body, Reply};
use faas_sdk_push::Profile;
use faas_sdk_scope::{CancelReason, Ending};
use http::Request;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::sync::Arc;
use support::{Running, echo, quick, soon};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

async fn connect(server: &Running) -> (SendRequest<Body>, JoinHandle<hyper::Result<()>>) {
    let stream = TcpStream::connect(server.address)
        .await
        .expect("a connection");
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("a handshake");
    (sender, tokio::spawn(connection))
}

fn request(path: &str, body: impl Into<Body>) -> Request<Body> {
    let builder = Request::builder()
        .method("POST")
        .uri(format!("http://a{path}"));
    builder.body(body.into()).expect("a request")
}

#[tokio::test]
async fn both_protocols_share_a_port() {
    let server = Running::with(Profile::default(), echo).await;
    let (mut sender, connection) = connect(&server).await;
    let response = soon(sender.send_request(request("/a?b", "hello")))
        .await
        .expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-path"]),
        (200, &"/a?b".parse().expect(""))
    );
    assert_eq!(server.client().await.post("one").await.text(), "one");
    // Like HTTP/1, up to the beginning of the preface.
    let mut client = server.client().await;
    client
        .send("PRI / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 200);
    server.ended().await.expect("an orderly end");
    soon(connection)
        .await
        .expect("the task")
        .expect("told to go away");
}

#[tokio::test]
async fn requests_run_side_by_side_and_a_reset_cancels_its_own() {
    let (sender, mut ends) = mpsc::unbounded_channel();
    let started = Arc::new(Notify::new());
    let begun = Arc::clone(&started);
    let server = Running::with(quick(), move |scope, request| {
        let (sender, begun) = (sender.clone(), Arc::clone(&begun));
        async move {
            if request.uri().path() == "/quick" {
                return Ok(Reply::empty());
            }
            scope.on_end("tell", |ending| async move {
                sender.send(ending).expect("the test listens");
            });
            begun.notify_one();
            std::future::pending().await
        }
    })
    .await;
    let (mut client, _connection) = connect(&server).await;
    let slow = tokio::spawn(client.send_request(request("/slow", "")));
    soon(started.notified()).await;
    let other = soon(client.send_request(request("/quick", ""))).await;
    assert_eq!(other.expect("an answer").status(), 200);
    slow.abort();
    let ending = soon(ends.recv()).await.expect("an end");
    assert_eq!(ending, Ending::Cancelled(CancelReason::Disconnected));
    server.ended().await.expect("an orderly end");
}

#[tokio::test]
async fn limits_hold_and_idle_connections_are_closed() {
    let mut profile = quick();
    profile.limits.body = 3;
    let server = Running::with(profile, echo).await;
    let (mut sender, connection) = connect(&server).await;
    let refused = soon(sender.send_request(request("/", "four")))
        .await
        .expect("an answer");
    assert_eq!(refused.status(), 413);
    assert!(!refused.headers().contains_key("connection"));
    // Whether it is told in order or not, it is over.
    let _ = soon(connection).await.expect("the task");
}
