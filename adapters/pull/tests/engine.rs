//! The engine on a platform that behaves.

mod support;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use faas_sdk_core::{Error, ErrorKind, Program, Reply, Stop};
use faas_sdk_pull::{Engine, Profile};
use support::api::{Api, Do, echo, event, function};

fn slots(slots: usize) -> Profile {
    let mut profile = Profile::default();
    profile.slots = NonZeroUsize::new(slots).unwrap();
    profile
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_carries_a_thousand_invocations() {
    let mut api = Api::start().await;
    let serving = api.serve(echo());
    for n in 0..1_000 {
        api.next(event(&format!("id/{n}"), "", format!("{n}")));
        let post = api.post().await;
        assert_eq!(post.line, format!("POST /id%2F{n}/response HTTP/1.1"));
        assert_eq!(post.body, n.to_string().as_bytes());
    }
    serving.stopped().await.unwrap();
    assert_eq!(api.server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_work_side_by_side_on_a_connection_each() {
    let mut api = Api::start().await;
    let together = Arc::new(tokio::sync::Barrier::new(8));
    let meeting = function(move |_| {
        let together = Arc::clone(&together);
        async move {
            // Nobody leaves before all eight are here.
            together.wait().await;
            Ok(Reply::empty())
        }
    });
    let stop = Stop::new();
    let engine = Engine::new(api.codec.clone(), slots(8)).stop(stop.clone());
    let serving = tokio::spawn(engine.serve(Program::new(meeting)));
    for n in 0..80 {
        api.next(event(&n.to_string(), "", ""));
    }
    for _ in 0..80 {
        api.post().await;
    }
    stop.request();
    serving.await.unwrap().unwrap();
    assert_eq!(api.server.connections(), 8);
}

#[tokio::test]
async fn large_replies_are_sent_without_a_copy_and_too_large_ones_fail() {
    let mut api = Api::start().await;
    api.codec.limit = 2_000;
    let serving = api.serve(echo());
    api.next(event("fits", "", [b'x'; 2_000]));
    let post = api.post().await;
    assert_eq!(
        (&*post.line, post.body.len()),
        ("POST /fits/response HTTP/1.1", 2_000)
    );
    api.next(event("grows", "", [b'x'; 2_001]));
    let post = api.post().await;
    assert_eq!(post.line, "POST /grows/error HTTP/1.1");
    assert_eq!(post.body, b"ReplyTooLarge: it is too large");
    serving.stopped().await.unwrap();
}

#[tokio::test]
async fn errors_and_panics_are_reported_and_the_slot_goes_on() {
    let mut api = Api::start().await;
    let serving = api.serve(function(|invocation| async move {
        match &*invocation.info.id {
            "fails" => Err(Error::new(ErrorKind::Conflict, "not now")),
            "panics" => panic!("on purpose"),
            _ => Ok(Reply::empty()),
        }
    }));
    for (id, line, body) in [
        ("fails", "POST /fails/error HTTP/1.1", "Conflict: not now"),
        (
            "panics",
            "POST /panics/error HTTP/1.1",
            "Panic: panicked: on purpose",
        ),
        ("works", "POST /works/response HTTP/1.1", ""),
    ] {
        api.next(event(id, "", ""));
        let post = api.post().await;
        assert_eq!(
            (&*post.line, &*String::from_utf8(post.body).unwrap()),
            (line, body)
        );
    }
    serving.stopped().await.unwrap();
    assert_eq!(api.server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_outlives_its_deadline_is_answered_as_a_timeout() {
    let mut api = Api::start().await;
    let serving = api.serve(function(|_| std::future::pending()));
    api.next(event("slow", "x-allowed-ms: 1000\r\n", ""));
    let post = api.post().await;
    assert_eq!(post.line, "POST /slow/error HTTP/1.1");
    assert!(post.body.starts_with(b"Timeout: "), "{post:?}");
    serving.stopped().await.unwrap();
}

#[tokio::test]
async fn only_the_first_invocation_is_a_cold_start() {
    let mut api = Api::start().await;
    let serving = api.serve(function(|invocation| async move {
        Ok(Reply::json(invocation.info.cold_start.to_string().into()))
    }));
    for cold in ["true", "false", "false"] {
        api.next(event("1", "", ""));
        assert_eq!(api.post().await.body, cold.as_bytes());
    }
    serving.stopped().await.unwrap();
}

#[tokio::test]
async fn events_that_do_not_decode_are_reported() {
    let mut api = Api::start().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let invoke = function(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(Reply::empty()) }
    });
    let mut profile = Profile::default();
    profile.max_event = 1_000;
    let stop = Stop::new();
    let engine = Engine::new(api.codec.clone(), profile).stop(stop.clone());
    let serving = tokio::spawn(engine.serve(Program::new(invoke)));

    api.next(event("bad", "x-bad: 1\r\n", ""));
    let post = api.post().await;
    assert_eq!(
        (&*post.line, &*post.body),
        ("POST /bad/error HTTP/1.1", &b"InvalidInput: it is bad"[..])
    );

    api.next(event("huge", "", [0; 1_001]));
    let post = api.post().await;
    assert_eq!(post.line, "POST /huge/error HTTP/1.1");
    let text = String::from_utf8(post.body).unwrap();
    assert!(
        text.starts_with("PayloadTooLarge: ") && text.contains("1000 bytes"),
        "{text}"
    );

    // The answer ends in the middle of the event.
    api.next(Do::Send(
        b"HTTP/1.1 200 OK\r\nx-id: cut\r\ntransfer-encoding: chunked\r\n\r\nzz".to_vec(),
    ));
    let post = api.post().await;
    assert_eq!(post.line, "POST /cut/error HTTP/1.1");
    assert!(
        post.body
            .starts_with(b"Protocol: the event could not be read"),
        "{post:?}"
    );

    assert_eq!(calls.load(Ordering::SeqCst), 0);
    api.next(event("good", "", ""));
    assert_eq!(api.post().await.line, "POST /good/response HTTP/1.1");
    stop.request();
    serving.await.unwrap().unwrap();
}

#[test]
fn serving_is_send() {
    fn is_send<T: Send>(_: &T) {}
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let api = Api::start().await;
        is_send(&api.engine(&Stop::new()).serve(Program::new(echo())));
        let error = Error::from(ErrorKind::Internal);
        is_send(&api.engine(&Stop::new()).report_init_error(&error));
        tokio::time::sleep(Duration::ZERO).await;
    });
}
