//! Requests sent chunk by chunk.

mod support;

use std::time::Duration;

use faas_sdk_pull::{
    ClientError, Connection, ConnectionOptions, Endpoint, PathPart, Progress, RequestWriter,
};
use support::{ACCEPTED, Request, Server, answer};
use tokio::sync::mpsc;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n";

fn client(server: &Server) -> Connection {
    Connection::new(server.endpoint(), ConnectionOptions::default())
}

fn head(endpoint: &Endpoint) -> Vec<u8> {
    let mut out = Vec::new();
    RequestWriter::new(&mut out, "POST", endpoint, &[PathPart::Fixed("/response")])
        .header("content-type", b"text/plain")
        .chunked(&["x-error-type", "x-error-body"]);
    out
}

/// Takes requests to their end and reports them.
async fn recording() -> (Server, mpsc::UnboundedReceiver<Request>) {
    let (seen, requests) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let seen = seen.clone();
        async move {
            while let Some(request) = peer.request().await {
                seen.send(request).unwrap();
                peer.send(ACCEPTED).await;
            }
        }
    })
    .await;
    (server, requests)
}

#[tokio::test]
async fn chunks_and_trailers_arrive() {
    let (server, mut requests) = recording().await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    for _ in 0..3 {
        client.poll(NEXT).await.unwrap();
        requests.recv().await.unwrap();

        let mut upload = client.upload(&head, LONG);
        assert_eq!(upload.send(b"one").await.unwrap(), Progress::Taken);
        assert_eq!(upload.send(b"").await.unwrap(), Progress::Taken);
        assert_eq!(upload.send(&[b'2'; 20_000]).await.unwrap(), Progress::Taken);
        let trailers = [
            ("x-error-type", &b"Function.Broken"[..]),
            ("x-error-body", b"a\r\nx-evil: 1"),
        ];
        let done = upload.finish(&trailers).await.unwrap();
        assert_eq!((done.head.status(), &done.body[..]), (202, &b"ok\n"[..]));

        let request = requests.recv().await.unwrap();
        assert_eq!(
            request.header("trailer"),
            Some("x-error-type, x-error-body")
        );
        assert_eq!((request.chunks, request.body.len()), (2, 20_003));
        let fields: Vec<_> = request
            .trailers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            fields,
            [
                ("x-error-type", "Function.Broken"),
                ("x-error-body", "a  x-evil: 1")
            ]
        );
    }
    assert_eq!(
        client.opened(),
        1,
        "a finished upload leaves the connection usable"
    );
}

#[tokio::test]
async fn an_upload_may_be_empty() {
    let (server, mut requests) = recording().await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    client.upload(&head, LONG).finish(&[]).await.unwrap();
    let request = requests.recv().await.unwrap();
    assert_eq!((request.chunks, request.trailers.len()), (0, 0));
}

#[tokio::test]
async fn an_early_answer_is_noticed_while_waiting_for_the_next_chunk() {
    let server = Server::start(async |mut peer, _| {
        peer.head().await.unwrap();
        peer.chunk().await.unwrap();
        // Not the answer yet.
        peer.drip(b"HTTP/1.1 102 Processing\r\n\r\n").await;
        peer.send(answer(410, "", "late")).await;
        peer.closed().await;
    })
    .await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    let mut upload = client.upload(&head, LONG);
    upload.send(b"one").await.unwrap();
    upload.answered().await;
    assert_eq!(upload.send(b"two").await.unwrap(), Progress::Answered);
    assert_eq!(upload.send(b"").await.unwrap(), Progress::Answered);
    let late = upload.answer().await.unwrap();
    assert_eq!((late.head.status(), &late.body[..]), (410, &b"late"[..]));
    // The request was never completed, so the connection cannot be used again.
    client.upload(&head, LONG).send(b"x").await.unwrap();
    assert_eq!(client.opened(), 2);
}

#[tokio::test]
async fn an_early_answer_stops_a_chunk_in_the_middle() {
    let server = Server::start(async |mut peer, _| {
        peer.head().await.unwrap();
        peer.send(answer(413, "", "too large")).await;
        peer.closed().await;
    })
    .await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    let mut upload = client.upload(&head, LONG);
    let chunk = vec![0; 1 << 20];
    let mut sent = 0;
    while upload.send(&chunk).await.unwrap() == Progress::Taken {
        sent += 1;
        assert!(sent < 100_000, "the answer is never noticed");
    }
    assert_eq!(upload.answer().await.unwrap().head.status(), 413);
}

#[tokio::test]
async fn finish_gives_an_early_answer_too() {
    let server = Server::start(async |mut peer, _| {
        peer.head().await.unwrap();
        peer.send(answer(410, "", "")).await;
        peer.closed().await;
    })
    .await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    let mut upload = client.upload(&head, LONG);
    upload.send(b"one").await.unwrap();
    upload.answered().await;
    assert_eq!(upload.finish(&[]).await.unwrap().head.status(), 410);
}

#[tokio::test]
async fn a_server_that_closes_in_the_middle_is_an_error() {
    let server = Server::start(async |mut peer, n| {
        peer.head().await.unwrap();
        peer.chunk().await.unwrap();
        if n == 1 {
            peer.send("HTTP/1.1 500 Oops\r\ncontent-").await;
        }
    })
    .await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    for n in 0..2 {
        let mut upload = client.upload(&head, LONG);
        upload.send(b"one").await.unwrap();
        upload.answered().await;
        let error = upload.answer().await.unwrap_err();
        match n {
            0 => assert!(matches!(error, ClientError::Closed), "{error:?}"),
            _ => assert_eq!(
                std::error::Error::source(&error).unwrap().to_string(),
                "it is cut short"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_is_left() {
    let server = Server::start(async |mut peer, _| {
        peer.head().await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    let mut upload = client.upload(&head, SHORT);
    let error = upload.send(&vec![0; 64 << 20]).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Timeout {
                waited_for: "go on",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(matches!(
        upload.send(b"x").await,
        Err(ClientError::Interrupted)
    ));
    assert!(matches!(
        upload.answer().await,
        Err(ClientError::Interrupted)
    ));
}

// On the real clock: the system takes its time to say that there is room again.
#[tokio::test]
async fn a_slow_server_that_goes_on_is_waited_for() {
    let server = Server::start(async |mut peer, _| {
        peer.head().await.unwrap();
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            peer.chunk_of(4 << 20).await;
        }
        peer.request().await;
        peer.send(ACCEPTED).await;
    })
    .await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    let mut upload = client.upload(&head, Duration::from_secs(1));
    assert_eq!(
        upload.send(&vec![0; 24 << 20]).await.unwrap(),
        Progress::Taken
    );
}

#[tokio::test]
async fn an_unfinished_upload_is_seen_as_broken_off() {
    let (server, mut requests) = recording().await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    client.upload(&head, LONG).send(b"one").await.unwrap();
    // Its connection is gone, so the next exchange has its own.
    client.poll(NEXT).await.unwrap();
    assert!(requests.recv().await.unwrap().line.starts_with("GET"));
    assert_eq!(client.opened(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stale_connection_is_replaced_at_the_first_chunk() {
    let server = Server::start(async |mut peer, n| {
        peer.request().await.unwrap();
        peer.send(ACCEPTED).await;
        if n > 0 {
            peer.closed().await;
        }
    })
    .await;
    let (mut client, head) = (client(&server), head(&server.endpoint()));
    client.poll(NEXT).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let mut upload = client.upload(&head, LONG);
    assert!(
        tokio::time::timeout(SHORT, upload.answered())
            .await
            .is_err(),
        "nothing is sent yet"
    );
    upload.send(b"one").await.unwrap();
    assert_eq!(upload.finish(&[]).await.unwrap().head.status(), 202);
    assert_eq!(client.opened(), 2);
}
