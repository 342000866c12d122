use crate::guard::{Drive, end, stopped};
use crate::guarded_body::GuardedBody;
use crate::report::{Facts, TARGET, Untold, report};
use crate::{Body, Error, Invocation, Invoke, Outcome, Watch, panic};
use faas_sdk_scope::{BoxFuture, CatchUnwind, Scope};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use tracing::instrument::{Instrument, Instrumented};

/// Runs one invocation to its outcome. Both engines do it this way:
///
/// * a panic becomes an error with its place, and the process lives on;
/// * a reserve before the deadline, or when the scope is cancelled, the handler is dropped and
///   the outcome is a timeout or a cancellation;
/// * the same guard wraps the body of a streamed reply;
/// * when handler and body are done, the scope's end is run, bounded; the engine calls
///   [`Scope::finish`] once the reply is out;
/// * a failure is logged once, with its cause chain, inside the invocation's span, and every
///   invocation ends with one line named `invoke.end`.
///
/// The handler's future is made at once, not at the first poll. Dropping the future drops the
/// handler, and the last line says that it was cancelled; the engine then still has to finish the
/// scope.
pub fn drive<'a>(
    invoke: &'a dyn Invoke,
    invocation: Invocation,
    drive: &'a Drive,
) -> impl Future<Output = Outcome> + Send + 'a {
    let scope = invocation.scope.clone();
    let span = tracing::info_span!(
        target: TARGET,
        "invocation",
        request_id = %invocation.info.id,
        function = invocation.info.function.name.as_deref(),
        handler = tracing::field::Empty,
    );
    let facts = Facts {
        attempt: invocation.info.attempt.number,
        ..Facts::default()
    };
    let watch = drive.watch(&invocation, &span, facts);
    // The invocation is handed on before there is a future that would carry it along.
    let begin = || catch_unwind(AssertUnwindSafe(|| invoke.invoke(invocation)));
    let work = scope.poll(|| span.in_scope(|| panic::guarded(begin)));
    let work = work.unwrap_or_else(|panic| {
        let error = panic::error(&*panic);
        Box::pin(std::future::ready(Err(error)))
    });
    run(work, Untold::new(scope, span, facts), watch, drive)
}

async fn run(
    work: BoxFuture<'_, Outcome>,
    mut untold: Untold,
    watch: Option<Watch>,
    drive: &Drive,
) -> Outcome {
    let Untold { scope, span, .. } = &untold;
    let mut work = Work {
        scope,
        future: CatchUnwind::new(work.instrument(span.clone())),
    };
    // Most handlers of warm functions are done at their first poll, before a timer is armed.
    let first = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut work).poll(cx))).await;
    let mut outcome = match first {
        Poll::Ready(outcome) => outcome,
        // In a box of its own, so that the others do not carry a timer's room along.
        Poll::Pending => {
            let waited = Box::pin(async {
                tokio::select! {
                    biased;
                    outcome = &mut work => outcome,
                    error = stopped(scope, drive) => Err(error),
                }
            });
            waited.await
        }
    };
    // A handler that is dropped unfinished may not hold anything that the scope's end needs.
    drop(work);
    untold.facts.note(&outcome);
    if let Ok(reply) = &mut outcome
        && reply.is_streamed()
        && let Some(body) = reply.body_mut()
    {
        let inner = std::mem::take(body);
        *body = Body::stream(GuardedBody::new(inner, untold, drive.clone(), watch));
        return outcome;
    }
    let Untold { scope, span, .. } = &untold;
    if let Err(error) = &outcome {
        span.in_scope(|| report(error, None, error.message()));
    }
    if scope.has_work() {
        Box::pin(end(scope, span, drive)).await;
    }
    untold.tell(outcome.as_ref().err());
    outcome
}

/// Turns a panic of one part of an invocation, such as an item of a batch, into that part's
/// error. Cancel-safe if `part` is.
pub async fn catch_panic<T>(part: BoxFuture<'_, Result<T, Error>>) -> Result<T, Error> {
    let mut part = CatchUnwind::new(part);
    let caught = std::future::poll_fn(|cx| panic::guarded(|| Pin::new(&mut part).poll(cx))).await;
    caught.unwrap_or_else(|panic| Err(panic::error(&*panic)))
}

/// The handler's future, polled and dropped in its span, under the watchdog's eyes and behind a
/// catch.
struct Work<'a> {
    scope: &'a Scope,
    future: CatchUnwind<Instrumented<BoxFuture<'a, Outcome>>>,
}

impl Future for Work<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        let polled = this
            .scope
            .poll(|| panic::guarded(|| Pin::new(&mut this.future).poll(cx)));
        polled.map(|caught| match caught {
            Ok(outcome) => outcome,
            Err(panic) => Err(panic::error(&*panic)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BodySender, Data, ErrorKind, Event, Reply};
    use faas_sdk_scope::{Background, CancelReason, Instance};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    /// An `Invoke` made of a closure.
    struct Call<F>(F);

    impl<F, Fut> Invoke for Call<F>
    where
        F: Fn(Invocation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Outcome> {
            Box::pin((self.0)(invocation))
        }
    }

    fn invocation(allowed: Option<Duration>) -> Invocation {
        let instance = Instance::builder()
            .background(Background::UntilResponse)
            .build();
        let scope = Scope::new(&instance, allowed);
        Invocation::new("id", scope, Event::invoke("id", "test", Data::Absent))
    }

    async fn run<F, Fut>(allowed: Option<Duration>, call: F) -> (Scope, Outcome)
    where
        F: Fn(Invocation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let invocation = invocation(allowed);
        let scope = invocation.scope.clone();
        (
            scope,
            drive(&Call(call), invocation, &Drive::default()).await,
        )
    }

    #[tokio::test]
    async fn a_panic_before_there_is_a_future_is_an_error_too() {
        capture();
        let (_, outcome) = run(None, |_| -> std::future::Ready<Outcome> {
            panic!("on purpose")
        })
        .await;
        assert_eq!(outcome.expect_err("a panic").kind(), ErrorKind::Panic);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_with_its_place() {
        capture();
        for yields in [false, true] {
            let (_, outcome) = run(None, move |_| async move {
                if yields {
                    tokio::task::yield_now().await;
                }
                panic!("on purpose")
            })
            .await;
            let error = outcome.expect_err("a panic");
            assert_eq!(error.kind(), ErrorKind::Panic);
            assert!(error.message().contains("on purpose"));
            assert!(error.context()[0].1.contains("drive.rs"), "{error:?}");
        }
    }

    fn capture() {
        crate::capture_panics();
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_is_dropped_a_reserve_before_its_deadline() {
        let started = tokio::time::Instant::now();
        let ended = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&ended);
        let (scope, outcome) = run(Some(SECOND * 10), move |invocation: Invocation| {
            let seen = Arc::clone(&seen);
            invocation.scope.on_end("count", |_| async move {
                seen.fetch_add(1, Ordering::SeqCst);
            });
            std::future::pending()
        })
        .await;
        assert_eq!(outcome.expect_err("a timeout").kind(), ErrorKind::Timeout);
        // The timer counts from the pending poll on, so it may be a little early, never late.
        assert!(started.elapsed() <= SECOND * 10 - Duration::from_millis(149));
        assert!(started.elapsed() > SECOND * 9);
        assert_eq!(scope.cancellation(), Some(CancelReason::Deadline));
        assert_eq!(ended.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_scope_drops_the_handler() {
        let (_, outcome) = run(None, |invocation: Invocation| {
            let scope = invocation.scope.clone();
            tokio::spawn(async move { scope.cancel(CancelReason::Disconnected) });
            std::future::pending()
        })
        .await;
        assert_eq!(outcome.expect_err("cancelled").kind(), ErrorKind::Cancelled);
    }

    #[tokio::test(start_paused = true)]
    async fn a_streamed_reply_is_guarded_and_its_end_is_the_end() {
        let ended = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&ended);
        let (scope, outcome) = run(Some(SECOND * 10), move |invocation: Invocation| {
            let seen = Arc::clone(&seen);
            invocation.scope.on_end("count", |_| async move {
                seen.fetch_add(1, Ordering::SeqCst);
            });
            async move {
                Ok(Reply::Content(crate::Content::new(
                    "text/plain",
                    Body::produce(async move |mut out: BodySender| {
                        out.send("one").await?;
                        std::future::pending().await
                    }),
                )))
            }
        })
        .await;
        let mut reply = outcome.expect("a reply");
        let body = reply.body_mut().expect("a body");
        assert_eq!(
            body.next_data().await.expect("a piece").expect("some"),
            "one"
        );
        assert_eq!(ended.load(Ordering::SeqCst), 0, "the body is still running");
        assert_eq!(
            body.next_data().await.expect_err("a timeout").kind(),
            ErrorKind::Timeout
        );
        assert_eq!(ended.load(Ordering::SeqCst), 1);
        assert_eq!(scope.cancellation(), Some(CancelReason::Deadline));
    }

    #[tokio::test]
    async fn a_stream_that_is_always_ready_is_stopped_too() {
        let endless = |_| async {
            let body = Body::produce(async move |mut out: BodySender| {
                loop {
                    out.send("more").await?;
                }
            });
            Ok(Reply::Content(crate::Content::new("text/plain", body)))
        };
        let clock = Arc::new(faas_sdk_scope::ManualClock::new());
        let instance = Instance::builder().clock(Arc::clone(&clock)).build();
        for cancels in [false, true] {
            let scope = Scope::new(&instance, Some(SECOND * 10));
            let invocation =
                Invocation::new("id", scope.clone(), Event::invoke("id", "t", Data::Absent));
            let outcome = drive(&Call(endless), invocation, &Drive::default()).await;
            let mut reply = outcome.expect("a reply");
            let body = reply.body_mut().expect("a body");
            assert!(body.next_data().await.expect("a piece").is_some());
            if cancels {
                scope.cancel(CancelReason::Shutdown);
            } else {
                clock.advance(SECOND * 10);
            }
            let kind = if cancels {
                ErrorKind::Cancelled
            } else {
                ErrorKind::Timeout
            };
            assert_eq!(body.next_data().await.expect_err("the end").kind(), kind);
        }
    }

    #[tokio::test]
    async fn a_panic_in_a_stream_is_its_error_and_a_dropped_stream_cancels() {
        capture();
        let stream = |panics: bool| {
            run(None, move |_| async move {
                Ok(Reply::Content(crate::Content::new(
                    "text/plain",
                    Body::produce(async move |mut out: BodySender| {
                        out.send("one").await?;
                        assert!(!panics, "on purpose");
                        Ok(())
                    }),
                )))
            })
        };
        let (_, outcome) = stream(true).await;
        let mut reply = outcome.expect("a reply");
        let body = reply.body_mut().expect("a body");
        assert_eq!(
            body.next_data().await.expect("a piece").expect("some"),
            "one"
        );
        assert!(
            body.next_data()
                .await
                .is_err_and(|error| error.kind() == ErrorKind::Panic)
        );

        let (scope, outcome) = stream(false).await;
        let mut reply = outcome.expect("a reply");
        let body = reply.body_mut().expect("a body");
        assert!(body.next_data().await.expect("a piece").is_some());
        drop(reply);
        assert_eq!(scope.cancellation(), Some(CancelReason::Disconnected));

        let (scope, outcome) = stream(false).await;
        drop(outcome);
        assert_eq!(scope.cancellation(), None, "nobody wanted the body");

        let (scope, outcome) = stream(false).await;
        let body = outcome
            .expect("a reply")
            .body_mut()
            .map(std::mem::take)
            .expect("a body");
        assert_eq!(body.collect(10).await.expect("the body"), "one");
        assert_eq!(scope.cancellation(), None);
    }
}
