//! What becomes of spans and records that a receiver does not take.

use crate::receiver::{LOGS, Receiver, Reply, TRACES};
use crate::support::{ENOUGH, Logging, otlp};
use faas_sdk_log::{FlushError, Otlp, flush, pending};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

fn work(name: &str) {
    tracing::info_span!("work", otel.name = name).in_scope(|| tracing::info!("{name}"));
}

const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_receiver_that_never_answers_holds_nobody_up_and_loses_nothing() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    receiver.hang(TRACES);
    receiver.hang(LOGS);
    work("first");
    let error = flush(SHORT).await.expect_err("no answer");
    assert_eq!((error.kept(), error.lost(), pending()), (2, 0, 2));
    let text = "spans: 1 kept for the next flush, the receiver did not answer in time; \
                log records: 1 kept for the next flush, the receiver did not answer in time";
    assert_eq!(error.to_string(), text);
    assert_eq!(receiver.open(), 0, "its connections are closed");
    receiver.recover();
    work("second");
    flush(ENOUGH).await.expect("exported");
    // The receiver may have read the first request after it was given up.
    let messages: BTreeSet<_> = receiver.messages().into_iter().collect();
    let spans: BTreeSet<_> = receiver.spans().into_iter().map(|span| span.name).collect();
    let both = BTreeSet::from(["first".to_owned(), "second".to_owned()]);
    assert_eq!((messages, spans), (both.clone(), both));
    assert_eq!(logging.lines().len(), 2, "nothing to tell");
}

#[tokio::test]
async fn one_signal_does_not_wait_for_the_other() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    receiver.hang(TRACES);
    work("first");
    {
        let mut flushing = pin!(flush(ENOUGH));
        let done = || pending() == 1 && receiver.requests().len() == 2;
        until(flushing.as_mut(), done).await;
    }
    assert_eq!((receiver.messages().len(), pending()), (1, 1));
    receiver.recover();
    flush(ENOUGH).await.expect("exported");
    assert_eq!((receiver.messages().len(), receiver.spans().len()), (1, 1));
}

/// Polls a flush that does not end until something is so.
async fn until(
    mut flushing: Pin<&mut impl Future<Output = Result<(), FlushError>>>,
    so: impl Fn() -> bool,
) {
    poll_fn(|cx| {
        assert!(flushing.as_mut().poll(cx).is_pending());
        if so() {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[tokio::test]
async fn a_request_has_a_timeout_of_its_own() {
    let receiver = Receiver::start();
    let _logging = Logging::with(otlp(&receiver).timeout(SHORT), |builder| builder);
    receiver.hang(LOGS);
    tracing::info!("first");
    let error = flush(ENOUGH).await.expect_err("no answer");
    assert_eq!(error.kept(), 1);
}

#[tokio::test]
async fn a_busy_receiver_gets_it_again() {
    for reply in [
        Reply::Status(503, Vec::new()),
        Reply::Status(429, Vec::new()),
        Reply::Status(502, Vec::new()),
        Reply::Status(504, Vec::new()),
        Reply::Closed,
    ] {
        let receiver = Receiver::start();
        let logging = Logging::to(&receiver);
        receiver.reply(TRACES, reply.clone());
        receiver.reply(LOGS, reply.clone());
        work("first");
        let error = flush(ENOUGH).await.expect_err("busy");
        assert_eq!(
            (error.kept(), error.lost(), pending()),
            (2, 0, 2),
            "{reply:?}: {error}"
        );
        assert_eq!(receiver.requests().len(), 2, "not again in the same flush");
        flush(ENOUGH).await.expect("exported");
        assert_eq!(
            (receiver.span("first").name.as_str(), pending()),
            ("first", 0)
        );
        assert_eq!(receiver.messages(), ["first"]);
        assert_eq!(logging.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_gets_it_later() {
    let otlp = Otlp::new("http://localhost:1").expect("a URL");
    let _logging = Logging::with(otlp, |builder| builder);
    work("first");
    let error = flush(ENOUGH).await.expect_err("nobody there");
    assert_eq!((error.kept(), error.lost(), pending()), (2, 0, 2));
}

#[tokio::test]
async fn what_is_refused_is_not_sent_again_and_is_told() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    // google.rpc.Status with a message.
    let status = b"\x08\x03\x12\x1bbad x://user:hunter2@host id".to_vec();
    receiver.reply(TRACES, Reply::Status(400, status));
    receiver.reply(LOGS, Reply::Status(400, Vec::new()));
    work("first");
    work("second");
    let error = flush(ENOUGH).await.expect_err("refused");
    assert_eq!((error.kept(), error.lost(), pending()), (0, 4, 0));
    let text = "spans: 2 lost, the receiver answered with status 400: ";
    assert!(error.to_string().starts_with(text), "{error}");
    assert_eq!(receiver.requests().len(), 2);
    let told = logging.events("otlp.rejected");
    let [spans, records] = &*told else {
        panic!("{told:?}")
    };
    assert_eq!(
        (&spans["level"], &spans["fields"]["signal"]),
        (&"WARN".into(), &"spans".into())
    );
    assert_eq!(spans["fields"]["rejected"], 2);
    let reason = "the receiver answered with status 400: bad x://[redacted]@host i";
    assert_eq!(spans["fields"]["reason"], reason);
    assert_eq!(records["fields"]["signal"], "log records");
    flush(ENOUGH).await.expect("nothing is left");
    assert_eq!(
        receiver.requests().len(),
        2,
        "nor are the lines about it exported"
    );
}

#[tokio::test]
async fn a_partial_success_is_told() {
    let receiver = Receiver::start();
    let logging = Logging::to(&receiver);
    let traces = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 1,
            error_message: "too old".to_owned(),
        }),
    };
    let logs = ExportLogsServiceResponse {
        partial_success: Some(ExportLogsPartialSuccess {
            rejected_log_records: 0,
            error_message: "soon too old".to_owned(),
        }),
    };
    receiver.reply(TRACES, Reply::Status(200, traces.encode_to_vec()));
    receiver.reply(LOGS, Reply::Status(200, logs.encode_to_vec()));
    work("first");
    flush(ENOUGH).await.expect("exported");
    let told = logging.events("otlp.partial_success");
    let [spans, records] = &*told else {
        panic!("{told:?}")
    };
    let fields = |line: &serde_json::Value| line["fields"].clone();
    let expected = |signal: &str, rejected: u64, reason: &str| serde_json::json!({"signal": signal, "rejected": rejected, "reason": reason});
    assert_eq!(fields(spans), expected("spans", 1, "too old"));
    assert_eq!(fields(records), expected("log records", 0, "soon too old"));
    assert_eq!(pending(), 0);
}

#[tokio::test]
async fn what_finds_no_room_is_counted_and_told() {
    let receiver = Receiver::start();
    let logging = Logging::with(otlp(&receiver).queue_limit(2), |builder| builder);
    for name in ["first", "second", "third", "fourth", "fifth"] {
        work(name);
    }
    assert_eq!(pending(), 4);
    assert!(logging.events("otlp.overflow").is_empty());
    flush(ENOUGH).await.expect("exported");
    let told = logging.events("otlp.overflow");
    let [line] = &*told else { panic!("{told:?}") };
    assert_eq!(line["level"], "WARN");
    assert_eq!(
        line["fields"],
        serde_json::json!({"spans": 3, "log_records": 3})
    );
    assert_eq!(
        receiver.messages(),
        ["first", "second"],
        "the first ones stay"
    );
    work("sixth");
    flush(ENOUGH).await.expect("exported");
    assert_eq!(logging.events("otlp.overflow").len(), 1, "told once");
    assert_eq!(receiver.spans().len(), 3);
}

#[tokio::test]
async fn a_flush_that_is_dropped_loses_nothing() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    receiver.hang(TRACES);
    receiver.hang(LOGS);
    work("first");
    {
        let mut flushing = pin!(flush(ENOUGH));
        until(flushing.as_mut(), || receiver.requests().len() == 2).await;
        assert_eq!(pending(), 2, "what is being sent counts");
        work("second");
    }
    assert_eq!(pending(), 4);
    receiver.recover();
    flush(ENOUGH).await.expect("exported");
    assert_eq!(receiver.messages(), ["first", "second"]);
    assert_eq!(receiver.spans().len(), 2);
}

#[tokio::test]
async fn flushes_at_the_same_time_wait_for_each_other() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    work("first");
    let (first, second) = tokio::join!(flush(ENOUGH), flush(ENOUGH));
    first.expect("exported");
    second.expect("exported");
    assert_eq!((receiver.spans().len(), receiver.messages().len()), (1, 1));

    receiver.hang(TRACES);
    receiver.hang(LOGS);
    work("second");
    let mut flushing = pin!(flush(ENOUGH));
    until(flushing.as_mut(), || receiver.requests().len() == 4).await;
    let error = flush(SHORT).await.expect_err("the first one is not done");
    assert!(error.to_string().contains("another flush"), "{error}");
    assert_eq!(error.kept(), 2);
}

#[tokio::test]
async fn what_no_flush_sends_is_told_at_the_end() {
    let receiver = Receiver::start();
    let mut logging = Logging::with(otlp(&receiver).queue_limit(2), |builder| builder);
    for name in ["first", "second", "third"] {
        work(name);
    }
    logging.end();
    let told = logging.events("otlp.dropped");
    let [line] = &*told else { panic!("{told:?}") };
    assert_eq!(
        line["fields"],
        serde_json::json!({"spans": 3, "log_records": 3})
    );
    assert_eq!(
        (&line["level"], &line["target"]),
        (&"WARN".into(), &"faas_sdk_log::otlp".into())
    );

    let mut logging = Logging::to(&receiver);
    work("first");
    flush(ENOUGH).await.expect("exported");
    logging.end();
    assert!(logging.events("otlp.dropped").is_empty());
}

#[test]
fn without_a_runtime_it_says_so() {
    let receiver = Receiver::start();
    let _logging = Logging::to(&receiver);
    assert!(futures(flush(ENOUGH)).is_ok(), "nothing to be sent");
    work("first");
    let error = futures(flush(ENOUGH)).expect_err("no runtime");
    assert_eq!((error.kept(), pending()), (2, 2));
}

/// Polls a future that does not wait.
fn futures<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn flushes_can_be_spawned() {
    fn is_send<T: Send>(_: T) {}
    is_send(flush(SHORT));
}
