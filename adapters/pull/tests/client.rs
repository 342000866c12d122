//! One connection against a server that does all a server may do.

mod support;

use std::sync::Arc;
use std::time::Duration;

use faas_sdk_pull::{
    ClientError, Connection, ConnectionOptions, Endpoint, Limits, PathPart, ProtocolError,
    RequestWriter,
};
use support::{ACCEPTED, Server, answer};

/// Long enough never to pass in these tests.
const LONG: Duration = Duration::from_secs(60);
/// Passes on the paused clock only when nothing else is left to do.
const SHORT: Duration = Duration::from_millis(50);

const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n";

fn client(server: &Server) -> Connection {
    Connection::new(server.endpoint(), ConnectionOptions::default())
}

fn post(endpoint: &Endpoint, id: &str, length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let path = [
        PathPart::Fixed("/"),
        PathPart::Segment(id),
        PathPart::Fixed("/response"),
    ];
    RequestWriter::new(&mut out, "POST", endpoint, &path).length(length);
    out
}

/// A server that answers everything properly.
async fn well_behaved() -> Server {
    Server::start(async |mut peer, _| {
        while let Some(request) = peer.request().await {
            match request.line.starts_with("GET") {
                true => peer.send(answer(200, "x-id: 7\r\n", b"event")).await,
                false => peer.send(ACCEPTED).await,
            }
        }
    })
    .await
}

#[tokio::test]
async fn one_connection_carries_ten_thousand_exchanges() {
    let server = well_behaved().await;
    let mut client = client(&server);
    let head = post(&server.endpoint(), "7", 2);
    for _ in 0..5_000 {
        let event = client.poll(NEXT).await.unwrap();
        assert_eq!(
            (event.head.get("x-id"), &event.body[..]),
            (Some(&b"7"[..]), &b"event"[..])
        );
        let done = client.post(&head, b"{}", LONG).await.unwrap();
        assert_eq!((done.head.status(), done.resent), (202, false));
    }
    assert_eq!((client.opened(), server.connections()), (1, 1));
}

#[tokio::test]
async fn slices_of_an_answer_survive_later_exchanges() {
    let server = well_behaved().await;
    let mut client = client(&server);
    let mut kept = Vec::new();
    for _ in 0..500 {
        let event = client.poll(NEXT).await.unwrap();
        kept.push((event.head.text("x-id").unwrap().unwrap(), event.body));
    }
    assert!(kept.iter().all(|(id, body)| id == "7" && body == "event"));
    assert_eq!(client.opened(), 1);
}

#[tokio::test]
async fn a_request_arrives_as_written() {
    let server = Server::start(async |mut peer, _| {
        let request = peer.request().await.unwrap();
        assert_eq!(request.line, "POST /a%20b%2F/response HTTP/1.1");
        peer.send(answer(200, "", &request.body)).await;
    })
    .await;
    let mut client = client(&server);
    let head = post(&server.endpoint(), "a b/", 4);
    assert_eq!(
        client.post(&head, b"body", LONG).await.unwrap().body,
        "body"
    );
}

#[tokio::test]
async fn an_answer_in_single_bytes_is_read() {
    let server = Server::start(async |mut peer, _| {
        while peer.request().await.is_some() {
            peer.drip(
                b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            )
            .await;
            peer.drip(b"2\r\nab\r\n3;x\r\ncde\r\n0\r\nx-t: 1\r\n\r\n")
                .await;
        }
    })
    .await;
    let mut client = client(&server);
    for _ in 0..3 {
        assert_eq!(client.poll(NEXT).await.unwrap().body, "abcde");
    }
    assert_eq!(client.opened(), 1);
}

#[tokio::test]
async fn large_bodies_go_both_ways_and_their_memory_is_given_back() {
    let server = Server::start(async |mut peer, _| {
        while let Some(request) = peer.request().await {
            peer.send(answer(200, "", &request.body)).await;
        }
    })
    .await;
    let mut client = client(&server);
    let body: Vec<u8> = (0..5 << 20).map(|n: u32| n as u8).collect();
    for _ in 0..2 {
        let head = post(&server.endpoint(), "1", body.len());
        assert!(client.post(&head, &body, LONG).await.unwrap().body == body);
        assert_eq!(
            client
                .post(&post(&server.endpoint(), "1", 2), b"ok", LONG)
                .await
                .unwrap()
                .body,
            "ok"
        );
    }
    assert_eq!(client.opened(), 1);
}

#[tokio::test]
async fn the_server_may_end_the_connection_with_an_answer() {
    for close in [
        &b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi"[..],
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\n\r\nhi",
        // Two answers to one request.
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno",
    ] {
        let server = Server::start(move |mut peer, _| async move {
            peer.request().await.unwrap();
            peer.send(close).await;
        })
        .await;
        let mut client = client(&server);
        for n in 1..=3 {
            let answer = client.poll(NEXT).await.unwrap();
            assert_eq!((&answer.body[..], answer.resent), (&b"hi"[..], false));
            assert_eq!(client.opened(), n);
        }
    }
}

/// The first connection serves one exchange and is closed when the second request has come.
async fn closes_on_reuse() -> Server {
    Server::start(async |mut peer, n| {
        peer.request().await.unwrap();
        peer.send(ACCEPTED).await;
        while peer.request().await.is_some() && n > 0 {
            peer.send(ACCEPTED).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_reused_connection_that_closes_silently_is_replaced() {
    let server = closes_on_reuse().await;
    let mut client = client(&server);
    client.poll(NEXT).await.unwrap();
    assert!(client.poll(NEXT).await.unwrap().resent);
    assert_eq!(client.opened(), 2);

    let server = closes_on_reuse().await;
    let (mut client, head) = (self::client(&server), post(&server.endpoint(), "1", 2));
    client.poll(NEXT).await.unwrap();
    assert!(client.post(&head, b"{}", LONG).await.unwrap().resent);
    assert!(!client.post(&head, b"{}", LONG).await.unwrap().resent);
    assert_eq!(client.opened(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_idle_costs_nothing() {
    let server = Server::start(async |mut peer, _| {
        peer.request().await.unwrap();
        peer.send(ACCEPTED).await;
    })
    .await;
    let (mut client, head) = (client(&server), post(&server.endpoint(), "1", 2));
    for n in 1..=5 {
        assert_eq!(
            client.post(&head, b"{}", LONG).await.unwrap().head.status(),
            202
        );
        assert_eq!(client.opened(), n);
        // The end of the stream is there before the next request.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_new_connection_that_closes_is_an_error() {
    let server = Server::start(async |mut peer, _| {
        peer.request().await.unwrap();
    })
    .await;
    let (mut client, head) = (client(&server), post(&server.endpoint(), "1", 2));
    assert!(matches!(client.poll(NEXT).await, Err(ClientError::Closed)));
    assert!(matches!(
        client.post(&head, b"{}", LONG).await,
        Err(ClientError::Closed)
    ));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_answer_that_has_begun_is_never_asked_for_again() {
    let server = Server::start(async |mut peer, _| {
        peer.request().await.unwrap();
        peer.send(ACCEPTED).await;
        peer.request().await.unwrap();
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nev")
            .await;
    })
    .await;
    let mut client = client(&server);
    client.poll(NEXT).await.unwrap();
    let error = client.poll(NEXT).await.unwrap_err();
    assert!(
        matches!(error, ClientError::Protocol(ProtocolError::Truncated)),
        "{error:?}"
    );
    assert_eq!(client.last_head().unwrap().status(), 200);
    assert_eq!(server.connections(), 1);
    client.poll(NEXT).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stalls_is_left() {
    let server = Server::start(async |mut peer, n| {
        peer.request().await;
        match n {
            0 => peer.closed().await,
            1 => {
                peer.send(b"HTTP/1.1 200 OK\r\ncontent-le").await;
                peer.closed().await;
            }
            _ => peer.send(ACCEPTED).await,
        }
    })
    .await;
    let options = ConnectionOptions {
        stall: SHORT,
        ..ConnectionOptions::default()
    };
    let mut client = Connection::new(server.endpoint(), options);
    let head = post(&server.endpoint(), "1", 2);
    let error = client.post(&head, b"{}", SHORT).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Timeout {
                waited_for: "answer",
                ..
            }
        ),
        "{error:?}"
    );
    let error = client.poll(NEXT).await.unwrap_err();
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
    assert_eq!(client.poll(NEXT).await.unwrap().head.status(), 202);
}

#[tokio::test]
async fn garbage_ends_the_connection_not_the_client() {
    let server = Server::start(async |mut peer, n| {
        peer.request().await.unwrap();
        match n {
            0 => peer.send("SSH-2.0-OpenSSH_9.6\r\n").await,
            1 => peer.send(answer(200, &"a: b\r\n".repeat(101), "")).await,
            2 => {
                peer.send(answer(200, &format!("a: {}\r\n", "b".repeat(70_000)), ""))
                    .await;
            }
            3 => peer.send(answer(200, "x-id: 9\r\n", vec![0; 2_000])).await,
            _ => peer.send(ACCEPTED).await,
        }
        peer.closed().await;
    })
    .await;
    let limits = Limits {
        body: 1_000,
        ..Limits::default()
    };
    let options = ConnectionOptions {
        limits,
        ..ConnectionOptions::default()
    };
    let mut client = Connection::new(server.endpoint(), options);
    for (expected, id) in [
        (ProtocolError::NotHttp, None),
        (ProtocolError::TooManyHeaders { limit: 100 }, None),
        (ProtocolError::HeadTooLarge { limit: 64 << 10 }, None),
        (
            ProtocolError::BodyTooLarge { limit: 1_000 },
            Some(&b"9"[..]),
        ),
    ] {
        match client.poll(NEXT).await {
            Err(ClientError::Protocol(error)) => assert_eq!(error, expected),
            other => panic!("{other:?}"),
        }
        // An answer that is too long still says what it was about.
        assert_eq!(client.last_head().and_then(|head| head.get("x-id")), id);
    }
    assert_eq!(client.poll(NEXT).await.unwrap().head.status(), 202);
}

#[tokio::test]
async fn an_answer_before_the_request_is_read_counts() {
    let server = Server::start(async |mut peer, _| {
        peer.head().await.unwrap();
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        // Take some, so that the client is in the middle of writing.
        for _ in 0..3 {
            peer.chunk_of(100_000).await;
        }
        peer.send(answer(413, "", "too large")).await;
        peer.closed().await;
    })
    .await;
    let (mut client, body) = (client(&server), vec![b'x'; 20 << 20]);
    let head = post(&server.endpoint(), "1", body.len());
    for n in 1..=2 {
        let refused = client.post(&head, &body, LONG).await.unwrap();
        assert_eq!(
            (refused.head.status(), &refused.body[..]),
            (413, &b"too large"[..])
        );
        assert_eq!(client.opened(), n, "the rest of the request was never sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_exchange_closes_its_connection() {
    let (gone, mut went) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, n| {
        let gone = gone.clone();
        async move {
            peer.request().await.unwrap();
            if n == 0 {
                peer.closed().await;
                gone.send(()).unwrap();
            } else {
                peer.send(ACCEPTED).await;
            }
        }
    })
    .await;
    let mut client = client(&server);
    assert!(
        tokio::time::timeout(SHORT, client.poll(NEXT))
            .await
            .is_err()
    );
    went.recv().await.unwrap();
    assert_eq!(client.poll(NEXT).await.unwrap().head.status(), 202);
}

#[tokio::test]
async fn nobody_listening_is_said_with_the_address() {
    let server = Server::start(async |_, _| {}).await;
    let endpoint = server.endpoint();
    drop(server);
    tokio::task::yield_now().await;
    let mut client = Connection::new(Arc::clone(&endpoint), ConnectionOptions::default());
    let error = client.poll(NEXT).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("could not connect to {}", endpoint.authority())
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn futures_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let endpoint = Arc::new(Endpoint::parse("API", "h:1").unwrap());
    let mut client = Connection::new(endpoint, ConnectionOptions::default());
    is_send(&client.poll(NEXT));
    is_send(&client.post(NEXT, b"", LONG));
    let mut upload = client.upload(b"", LONG);
    is_send(&upload.answered());
    is_send(&upload.send(b""));
    is_send(&upload.finish(&[]));
}
