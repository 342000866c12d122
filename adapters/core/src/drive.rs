use crate::guarded_body::GuardedBody;
use crate::{
    Body, Error, ErrorKind, Invocation, Invoke, Level, Outcome, Stuck, Watch, Watchdog, panic,
};
use faas_sdk_scope::{BoxFuture, CancelReason, CatchUnwind, Leftover, Scope};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tracing::Span;

/// How an engine drives its invocations.
#[derive(Clone)]
#[non_exhaustive]
pub struct Drive {
    /// How long before the platform's deadline a handler is cancelled, so that there is time to
    /// say so. At most a tenth of the allowed time is taken. Default: 150 ms.
    pub reserve: Duration,
    /// How long the end of an invocation may take: what was registered with `on_end`, and
    /// spawned work. Default: 1 s, and never beyond the deadline.
    pub end: Duration,
    /// Reports handlers that do not yield. Default: none.
    pub watchdog: Option<(Watchdog, Arc<dyn Stuck>)>,
}

impl Default for Drive {
    fn default() -> Self {
        Self {
            reserve: Duration::from_millis(150),
            end: Duration::from_secs(1),
            watchdog: None,
        }
    }
}

impl std::fmt::Debug for Drive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drive")
            .field("reserve", &self.reserve)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Drive {
    /// The reserve for an invocation that is allowed this much time.
    pub(crate) fn reserve_of(&self, allowed: Duration) -> Duration {
        self.reserve.min(allowed / 10)
    }

    fn watch(&self, scope: &Scope, id: &crate::Text) -> Option<Watch> {
        let (watchdog, stuck) = self.watchdog.as_ref()?;
        let allowed = scope.allowed()?;
        // Half of the reserve belongs to the regular way: cancel, end, answer.
        let due = scope
            .remaining()?
            .saturating_sub(self.reserve_of(allowed) / 2);
        Some(watchdog.watch(scope, id.clone(), due, Arc::clone(stuck)))
    }
}

/// Runs one invocation to its outcome. Both engines do it this way:
///
/// * a panic becomes an error with its place, and the process lives on;
/// * a reserve before the deadline, or when the scope is cancelled, the handler is dropped and
///   the outcome is a timeout or a cancellation;
/// * the same guard wraps the body of a streamed reply;
/// * when handler and body are done, the scope's end is run, bounded; the engine calls
///   [`Scope::finish`] once the reply is out;
/// * a failure is logged once, with its cause chain, inside the invocation's span.
///
/// Dropping the future drops the handler; the engine then still has to finish the scope.
pub fn drive<'a>(
    invoke: &'a dyn Invoke,
    invocation: Invocation,
    drive: &'a Drive,
) -> impl Future<Output = Outcome> + Send + 'a {
    let scope = invocation.scope.clone();
    let span = tracing::info_span!(
        "invocation",
        request_id = %invocation.info.id,
        function = invocation.info.function.name.as_deref(),
    );
    let watch = drive.watch(&scope, &invocation.info.id);
    // The invocation is handed on before there is a future that would carry it along.
    let work = span.in_scope(|| invoke.invoke(invocation));
    run(work, scope, span, watch, drive)
}

async fn run(
    work: BoxFuture<'_, Outcome>,
    scope: Scope,
    span: Span,
    watch: Option<Watch>,
    drive: &Drive,
) -> Outcome {
    let mut work = Work {
        scope: &scope,
        span: &span,
        future: CatchUnwind::new(work),
    };
    // Most handlers of warm functions are done at their first poll, before a timer is armed.
    let first = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut work).poll(cx))).await;
    let outcome = match first {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => tokio::select! {
            biased;
            outcome = &mut work => outcome,
            error = stopped(&scope, drive) => Err(error),
        },
    };
    // A handler that is dropped unfinished may not hold anything that the scope's end needs.
    drop(work);
    let mut outcome = outcome;
    if let Ok(reply) = &mut outcome
        && reply.is_streamed()
        && let Some(body) = reply.body_mut()
    {
        let inner = std::mem::take(body);
        *body = Body::stream(GuardedBody::new(inner, scope, span, drive.clone(), watch));
        return outcome;
    }
    if let Err(error) = &outcome {
        span.in_scope(|| report(error));
    }
    end(&scope, &span, drive).await;
    outcome
}

/// Ends a scope and says what was lost.
pub(crate) async fn end(scope: &Scope, span: &Span, drive: &Drive) {
    if !scope.has_work() {
        return;
    }
    // After a cancellation the rest of the reserve is for the answer.
    let spare = scope
        .allowed()
        .map_or(Duration::ZERO, |allowed| drive.reserve_of(allowed) / 2);
    let allowance = match scope.remaining() {
        Some(remaining) => drive.end.min(remaining.saturating_sub(spare)),
        None => drive.end,
    };
    let leftovers = scope.end(allowance).await;
    if !leftovers.is_empty() {
        span.in_scope(|| report_leftovers(&leftovers));
    }
}

/// Logs what did not end with its invocation.
pub fn report_leftovers(leftovers: &[Leftover]) {
    for leftover in leftovers {
        tracing::warn!(%leftover, "work did not end with its invocation");
    }
}

/// Logs a failure at the level of its kind.
pub(crate) fn report(error: &Error) {
    let kind = error.kind().name();
    let code = error.code();
    let context = (!error.context().is_empty()).then(|| format!("{:?}", error.context()));
    let causes: Vec<_> = error.causes().collect();
    let causes = (!causes.is_empty()).then(|| causes.join(": "));
    match error.kind().level() {
        Level::Info => tracing::info!(kind, code, context, causes, "{error}"),
        Level::Warn => tracing::warn!(kind, code, context, causes, "{error}"),
        Level::Error => tracing::error!(kind, code, context, causes, "{error}"),
    }
}

/// Ends when the invocation has to stop, with the error that says why.
pub(crate) async fn stopped(scope: &Scope, drive: &Drive) -> Error {
    let reason = match (scope.remaining(), scope.allowed()) {
        (Some(remaining), Some(allowed)) => {
            let time = remaining.saturating_sub(drive.reserve_of(allowed));
            tokio::select! {
                biased;
                reason = scope.cancelled() => reason,
                () = tokio::time::sleep(time) => {
                    scope.cancel(CancelReason::Deadline);
                    CancelReason::Deadline
                }
            }
        }
        _ => scope.cancelled().await,
    };
    cancelled(reason)
}

pub(crate) fn cancelled(reason: CancelReason) -> Error {
    let kind = match reason {
        CancelReason::Deadline => ErrorKind::Timeout,
        _ => ErrorKind::Cancelled,
    };
    Error::new(kind, reason.to_string())
}

/// Turns a panic of one part of an invocation, such as an item of a batch, into that part's
/// error. Cancel-safe if `part` is.
pub async fn catch_panic<T>(part: BoxFuture<'_, Result<T, Error>>) -> Result<T, Error> {
    let mut part = CatchUnwind::new(part);
    let caught = std::future::poll_fn(|cx| panic::guarded(|| Pin::new(&mut part).poll(cx))).await;
    caught.unwrap_or_else(|panic| Err(panic::error(&*panic)))
}

/// The handler's future, polled in its span, under the watchdog's eyes and behind a catch.
struct Work<'a> {
    scope: &'a Scope,
    span: &'a Span,
    future: CatchUnwind<BoxFuture<'a, Outcome>>,
}

impl Future for Work<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        let polled = this.scope.poll(|| {
            let _entered = this.span.enter();
            panic::guarded(|| Pin::new(&mut this.future).poll(cx))
        });
        polled.map(|caught| match caught {
            Ok(outcome) => outcome,
            Err(panic) => Err(panic::error(&*panic)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BodySender, Data, Event, Reply};
    use faas_sdk_scope::{Background, Instance};
    use std::sync::atomic::{AtomicUsize, Ordering};

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
        drop(outcome);
        assert_eq!(scope.cancellation(), Some(CancelReason::Disconnected));

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
