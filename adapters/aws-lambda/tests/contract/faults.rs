use super::{echo, serve, serve_as};
use bytes::Bytes;
use faas_sdk_adapter_aws_lambda::AwsLambda;
use faas_sdk_core::ErrorKind;
use faas_sdk_testkit::lambda::{Cut, Event, FakeRuntimeApi, Fault, Outcome, Route};
use serde_json::json;
use std::time::Duration;

/// Whatever happens to a poll, the next invocation is answered.
#[tokio::test]
async fn a_poll_that_fails_is_repeated() {
    let garbage = Bytes::from_static(b"SSH-2.0-nothing\r\n\r\n\xff\x00");
    for fault in [
        Fault::Close,
        Fault::Raw(garbage),
        Fault::Raw(Bytes::new()),
        Fault::status(403, "InvalidStateTransition", "not now"),
        Fault::status(404, "NotFound", "where"),
        Fault::status(503, "Busy", "later"),
        Fault::answer(200, ""),
        Fault::Cut(Cut::Head),
        Fault::Cut(Cut::Body),
        Fault::Cut(Cut::At(0)),
        Fault::SingleBytes,
        Fault::Extra(Bytes::from_static(
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        )),
        Fault::Delay(Duration::from_millis(20)),
        Fault::ConnectionClose,
        Fault::Chunked { size: 1 },
        Fault::HeaderFlood {
            count: 2000,
            value_len: 10,
        },
        Fault::HeaderFlood {
            count: 2,
            value_len: 100_000,
        },
    ] {
        let name = format!("{fault:?}");
        let running = serve(FakeRuntimeApi::builder().lenient(), echo()).await;
        running.api.fault(Route::Next, fault);
        let flood = name.starts_with("HeaderFlood");
        let time = Duration::from_millis(if flood { 300 } else { 20_000 });
        let first = Event::json(json!({"fault": name})).deadline(time);
        let outcome = running.api.invoke(first).await;
        // A flood is refused with its event; everything else only delays it.
        assert!(flood || outcome.response().is_some(), "{name}: {outcome:?}");
        let second = running.api.invoke(Event::json(json!(2))).await;
        assert!(second.response().is_some(), "after {name}: {second:?}");
        assert_eq!(running.api.faults_left(), 0, "{name}");
        running.end().await;
    }
}

/// Whatever happens to an answer, the slot lives on.
#[tokio::test]
async fn an_answer_that_fails_is_survived() {
    for (fault, delivered) in [
        (Fault::Close, false),
        (Fault::Stall, false),
        (Fault::Freeze, false),
        (
            Fault::Raw(Bytes::from_static(b"\x16\x03\x01garbage\r\n\r\n")),
            false,
        ),
        (Fault::status(400, "InvalidRequestID", "who"), false),
        (Fault::status(410, "InvokeTimeout", "too late"), false),
        (
            Fault::status(413, "RequestEntityTooLarge", "too much"),
            false,
        ),
        (Fault::status(500, "InternalServerError", "oops"), false),
        (Fault::Cut(Cut::Head), true),
        (Fault::Cut(Cut::At(0)), true),
        (Fault::SingleBytes, true),
        (Fault::ConnectionClose, true),
        (Fault::Chunked { size: 3 }, true),
    ] {
        let name = format!("{fault:?}");
        let adapter = AwsLambda::new().post_timeout(Duration::from_millis(200));
        let builder = FakeRuntimeApi::builder().deadline(Duration::from_millis(600));
        let running = serve_as(adapter, builder, echo()).await;
        running.api.fault(Route::Response, fault);
        let outcome = running.api.invoke(Event::json(json!(1))).await;
        if delivered {
            assert!(outcome.response().is_some(), "{name}: {outcome:?}");
        } else {
            assert!(!matches!(outcome, Outcome::Error(_)), "{name}: {outcome:?}");
        }
        let second = running
            .api
            .invoke(Event::json(json!(2)).deadline(Duration::from_secs(9)))
            .await;
        assert!(second.response().is_some(), "after {name}: {second:?}");
        running.end().await;
    }
}

#[tokio::test]
async fn a_container_error_ends_the_instance() {
    let running = serve(FakeRuntimeApi::builder(), echo()).await;
    running.api.wait_idle_next(1).await.expect("it polls");
    running.api.fault(
        Route::Next,
        Fault::status(500, "InternalServerError", "broken"),
    );
    assert!(
        running
            .api
            .invoke(Event::json(json!(1)))
            .await
            .response()
            .is_some()
    );
    let error = running.ended().await.expect_err("the end");
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_failing_poll_is_not_repeated_in_a_hot_loop() {
    let running = serve(FakeRuntimeApi::builder(), echo()).await;
    running.api.wait_idle_next(1).await.expect("it polls");
    for _ in 0..6 {
        running
            .api
            .fault(Route::Next, Fault::status(503, "Busy", "later"));
    }
    let before = std::time::Instant::now();
    let calls = [json!(1), json!(2)].map(|value| running.api.invoke(Event::json(value)));
    for call in calls {
        assert!(call.await.response().is_some());
    }
    // Six pauses that double from 25 ms on; a lower bound cannot fail on a slow machine.
    assert!(before.elapsed() >= Duration::from_millis(25 * 63));
    running.end().await;
}

/// The platform never sends one; should it, the invocation is reported, and not in a hot loop.
#[tokio::test]
async fn an_event_larger_than_the_platform_sends_is_refused() {
    let patience = Duration::from_millis(500);
    let builder = FakeRuntimeApi::builder()
        .deadline(patience)
        .patience(patience);
    let running = serve(builder, echo()).await;
    let fits = "x".repeat((6 << 20) - 2);
    let event = Event::json(json!(fits)).deadline(Duration::from_secs(20));
    let outcome = running.api.invoke(event).await;
    assert_eq!(outcome.response().expect("a response").body.len(), 6 << 20);
    // The fake hands an event out again that was not read to its end.
    let too_large = running
        .api
        .invoke(Event::bytes(vec![b' '; (6 << 20) + 101]))
        .await;
    assert!(too_large.response().is_none(), "{too_large:?}");
    assert!(running.api.connections() < 20, "{}", running.api.observe());
    running.end().await;
}
