//! The engine on a platform that does not behave.

mod support;

use std::time::Duration;

use faas_sdk_core::{ErrorKind, Reply};
use support::answer;
use support::api::{Api, Do, Log, echo, event, function};

#[tokio::test(start_paused = true)]
async fn a_report_that_fails_is_logged_and_the_slot_lives_on() {
    let mut api = Api::start().await;
    let (log, _guard) = Log::capture();
    let serving = api.serve(echo());
    for (n, (act, said)) in [
        (Do::Stall, "did not answer within 10s"),
        (
            Do::Send(b"SSH-2.0".to_vec()),
            "it does not start with HTTP/1.",
        ),
        (
            Do::Send(b"HTTP/1.1 202 Accepted\r\ncontent-".to_vec()),
            "did not answer within 10s",
        ),
        (Do::Send(answer(500, "", "out of order")), "out of order"),
        (Do::Send(answer(413, "", "too large")), "too large"),
        (
            Do::Send(answer(400, "", "InvalidRequestID")),
            "InvalidRequestID",
        ),
        (Do::Send(answer(410, "", "")), "too late"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("id-{n}");
        api.answer_post(act);
        api.next(event(&id, "", ""));
        assert_eq!(
            api.post().await.line,
            format!("POST /{id}/response HTTP/1.1")
        );
        // The next one is served all the same.
        api.next(event("after", "", "fine"));
        assert_eq!(api.post().await.body, b"fine");
        assert!(
            log.has(&[&format!("request_id=\"{id}\""), said]),
            "{said:?} in {}",
            log.text()
        );
    }
    assert!(
        !log.has(&["after"]),
        "what worked is not mentioned: {}",
        log.text()
    );
    serving.stopped().await.unwrap();
}

#[tokio::test]
async fn a_report_on_a_stale_connection_is_sent_again_and_its_refusal_counts_as_success() {
    let mut api = Api::start().await;
    let (log, _guard) = Log::capture();
    let serving = api.serve(echo());
    api.answer_post(Do::Close);
    api.answer_post(Do::Send(answer(400, "", "InvalidRequestID")));
    api.next(event("1", "", "once"));
    assert_eq!(api.post().await.body, b"once");
    assert_eq!(api.post().await.body, b"once");
    api.next(event("2", "", ""));
    api.post().await;
    assert!(
        log.has(&["INFO", "request_id=\"1\"", "twice"]),
        "{}",
        log.text()
    );
    assert!(
        !log.has(&["ERROR"]) && !log.has(&["WARN"]),
        "{}",
        log.text()
    );
    serving.stopped().await.unwrap();
    assert_eq!(api.server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn polls_that_fail_are_repeated_at_a_bounded_rate() {
    for failure in [
        Do::Close,
        Do::Send(b"garbage".to_vec()),
        Do::Send(answer(503, "", "try later")),
        Do::Send(answer(200, "", "an event without an id")),
    ] {
        let mut api = Api::start().await;
        let (log, _guard) = Log::capture();
        let serving = api.serve(echo());
        for _ in 0..10 {
            api.next(failure.clone());
        }
        let started = tokio::time::Instant::now();
        api.next(event("at last", "", "here"));
        assert_eq!(api.post().await.body, b"here");
        // 25 ms doubled nine times, 5 s at most: 25 + 50 + … + 3200 + 5000 + 5000.
        assert!(
            started.elapsed() >= Duration::from_millis(16_375),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(
            log.text()
                .lines()
                .filter(|line| line.contains("the poll is repeated"))
                .count(),
            10
        );

        // A success starts the count anew.
        api.next(failure.clone());
        let started = tokio::time::Instant::now();
        api.next(event("again", "", ""));
        api.post().await;
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{:?}",
            started.elapsed()
        );
        serving.stopped().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_event_is_no_failure() {
    let mut api = Api::start().await;
    let (log, _guard) = Log::capture();
    let serving = api.serve(echo());
    for _ in 0..20 {
        api.next(Do::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()));
    }
    let started = tokio::time::Instant::now();
    api.next(event("1", "", "one"));
    assert_eq!(api.post().await.body, b"one");
    // Twenty times the shortest pause, and no more.
    let elapsed = started.elapsed().as_millis();
    assert!((500..1_000).contains(&elapsed), "{elapsed}");
    assert_eq!(log.text(), "");
    serving.stopped().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_is_waited_for_and_a_stop_ends_the_wait() {
    let api = Api::start().await;
    let endpoint = api.server.endpoint();
    let serving = api.serve(echo());
    drop(api);
    assert_eq!(endpoint.host(), "127.0.0.1");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!serving.task.is_finished());
    serving.stopped().await.unwrap();
}

#[tokio::test]
async fn a_fatal_answer_ends_serving_after_running_invocations() {
    let mut api = Api::start().await;
    let (go, gone) = tokio::sync::watch::channel(false);
    let invoke = function(move |_| {
        let mut gone = gone.clone();
        async move {
            gone.wait_for(|go| *go).await.unwrap();
            Ok(Reply::json("done".into()))
        }
    });
    let mut profile = faas_sdk_pull::Profile::default();
    profile.slots = 2.try_into().unwrap();
    let engine = faas_sdk_pull::Engine::new(api.codec.clone(), profile);
    let serving = tokio::spawn(engine.serve(faas_sdk_core::Program::new(invoke)));
    api.next(event("running", "", ""));
    api.next(Do::Send(answer(500, "", "ContainerError")));
    // Both polls have been answered, or will be before the handler may go on.
    while api.server.connections() < 2 {
        tokio::task::yield_now().await;
    }
    go.send(true).unwrap();
    assert_eq!(api.post().await.body, b"done");
    let error = serving.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(error.to_string(), "the platform answered 500 to the poll");
    assert_eq!(error.context(), [("body", "ContainerError".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_panics_is_replaced() {
    let mut api = Api::start().await;
    let (log, _guard) = Log::capture();
    let serving = api.serve(echo());
    for round in 0..3 {
        api.next(event(&format!("bug-{round}"), "x-codec-bug: 1\r\n", ""));
        let post = api.post().await;
        assert_eq!(post.line, format!("POST /bug-{round}/error HTTP/1.1"));
        assert_eq!(
            post.body,
            b"Internal: the engine failed while it handled the invocation"
        );
        api.next(event("fine", "", "fine"));
        assert_eq!(api.post().await.body, b"fine");
    }
    assert!(log.has(&["ERROR", "a slot panicked"]), "{}", log.text());
    serving.stopped().await.unwrap();
}
