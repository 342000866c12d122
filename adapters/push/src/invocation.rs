use crate::Codec;
use crate::exchange::{Answer, Exchange};
use crate::shared::Shared;
use faas_sdk_core::{
    BoxFuture, Drive, Error, ErrorKind, HttpRequest, Result, Stage, drive, report,
    report_leftovers, report_refused,
};
use faas_sdk_scope::{Arrival, Background, CancelReason, InFlight, Scope};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What an invocation holds while it is under way.
#[allow(dead_code, reason = "the guards are there to be dropped")]
pub(crate) struct Admission {
    pub(crate) arrival: Arrival,
    pub(crate) in_flight: InFlight,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// Runs one invocation from its request to the end of its scope. The connection may go away
/// meanwhile: the scope is finished all the same.
pub(crate) async fn run<C: Codec>(
    exchange: Arc<Exchange<C>>,
    mut call: C::Call,
    request: HttpRequest,
    admission: Admission,
) {
    let shared = &*exchange.link.shared;
    let unanswered = Unanswered(&exchange);
    let scope = &exchange.scope;
    let cold_start = admission.arrival.cold_start;
    let prepared = match wake(shared, &admission.arrival) {
        None => Ok(()),
        Some(hooks) => bounded(scope, hooks).await,
    };
    let decoded = match prepared {
        Ok(()) => {
            let decoding = shared.codec.decode(&mut call, request, scope.clone());
            let decoded = bounded(scope, decoding).await;
            decoded.map_err(|error| (error, "the invocation could not be read"))
        }
        Err(error) => Err((error, "the function could not be initialised")),
    };
    // An invocation that is driven knows its own.
    let mut id = decoded.as_ref().ok().map(|decoded| decoded.info.id.clone());
    if id.is_none() {
        id = shared.codec.id(&call);
    }
    exchange.put_call(call);
    let outcome = match decoded {
        Ok(mut invocation) => {
            invocation.info.cold_start = cold_start;
            drive(&*shared.invoke, invocation, &how(&exchange)).await
        }
        Err((error, what)) => {
            report_refused(&error, what, id.as_deref(), Some(scope));
            Err(error)
        }
    };
    let streams = outcome
        .as_ref()
        .is_ok_and(faas_sdk_core::Reply::is_streamed);
    if !streams {
        before_freeze(shared, scope).await;
    }
    let call = exchange.take_call();
    // Without the call, the watchdog has answered.
    if let Some(call) = call {
        let (written, streamed) = match &outcome {
            Ok(reply) if reply.is_streamed() => {
                let (written, streamed) = oneshot::channel();
                (Some(written), Some(streamed))
            }
            _ => (None, None),
        };
        let response = shared.codec.encode(call, outcome);
        // Nobody may be waiting any more.
        let _ = exchange.answer(Answer { response, written });
        std::mem::forget(unanswered);
        if let Some(streamed) = streamed {
            // Whether it was written or dropped, the sender goes with the body.
            let _ = streamed.await;
            before_freeze(shared, scope).await;
        }
    } else {
        std::mem::forget(unanswered);
    }
    if scope.has_work() {
        let leftovers = Box::pin(scope.finish(shared.settings.end)).await;
        report_leftovers(&leftovers, id.as_deref());
    }
    drop(admission);
}

/// Runs the hooks that come before a freeze, where the platform may freeze the instance as soon as
/// the reply is out. It may not while there are other invocations, or while a body is streamed.
async fn before_freeze<C: Codec>(shared: &Shared<C>, scope: &Scope) {
    let instance = &shared.instance;
    if instance.background() != Background::UntilResponse || instance.in_flight() > 1 {
        return;
    }
    // Also after an invocation that was cancelled. Half of the reserve is left for the reply.
    let spare = scope.allowed().map_or(Duration::ZERO, |allowed| {
        shared.settings.reserve.min(allowed / 10) / 2
    });
    let left = scope.remaining().map(|left| left.saturating_sub(spare));
    let allowance = left.unwrap_or(Duration::MAX).min(shared.settings.end);
    let hooks = Box::pin(shared.run_hooks_within(Stage::BeforeFreeze, allowance));
    if let Err(error) = hooks.await {
        report(&error, None, "a hook failed");
    }
}

/// Answers for work that dies, so that its connection does not wait for ever.
struct Unanswered<'a, C: Codec>(&'a Exchange<C>);

impl<C: Codec> Drop for Unanswered<'_, C> {
    fn drop(&mut self) {
        self.0.fail();
    }
}

fn how<C: Codec>(exchange: &Arc<Exchange<C>>) -> Drive {
    let shared = &exchange.link.shared;
    let mut how = Drive::default();
    how.reserve = shared.settings.reserve;
    how.end = shared.settings.end;
    if exchange.scope.allowed().is_some() {
        how.watchdog = Some((shared.watchdog.clone(), Arc::clone(exchange) as _));
    }
    how
}

/// The hooks that come before this invocation; most have none.
fn wake<'a, C: Codec>(
    shared: &'a Shared<C>,
    arrival: &Arrival,
) -> Option<BoxFuture<'a, Result<()>>> {
    let thawed = arrival.thawed.is_some();
    if shared.is_ready() && !thawed {
        return None;
    }
    Some(Box::pin(async move {
        shared.init().await?;
        if thawed && let Err(error) = shared.run_hooks(Stage::OnThaw).await {
            // The function may still do without; what it needs will say so itself.
            report(&error, None, "a hook failed");
        }
        Ok(())
    }))
}

/// Runs work until the invocation is cancelled or its time is up.
async fn bounded<T>(scope: &Scope, mut work: BoxFuture<'_, Result<T>>) -> Result<T> {
    // Most work is done at once; the rest can pay for the room of a timer.
    let first = std::future::poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
    match first {
        Poll::Ready(done) => done,
        Poll::Pending => Box::pin(until_cancelled(scope, work)).await,
    }
}

async fn until_cancelled<T>(scope: &Scope, work: BoxFuture<'_, Result<T>>) -> Result<T> {
    let out_of_time = async {
        match scope.remaining() {
            Some(remaining) => tokio::time::sleep(remaining).await,
            None => std::future::pending().await,
        }
    };
    let reason = tokio::select! {
        biased;
        done = work => return done,
        reason = scope.cancelled() => reason,
        () = out_of_time => {
            scope.cancel(CancelReason::Deadline);
            CancelReason::Deadline
        }
    };
    let kind = match reason {
        CancelReason::Deadline => ErrorKind::Timeout,
        _ => ErrorKind::Cancelled,
    };
    Err(Error::new(kind, reason.to_string()))
}
