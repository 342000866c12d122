//! What clients do wrong, and handlers.

mod support;

use faas_sdk_core::{Body, BodySender, Content, Error, ErrorKind, Reply};
use faas_sdk_push::Profile;
use faas_sdk_scope::{CancelReason, Ending};
use std::sync::Arc;
use support::{LONG, Running, echo, quick, soon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

#[tokio::test]
async fn garbage_is_a_bad_request() {
    let server = Running::with(Profile::default(), echo).await;
    for garbage in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/7.3\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\r\n folded\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 1, 2\r\n\r\nab",
        "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
    ] {
        let mut client = server.client().await;
        client.send(garbage).await;
        assert_eq!(client.answer().await.status, 400, "{garbage:?}");
        assert!(client.is_closed().await, "{garbage:?}");
    }
    assert_eq!(server.client().await.post("alive").await.text(), "alive");
}

#[tokio::test]
async fn header_floods_are_refused() {
    let mut profile = Profile::default();
    profile.limits.head = 8 << 10;
    profile.limits.headers = 20;
    let server = Running::with(profile, echo).await;
    let many: String = (0..21).map(|n| format!("x-{n}: a\r\n")).collect();
    let large = format!("x-large: {}\r\n", "a".repeat(9 << 10));
    // One that never ends: it is refused before it is whole.
    let endless = format!("x-large: {}", "a".repeat(2 << 20));
    for flood in [many, large, endless] {
        let mut client = server.client().await;
        client
            .try_send(format!("GET / HTTP/1.1\r\nhost: a\r\n{flood}\r\n\r\n"))
            .await;
        assert_eq!(client.answer().await.status, 431, "{flood:.20}");
        assert!(client.is_closed().await);
    }
    let fits: String = (0..19).map(|n| format!("x-{n}: a\r\n")).collect();
    let mut client = server.client().await;
    client
        .send(format!("GET / HTTP/1.1\r\nhost: a\r\n{fits}\r\n"))
        .await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_however_it_comes() {
    const LIMIT: usize = 6 << 20;
    let mut profile = Profile::default();
    profile.limits.body = LIMIT;
    profile.limits.linger = support::SHORT;
    let server = Running::with(profile, echo).await;
    let body = "x".repeat(LIMIT + 1);
    let announced = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let chunked = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for request in [announced, chunked] {
        let mut client = server.client().await;
        // A client that sends everything before it reads gets to read why.
        client.send(request).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 413);
        let why = "the request body is larger than 6291456 bytes";
        assert!(answer.text().contains(why), "{answer:?}");
    }
    // Much more than that is not read to its end, and still answered.
    let client = server.client().await;
    let (mut reader, mut writer) = client.0.into_split();
    let flood = tokio::spawn(async move {
        let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        writer.write_all(head.as_bytes()).await?;
        loop {
            writer.write_all(b"10000\r\n").await?;
            writer.write_all(&[b'x'; 0x10000]).await?;
            writer.write_all(b"\r\n").await?;
        }
        #[allow(unreachable_code, reason = "it names the type of the error")]
        std::io::Result::Ok(())
    });
    let mut answer = [0; 12];
    soon(reader.read_exact(&mut answer))
        .await
        .expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
    soon(flood)
        .await
        .expect("the client")
        .expect_err("it is cut off");
    let exact = &body[1..];
    assert_eq!(server.client().await.post(exact).await.body.len(), LIMIT);
}

#[tokio::test]
async fn a_head_that_takes_too_long_times_out() {
    let server = Running::with(quick(), echo).await;
    // After a first request, so that the time of the head is not that of the connection.
    let mut client = server.client().await;
    client.post("first").await;
    client.send("GET / HTTP/1.1\r\nhost:").await;
    assert_eq!(client.answer().await.status, 408);
    assert!(client.rest().await.is_empty());
    // A byte now and then gains no time.
    let client = server.client().await;
    let (mut reader, mut writer) = client.0.into_split();
    let dripping = tokio::spawn(async move {
        while writer.write_all(b"G").await.is_ok() {
            tokio::time::sleep(support::SHORT / 4).await;
        }
    });
    let mut answer = Vec::new();
    let _ = soon(reader.read_to_end(&mut answer)).await;
    assert!(answer.starts_with(b"HTTP/1.1 408"));
    soon(dripping).await.expect("the client was cut off");
}

#[tokio::test]
async fn silent_connections_are_closed() {
    let server = Running::with(quick(), echo).await;
    let mut client = server.client().await;
    assert_eq!(client.answer().await.status, 408, "nothing was sent");
    let mut client = server.client().await;
    client.post("once").await;
    assert!(client.rest().await.is_empty(), "kept alive for nothing");
}

#[tokio::test]
async fn a_body_that_stops_coming_is_an_error_where_it_is_read() {
    let server = Running::with(quick(), echo).await;
    let mut client = server.client().await;
    client
        .send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf")
        .await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 408);
    assert!(answer.text().contains("request_timeout"), "{answer:?}");
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_body_that_is_cut_off_or_broken_is_an_error_where_it_is_read() {
    let (sender, mut kinds) = mpsc::unbounded_channel();
    let server = Running::with(Profile::default(), move |_, request| {
        let sender = sender.clone();
        async move {
            let error = request.into_body().collect(100).await.expect_err("no body");
            sender.send(error.kind()).expect("the test listens");
            Err(error)
        }
    })
    .await;
    let mut client = server.client().await;
    client
        .send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf")
        .await;
    drop(client);
    assert_eq!(soon(kinds.recv()).await, Some(ErrorKind::Cancelled));
    let mut client = server.client().await;
    client
        .send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")
        .await;
    assert_eq!(soon(kinds.recv()).await, Some(ErrorKind::InvalidInput));
    assert_eq!(client.answer().await.status, 400);
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_invocation_and_the_scope_is_finished() {
    let (sender, mut ends) = mpsc::unbounded_channel();
    let started = Arc::new(Notify::new());
    let begun = Arc::clone(&started);
    let server = Running::with(Profile::default(), move |scope, _| {
        let (sender, begun) = (sender.clone(), Arc::clone(&begun));
        async move {
            scope.on_end("tell", |ending| async move {
                sender.send(ending).expect("the test listens");
            });
            begun.notify_one();
            std::future::pending().await
        }
    })
    .await;
    let mut client = server.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    soon(started.notified()).await;
    drop(client);
    let ending = soon(ends.recv()).await.expect("an end");
    assert_eq!(ending, Ending::Cancelled(CancelReason::Disconnected));
    server.ended().await.expect("nothing is left");
}

/// A handler that streams without end, and what becomes of its scope.
async fn endless(profile: Profile) -> (Running, mpsc::UnboundedReceiver<Ending>) {
    let (sender, ends) = mpsc::unbounded_channel();
    let server = Running::with(profile, move |scope, _| {
        let sender = sender.clone();
        async move {
            scope.on_end("tell", |ending| async move {
                sender.send(ending).expect("the test listens");
            });
            let body = Body::produce(async move |mut out: BodySender| {
                loop {
                    out.send(vec![b'x'; 64 << 10]).await?;
                }
            });
            Ok(Reply::Content(Content::new("text/plain", body)))
        }
    })
    .await;
    (server, ends)
}

#[tokio::test]
async fn a_reader_that_stops_taking_is_cut_off() {
    let (server, mut ends) = endless(quick()).await;
    let mut client = server.narrow_client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let ending = soon(ends.recv()).await.expect("an end");
    assert_eq!(ending, Ending::Cancelled(CancelReason::Disconnected));
    drop(client);
    server.ended().await.expect("nothing is left");
}

#[tokio::test]
async fn a_reader_that_leaves_ends_the_stream() {
    let (server, mut ends) = endless(Profile::default()).await;
    let mut client = server.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.bare_answer().await;
    assert!(client.chunk().await.is_some());
    drop(client);
    let ending = soon(ends.recv()).await.expect("an end");
    assert_eq!(ending, Ending::Cancelled(CancelReason::Disconnected));
}

#[tokio::test]
async fn a_stream_that_fails_is_cut_off_after_what_it_gave() {
    let server = Running::with(Profile::default(), |_, _| async {
        let body = Body::produce(async move |mut out: BodySender| {
            out.send("piece").await?;
            Err(Error::new(ErrorKind::Internal, "broken"))
        });
        Ok(Reply::Content(Content::new("text/plain", body)))
    })
    .await;
    let mut client = server.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.bare_answer().await.status, 200);
    assert_eq!(client.chunk().await.as_deref(), Some(&b"piece"[..]));
    assert!(
        client.rest().await.is_empty(),
        "no chunk that ends the body"
    );
    // Where the end of the connection is the end of the body, it must not look like one.
    let mut client = server.client().await;
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    let mut answer = Vec::new();
    let end = soon(client.0.read_to_end(&mut answer)).await;
    assert_eq!(
        end.expect_err("no end").kind(),
        std::io::ErrorKind::ConnectionReset
    );
}

#[tokio::test]
async fn a_panic_is_answered_and_says_nothing() {
    faas_sdk_core::capture_panics();
    let server = Running::with(Profile::default(), |_, request| async move {
        assert!(request.uri().path() != "/panic", "with a secret");
        Ok(Reply::empty())
    })
    .await;
    let mut client = server.client().await;
    let answer = client.get("/panic").await;
    assert_eq!(
        (answer.status, answer.text()),
        (
            500,
            r#"{"error":{"code":"panic","message":"internal server error"}}"#
        )
    );
    assert_eq!(client.get("/").await.status, 200);
}

#[tokio::test]
async fn what_is_above_the_limit_is_refused_and_the_rest_goes_on() {
    let release = Arc::new(Notify::new());
    let (started, mut running) = mpsc::unbounded_channel();
    let waiting = Arc::clone(&release);
    let mut profile = Profile::default();
    profile.max_in_flight = Some(2);
    let server = Running::with(profile, move |_, _| {
        let (waiting, started) = (Arc::clone(&waiting), started.clone());
        async move {
            started.send(()).expect("the test listens");
            waiting.notified().await;
            Ok(Reply::empty())
        }
    })
    .await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = server.client().await;
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        soon(running.recv()).await.expect("it runs");
        clients.push(client);
    }
    let mut third = server.client().await;
    assert_eq!(third.get("/").await.status, 429);
    assert_eq!(server.client().await.get("/ready").await.status, 429);
    for _ in 0..2 {
        release.notify_one();
    }
    for client in &mut clients {
        assert_eq!(client.answer().await.status, 200);
    }
    release.notify_one();
    assert_eq!(soon(server.client().await.get("/")).await.status, 200);
}

#[tokio::test]
async fn connections_above_the_limit_wait() {
    let mut profile = Profile::default();
    profile.limits.connections = 1;
    let server = Running::with(profile, echo).await;
    let mut first = server.client().await;
    assert_eq!(first.post("1").await.text(), "1");
    let mut second = server.client().await;
    second.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let early = tokio::time::timeout(support::SHORT, second.0.readable()).await;
    assert!(early.is_err(), "it waits for the first one");
    drop(first);
    assert_eq!(
        tokio::time::timeout(LONG, second.answer())
            .await
            .expect("served")
            .status,
        200
    );
}
