//! What HTTP/1 asks of a server.

mod support;

use faas_sdk_core::{Body, BodySender, Content, Reply};
use faas_sdk_push::Profile;
use support::{Running, echo};
use tokio::io::AsyncWriteExt;

async fn echoing() -> Running {
    Running::with(Profile::default(), echo).await
}

#[tokio::test]
async fn a_connection_carries_one_request_after_the_other() {
    let server = echoing().await;
    let mut client = server.client().await;
    for body in ["one", "", "three"] {
        let answer = client.post(body).await;
        assert_eq!((answer.status, answer.text()), (200, body));
    }
    assert_eq!(
        client.get("/a%2Fb?c=d&c").await.header("x-path"),
        Some("/a%2Fb?c=d&c")
    );
    server.ended().await.expect("an orderly end");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let server = echoing().await;
    let mut client = server.client().await;
    let requests: String = (0..20)
        .map(|n| format!("POST /{n} HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{n:02}"))
        .collect();
    client.send(requests).await;
    for n in 0..20 {
        assert_eq!(client.answer().await.text(), format!("{n:02}"));
    }
}

#[tokio::test]
async fn chunked_bodies_come_whole() {
    let server = echoing().await;
    let mut client = server.client().await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    client.send(head).await;
    for chunk in ["3\r\nabc\r\n", "2\r\nde\r\n", "0\r\n\r\n"] {
        client.send(chunk).await;
    }
    assert_eq!(client.answer().await.text(), "abcde");
    assert_eq!(client.post("again").await.text(), "again");
}

#[tokio::test]
async fn http_1_0_and_close_end_the_connection() {
    let server = echoing().await;
    for request in [
        "POST / HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi",
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi",
    ] {
        let mut client = server.client().await;
        client.send(request).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.text()), (200, "hi"), "{request}");
        assert!(client.rest().await.is_empty(), "{request}");
    }
    let mut client = server.client().await;
    for _ in 0..2 {
        client
            .send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            .await;
        assert_eq!(
            client.answer().await.header("connection"),
            Some("keep-alive")
        );
    }
}

#[tokio::test]
async fn expect_is_answered_when_the_body_is_wanted() {
    let server = echoing().await;
    let mut client = server.client().await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    client.send(head).await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body").await;
    assert_eq!(client.answer().await.text(), "body");
}

#[tokio::test]
async fn expect_is_not_answered_when_the_body_is_refused() {
    let mut profile = Profile::default();
    profile.limits.body = 3;
    let server = Running::with(profile, echo).await;
    let mut client = server.client().await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    client.send(head).await;
    let answer = client.answer().await;
    assert_eq!(
        (answer.status, answer.header("connection")),
        (413, Some("close"))
    );
}

#[tokio::test]
async fn an_answer_to_head_has_no_body() {
    let server = Running::with(Profile::default(), |_, request| async move {
        Ok(match request.uri().path() {
            "/streamed" => Reply::Content(Content::new(
                "text/plain",
                Body::produce(async move |mut out: BodySender| out.send("piece").await),
            )),
            _ => Reply::Content(Content::new("text/plain", "12345")),
        })
    })
    .await;
    let mut client = server.client().await;
    client.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let answer = client.bare_answer().await;
    assert_eq!(
        (answer.status, answer.header("content-length")),
        (200, Some("5"))
    );
    client
        .send("HEAD /streamed HTTP/1.1\r\nhost: a\r\n\r\n")
        .await;
    assert_eq!(client.bare_answer().await.status, 200);
    assert_eq!(
        client.get("/").await.text(),
        "12345",
        "nothing is left over"
    );
}

#[tokio::test]
async fn answers_are_streamed_as_they_come() {
    let (next, _) = tokio::sync::broadcast::channel::<()>(1);
    let sender = next.clone();
    let server = Running::with(Profile::default(), move |_, _| {
        let mut next = next.subscribe();
        async move {
            let body = Body::produce(async move |mut out: BodySender| {
                for piece in ["one", "two"] {
                    out.send(piece).await?;
                    // The test has read the piece before it asks for more.
                    let _ = next.recv().await;
                }
                Ok(())
            });
            Ok(Reply::Content(Content::new("text/plain", body)))
        }
    })
    .await;
    let mut client = server.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(
        client.bare_answer().await.header("transfer-encoding"),
        Some("chunked")
    );
    for piece in [&b"one"[..], b"two"] {
        assert_eq!(client.chunk().await.as_deref(), Some(piece));
        sender.send(()).expect("a listener");
    }
    assert_eq!(client.chunk().await, None);
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    assert!(
        client
            .bare_answer()
            .await
            .header("transfer-encoding")
            .is_none()
    );
}

#[tokio::test]
async fn both_directions_stream_at_once() {
    let server = Running::with(Profile::default(), |_, request| async move {
        let mut input = request.into_body();
        let body = Body::produce(async move |mut out: BodySender| {
            while let Some(piece) = input.next_data().await? {
                out.send(piece).await?;
            }
            Ok(())
        });
        Ok(Reply::Content(Content::new("text/plain", body)))
    })
    .await;
    let mut client = server.client().await;
    client
        .send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    assert_eq!(client.bare_answer().await.status, 200);
    for _ in 0..3 {
        client.send("4\r\nping\r\n").await;
        assert_eq!(client.chunk().await.as_deref(), Some(&b"ping"[..]));
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(client.chunk().await, None);
}

#[tokio::test]
async fn a_large_body_goes_both_ways() {
    let server = echoing().await;
    let client = server.client().await;
    let body = "0123456789abcdef".repeat(1 << 16);
    let (mut reader, mut writer) = client.0.into_split();
    let sent = body.clone();
    let writing = tokio::spawn(async move {
        let head = format!(
            "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            sent.len()
        );
        writer.write_all(head.as_bytes()).await.expect("the head");
        writer.write_all(sent.as_bytes()).await.expect("the body");
        writer
    });
    let mut answer = Vec::new();
    support::soon(tokio::io::AsyncReadExt::read_to_end(
        &mut reader,
        &mut answer,
    ))
    .await
    .expect("the answer");
    assert!(answer.ends_with(body.as_bytes()));
    drop(writing.await.expect("the writer"));
}

#[tokio::test]
async fn the_headers_of_one_hop_and_a_tunnel_are_not_the_functions() {
    let server = Running::with(Profile::default(), |_, _| async {
        let response = http::Response::builder()
            .header("connection", "keep-alive, x-hop")
            .header("x-hop", "1")
            .header("transfer-encoding", "chunked")
            .header("content-length", "999")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            .body(Body::from("body"));
        Ok(Reply::Http(response.expect("a response")))
    })
    .await;
    let mut client = server.client().await;
    let answer = client.get("/").await;
    assert_eq!((answer.text(), answer.header("x-hop")), ("body", None));
    assert_eq!(answer.head.matches("set-cookie").count(), 2);
    client.send("CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 405);
}
