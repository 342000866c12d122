//! The function that the cases call: it does what the payload says.

use faas_sdk_core::{
    Body, BodySender, BoxFuture, Content, Error, ErrorKind, FromEvent, Invocation, Invoke, Outcome,
    Reply,
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Barrier, watch};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Order {
    Echo { value: Value },
    Strict { inner: Strict },
    Fail { kind: String },
    Panic { later: bool },
    Hang,
    Big { bytes: usize },
    Stream { end: StreamEnd },
    Meet,
    Wait,
    Spawn,
}

#[derive(Deserialize)]
pub(super) struct Strict {
    list: Vec<u32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StreamEnd {
    Fine,
    Fails,
    Panics,
    Hangs,
}

/// What the cases see of the function from the inside.
pub(super) struct Seen {
    /// Calls that got as far as waiting.
    started: watch::Sender<usize>,
    /// Handlers, or streams, that were dropped or ran to their end.
    pub(super) over: watch::Sender<usize>,
    /// Scopes that ended.
    pub(super) ended: watch::Sender<usize>,
    /// Lets the waiting calls go on.
    pub(super) go: watch::Sender<bool>,
    barrier: Barrier,
    pub(super) spawned: AtomicUsize,
}

pub(super) struct Function(pub(super) Arc<Seen>);

impl Function {
    pub(super) fn new(concurrency: usize) -> Self {
        Self(Arc::new(Seen {
            started: watch::Sender::new(0),
            over: watch::Sender::new(0),
            ended: watch::Sender::new(0),
            go: watch::Sender::new(false),
            barrier: Barrier::new(concurrency),
            spawned: AtomicUsize::new(0),
        }))
    }
}

impl Seen {
    pub(super) async fn started(&self) {
        reached(&self.started, 1).await;
    }
}

/// Waits until a counter has reached `number`.
pub(super) async fn reached(counter: &watch::Sender<usize>, number: usize) {
    let mut counter = counter.subscribe();
    let reached = counter.wait_for(|count| *count >= number).await;
    drop(reached.expect("the counter lives as long as the function"));
}

/// Counts when it is dropped.
struct Over(Arc<Seen>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.over.send_modify(|count| *count += 1);
    }
}

impl Invoke for Function {
    fn invoke(&self, mut invocation: Invocation) -> BoxFuture<'_, Outcome> {
        let seen = Arc::clone(&self.0);
        Box::pin(async move {
            let order = Order::from_event(&mut invocation).await?;
            let at_end = Arc::clone(&seen);
            invocation.scope.on_end("count", move |_| async move {
                at_end.ended.send_modify(|count| *count += 1);
            });
            let over = Over(Arc::clone(&seen));
            match order {
                Order::Echo { value } => json(&value),
                Order::Strict { inner } => json(&inner.list.into()),
                Order::Fail { kind } => Err(Error::new(named(&kind), "as ordered")),
                Order::Panic { later } => {
                    if later {
                        tokio::task::yield_now().await;
                    }
                    panic!("on purpose")
                }
                Order::Hang => {
                    seen.started.send_modify(|count| *count += 1);
                    std::future::pending().await
                }
                Order::Big { bytes } => Ok(Reply::json(vec![b' '; bytes].into())),
                Order::Stream { end } => Ok(stream(end, seen, over)),
                Order::Meet => {
                    seen.barrier.wait().await;
                    json(&"met".into())
                }
                Order::Wait => {
                    seen.started.send_modify(|count| *count += 1);
                    let mut go = seen.go.subscribe();
                    drop(go.wait_for(|go| *go).await);
                    json(&"waited".into())
                }
                Order::Spawn => {
                    let seen = Arc::clone(&seen);
                    drop(invocation.scope.spawn(async move {
                        tokio::task::yield_now().await;
                        seen.spawned.fetch_add(1, Ordering::SeqCst);
                    }));
                    json(&"spawned".into())
                }
            }
        })
    }
}

fn stream(end: StreamEnd, seen: Arc<Seen>, over: Over) -> Reply {
    let body = Body::produce(async move |mut out: BodySender| {
        let _over = over;
        out.send("one ").await?;
        // A pause lets the first piece go out on its own.
        tokio::task::yield_now().await;
        out.send("two").await?;
        match end {
            StreamEnd::Fine => Ok(()),
            StreamEnd::Fails => Err(Error::new(ErrorKind::Unavailable, "broken on purpose")),
            StreamEnd::Panics => panic!("on purpose"),
            StreamEnd::Hangs => {
                seen.started.send_modify(|count| *count += 1);
                std::future::pending().await
            }
        }
    });
    Reply::Content(Content::new("text/plain", body))
}

fn json(value: &Value) -> Outcome {
    Ok(Reply::json(value.to_string().into()))
}

fn named(kind: &str) -> ErrorKind {
    let mut kinds = ErrorKind::ALL.iter().copied();
    kinds
        .find(|of| of.name() == kind)
        .unwrap_or(ErrorKind::Internal)
}
