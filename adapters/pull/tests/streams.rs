//! Replies that are sent while they come to be.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use faas_sdk_core::{Body, BodySender, Content, Error, ErrorKind, Invoke, Reply, Result};
use support::answer;
use support::api::{Api, Log, event, function};

/// Answers with a stream made by `produce`.
fn stream<F, Fut>(produce: F) -> Arc<dyn Invoke>
where
    F: Fn(BodySender) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    function(move |_| {
        let body = Body::produce(produce.clone());
        async { Ok(Reply::Content(Content::new("text/plain", body))) }
    })
}

#[tokio::test]
async fn pieces_go_out_as_chunks_on_the_kept_connection() {
    let mut api = Api::start().await;
    let serving = api.serve(stream(async |mut out: BodySender| {
        for piece in ["one ", "two ", "three"] {
            tokio::task::yield_now().await;
            out.send(piece).await?;
        }
        Ok(())
    }));
    for _ in 0..20 {
        api.next(event("1", "", ""));
        let post = api.post().await;
        assert_eq!((post.chunks, &*post.body), (3, &b"one two three"[..]));
        assert!(post.trailers.is_empty());
    }
    serving.stopped().await.unwrap();
    assert_eq!(api.server.connections(), 1);
}

#[tokio::test]
async fn an_error_in_the_middle_becomes_trailers() {
    let mut api = Api::start().await;
    for panics in [false, true] {
        let serving = api.serve(stream(move |mut out: BodySender| async move {
            out.send("some").await?;
            tokio::task::yield_now().await;
            assert!(!panics, "on purpose");
            Err(Error::new(ErrorKind::Unavailable, "the source dried up"))
        }));
        api.next(event("1", "", ""));
        let post = api.post().await;
        assert_eq!((post.chunks, &*post.body), (1, &b"some"[..]));
        let (name, value) = &post.trailers[0];
        assert_eq!(name, "x-error");
        let said = if panics {
            "Panic: panicked"
        } else {
            "Unavailable: the source dried up"
        };
        assert!(value.starts_with(said), "{value}");
        serving.stopped().await.unwrap();
    }
    assert_eq!(
        api.server.connections(),
        2,
        "one a server run: an error costs no connection"
    );
}

#[tokio::test]
async fn without_trailers_a_broken_stream_is_broken_off() {
    let mut api = Api::start().await;
    api.codec.has_trailers = false;
    let (log, _guard) = Log::capture();
    let serving = api.serve(function(|invocation| async move {
        let breaks = &*invocation.info.id == "breaks";
        let body = Body::produce(async move |mut out: BodySender| {
            out.send("some").await?;
            if breaks {
                Err(ErrorKind::Internal.into())
            } else {
                Ok(())
            }
        });
        Ok(Reply::Content(Content::new("text/plain", body)))
    }));
    api.next(event("breaks", "", ""));
    api.next(event("works", "", ""));
    // The broken one never became a whole request.
    assert_eq!(api.post().await.line, "POST /works/response HTTP/1.1");
    assert!(
        log.has(&["request_id=\"breaks\"", "broken off"]),
        "{}",
        log.text()
    );
    serving.stopped().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_error_before_the_first_piece_fails_the_invocation() {
    for prelude in ["", "status 200"] {
        let mut api = Api::start().await;
        api.codec.prelude = prelude;
        let serving = api.serve(stream(async |_: BodySender| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(Error::new(ErrorKind::NotFound, "nothing there"))
        }));
        api.next(event("1", "", ""));
        let post = api.post().await;
        assert_eq!(post.line, "POST /1/error HTTP/1.1");
        assert_eq!(post.body, b"NotFound: nothing there");
        serving.stopped().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_prelude_does_not_wait_long_for_the_first_piece() {
    let mut api = Api::start().await;
    api.codec.prelude = "prelude;";
    let serving = api.serve(stream(async |mut out: BodySender| {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        out.send("late").await?;
        Err(ErrorKind::Internal.into())
    }));
    api.next(event("1", "", ""));
    let post = api.post().await;
    assert_eq!((post.chunks, &*post.body), (2, &b"prelude;late"[..]));
    assert_eq!(post.trailers.len(), 1);
    serving.stopped().await.unwrap();
}

#[tokio::test]
async fn an_empty_stream_is_an_empty_body() {
    let mut api = Api::start().await;
    let serving = api.serve(stream(async |_: BodySender| Ok(())));
    api.next(event("1", "", ""));
    let post = api.post().await;
    assert_eq!((&*post.line, post.chunks), ("POST /1/response HTTP/1.1", 0));
    serving.stopped().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_for_the_stream() {
    let mut api = Api::start().await;
    let serving = api.serve(stream(async |mut out: BodySender| {
        out.send("some").await?;
        std::future::pending().await
    }));
    api.next(event("1", "x-allowed-ms: 5000\r\n", ""));
    let post = api.post().await;
    assert_eq!(post.body, b"some");
    assert!(post.trailers[0].1.starts_with("Timeout: "), "{post:?}");
    serving.stopped().await.unwrap();
}

/// Tells when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn an_early_answer_ends_the_producer() {
    let (log, _guard) = Log::capture();
    for waits in [false, true] {
        let dropped = Arc::new(AtomicBool::new(false));
        let guard = Arc::clone(&dropped);
        let invoke = function(move |_| {
            let guard = Dropped(Arc::clone(&guard));
            let body = Body::produce(async move |mut out: BodySender| {
                let _guard = guard;
                loop {
                    out.send(vec![b'x'; 10_000]).await?;
                    if waits {
                        std::future::pending::<()>().await;
                    }
                }
            });
            async { Ok(Reply::Content(Content::new("text/plain", body))) }
        });
        let server = support::Server::start(async |mut peer, n| {
            peer.head().await.unwrap();
            if n == 0 {
                peer.send(answer(200, "x-id: endless\r\n", "")).await;
                peer.head().await.unwrap();
                peer.chunk().await.unwrap();
                peer.send(answer(413, "", "enough")).await;
            }
            peer.closed().await;
        })
        .await;
        let mut api = Api::start().await;
        api.codec = support::api::TestCodec::new(server.endpoint());
        let serving = api.serve(invoke);
        // The slot polls again, on another connection.
        while server.connections() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(dropped.load(Ordering::SeqCst));
        assert!(
            log.has(&["ERROR", "request_id=\"endless\"", "status=413", "enough"]),
            "{}",
            log.text()
        );
        serving.stopped().await.unwrap();
    }
}

#[tokio::test]
async fn a_platform_that_closes_in_the_middle_is_logged() {
    let (log, _guard) = Log::capture();
    let server = support::Server::start(async |mut peer, n| {
        peer.head().await.unwrap();
        if n == 0 {
            peer.send(answer(200, "x-id: cut\r\n", "")).await;
            peer.head().await.unwrap();
            peer.chunk().await.unwrap();
            return;
        }
        peer.closed().await;
    })
    .await;
    let mut api = Api::start().await;
    api.codec = support::api::TestCodec::new(server.endpoint());
    let serving = api.serve(stream(async |mut out: BodySender| {
        out.send("some").await?;
        std::future::pending().await
    }));
    while server.connections() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(
        log.has(&["ERROR", "request_id=\"cut\"", "did not reach the platform"]),
        "{}",
        log.text()
    );
    serving.stopped().await.unwrap();
}
