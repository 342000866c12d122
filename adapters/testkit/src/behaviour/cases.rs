use super::function::{Function, Seen, reached};
use super::{Answer, Served, Subject};
use bytes::Bytes;
use faas_sdk_core::{Entry, EntryKind, ErrorKind, Program};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// No case waits longer than this for anything; what takes so long is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// The deadline where a case is to run into it.
const SOON: Duration = Duration::from_millis(600);

/// Runs every case that the subject's traits allow.
///
/// # Panics
///
/// If the subject fails one, with its name.
pub async fn run(subject: &dyn Subject) {
    faas_sdk_core::capture_panics();
    macro_rules! cases {
        ($($case:ident)+) => {
            $(
                let done = tokio::time::timeout(PATIENCE, $case(subject)).await;
                let name = concat!("behaviour ", stringify!($case));
                assert!(done.is_ok(), "{}: {name} took longer than {PATIENCE:?}", subject.name());
            )+
        };
    }
    cases! {
        echo error_kinds panic deadline stream broken_stream stream_deadline disconnect
        large_request large_reply bad_input concurrency drain forced_drain spawned_work
    }
}

/// A started program with its function.
struct Started {
    served: Arc<dyn Served>,
    seen: Arc<Seen>,
    name: &'static str,
}

async fn start(subject: &dyn Subject, deadline: Option<Duration>, drain: Duration) -> Started {
    let function = Function::new(subject.traits().concurrency);
    let seen = Arc::clone(&function.0);
    let mut program = Program::new(Arc::new(function));
    program
        .entries
        .push(Entry::new(EntryKind::Function("behaviour".to_owned())));
    program.settings.drain = drain;
    program.settings.end = Duration::from_secs(1);
    let name = subject.name();
    let served = subject.start(program, deadline).await;
    let served = served.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    Started { served, seen, name }
}

impl Started {
    async fn plain(subject: &dyn Subject) -> Self {
        start(subject, None, Duration::from_secs(8)).await
    }

    async fn call(&self, order: Value) -> Answer {
        self.served.call(order.to_string().into()).await
    }

    async fn reply(&self, order: Value) -> Value {
        let answer = self.call(order.clone()).await;
        let Answer::Reply(reply) = &answer else {
            panic!("{}: {order} was answered by {answer:?}", self.name)
        };
        serde_json::from_slice(reply).unwrap_or_else(|error| {
            panic!(
                "{}: {order} was answered by no JSON: {error}: {reply:?}",
                self.name
            )
        })
    }

    async fn fails(&self, payload: impl Into<Bytes>, name: &str) -> String {
        let payload = payload.into();
        let answer = self.served.call(payload.clone()).await;
        match answer {
            Answer::Failed {
                name: found,
                message,
            } if found == name => message,
            other => panic!("{}: {payload:?} gave {other:?}, not {name}", self.name),
        }
    }

    /// The instance is as good as new.
    async fn lives(&self) {
        assert_eq!(
            self.reply(json!({"do": "echo", "value": "alive"})).await,
            "alive"
        );
    }

    async fn end(self) {
        self.served.stop();
        let name = self.name;
        self.served
            .ended()
            .await
            .unwrap_or_else(|error| panic!("{name} ended with {error}"));
    }
}

async fn echo(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    let long = "é".repeat(200_000);
    for value in [
        json!(null),
        json!({"a": [1, -2.5, "x"]}),
        json!("\u{0}€😀\"\\"),
        json!(long),
    ] {
        assert_eq!(
            started.reply(json!({"do": "echo", "value": value})).await,
            value
        );
    }
    for number in 0..50 {
        assert_eq!(
            started.reply(json!({"do": "echo", "value": number})).await,
            number
        );
    }
    started.end().await;
}

async fn error_kinds(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    for kind in ErrorKind::ALL {
        let order = json!({"do": "fail", "kind": kind.name()});
        started.fails(order.to_string(), kind.name()).await;
    }
    started.end().await;
}

async fn panic(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    for later in [false, true] {
        let order = json!({"do": "panic", "later": later});
        started.fails(order.to_string(), "Panic").await;
        started.lives().await;
    }
    started.end().await;
}

async fn deadline(subject: &dyn Subject) {
    let started = start(subject, Some(SOON), Duration::from_secs(8)).await;
    started
        .fails(json!({"do": "hang"}).to_string(), "Timeout")
        .await;
    reached(&started.seen.over, 1).await;
    reached(&started.seen.ended, 1).await;
    started.lives().await;
    started.end().await;
}

async fn stream(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    let answer = started.call(json!({"do": "stream", "end": "fine"})).await;
    assert_eq!(answer, Answer::Reply("one two".into()), "{}", started.name);
    reached(&started.seen.ended, 1).await;
    started.lives().await;
    started.end().await;
}

async fn broken_stream(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    for end in ["fails", "panics"] {
        let answer = started.call(json!({"do": "stream", "end": end})).await;
        let Answer::Broken(bytes) = &answer else {
            panic!("{}: a stream that {end} gave {answer:?}", started.name)
        };
        assert!(b"one two".starts_with(bytes), "{}: {bytes:?}", started.name);
        started.lives().await;
    }
    started.end().await;
}

async fn stream_deadline(subject: &dyn Subject) {
    let started = start(subject, Some(SOON), Duration::from_secs(8)).await;
    let answer = started.call(json!({"do": "stream", "end": "hangs"})).await;
    assert!(
        matches!(answer, Answer::Broken(_)),
        "{}: {answer:?}",
        started.name
    );
    reached(&started.seen.over, 1).await;
    started.lives().await;
    started.end().await;
}

async fn disconnect(subject: &dyn Subject) {
    if !subject.traits().disconnects {
        return;
    }
    for order in [
        json!({"do": "hang"}),
        json!({"do": "stream", "end": "hangs"}),
    ] {
        let started = Started::plain(subject).await;
        let gone = Box::pin(started.seen.started());
        started.served.abandon(order.to_string().into(), gone).await;
        reached(&started.seen.over, 1).await;
        reached(&started.seen.ended, 1).await;
        started.lives().await;
        started.end().await;
    }
}

async fn large_request(subject: &dyn Subject) {
    let Some(limit) = subject.traits().max_request else {
        return;
    };
    let started = Started::plain(subject).await;
    let frame = json!({"do": "echo", "value": ""}).to_string().len();
    let order = |bytes| json!({"do": "echo", "value": "x".repeat(bytes - frame)}).to_string();
    assert!(matches!(
        started.served.call(order(limit).into()).await,
        Answer::Reply(_)
    ));
    started.fails(order(limit + 1), "PayloadTooLarge").await;
    started.lives().await;
    started.end().await;
}

async fn large_reply(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    let limit = subject.traits().max_reply;
    let fits = limit.unwrap_or(8 << 20);
    let answer = started.call(json!({"do": "big", "bytes": fits})).await;
    assert!(
        matches!(&answer, Answer::Reply(reply) if reply.len() == fits),
        "{}: a reply of {fits} bytes got lost",
        started.name
    );
    if let Some(limit) = limit {
        let order = json!({"do": "big", "bytes": limit + 1});
        started.fails(order.to_string(), "ReplyTooLarge").await;
    }
    started.lives().await;
    started.end().await;
}

async fn bad_input(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    for bad in [
        &b"{"[..],
        b"[",
        b"nul",
        b"\"\xff\"",
        b"{\"do\":\"\xc3\x28\"}",
        b"{}",
        b"{\"do\":1}",
    ] {
        started.fails(Bytes::from_static(bad), "InvalidInput").await;
    }
    let order = json!({"do": "strict", "inner": {"list": [1, "two"]}});
    let message = started.fails(order.to_string(), "InvalidInput").await;
    assert!(message.contains("u32"), "{}: {message}", started.name);
    started.lives().await;
    started.end().await;
}

async fn concurrency(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    let calls = (0..subject.traits().concurrency).map(|_| started.reply(json!({"do": "meet"})));
    for met in join_all(calls).await {
        assert_eq!(met, "met");
    }
    started.end().await;
}

async fn drain(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    let (reply, ()) = tokio::join!(started.reply(json!({"do": "wait"})), async {
        started.seen.started().await;
        started.served.stop();
        tokio::task::yield_now().await;
        started.seen.go.send_replace(true);
    });
    assert_eq!(reply, "waited");
    let name = started.name;
    started
        .served
        .ended()
        .await
        .unwrap_or_else(|error| panic!("{name} ended with {error}"));
}

async fn forced_drain(subject: &dyn Subject) {
    let started = start(subject, None, Duration::from_millis(100)).await;
    let (answer, ()) = tokio::join!(started.call(json!({"do": "wait"})), async {
        started.seen.started().await;
        started.served.stop();
    });
    assert!(
        matches!(&answer, Answer::Failed { name, .. } if name == "Cancelled"),
        "{}: {answer:?}",
        started.name
    );
    reached(&started.seen.ended, 1).await;
    let name = started.name;
    started
        .served
        .ended()
        .await
        .unwrap_or_else(|error| panic!("{name} ended with {error}"));
}

async fn spawned_work(subject: &dyn Subject) {
    let started = Started::plain(subject).await;
    assert_eq!(started.reply(json!({"do": "spawn"})).await, "spawned");
    let seen = Arc::clone(&started.seen);
    started.end().await;
    assert_eq!(seen.spawned.load(Ordering::SeqCst), 1);
}

/// Runs futures at the same time, in the order of their results.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut pending = false;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(done) => *output = Some(done),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    running
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}
