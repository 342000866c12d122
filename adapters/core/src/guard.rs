//! What handler and streamed body have in common: what stops them, and what ends with them.

use crate::report::{Facts, cancelled, report_leftovers};
use crate::{Error, Invocation, Stuck, Watch, Watchdog};
use faas_sdk_scope::{CancelReason, Scope};
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument, Span};

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

    pub(crate) fn watch(
        &self,
        invocation: &Invocation,
        span: &Span,
        facts: Facts,
    ) -> Option<Watch> {
        let (scope, id) = (&invocation.scope, &invocation.info.id);
        let (watchdog, stuck) = self.watchdog.as_ref()?;
        let allowed = scope.allowed()?;
        // The first quarter of the reserve belongs to the regular way, in which a timer drops the
        // handler. The scope is new, so all of its time is left.
        let due = allowed.saturating_sub(self.reserve_of(allowed) * 3 / 4);
        Some(watchdog.watch(scope, id.clone(), span, facts, due, Arc::clone(stuck)))
    }
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
    let leftovers = scope.end(allowance).instrument(span.clone()).await;
    if !leftovers.is_empty() {
        span.in_scope(|| report_leftovers(&leftovers, None));
    }
}

/// Why the invocation has to stop now, if it has to.
pub(crate) fn due(scope: &Scope, drive: &Drive) -> Option<Error> {
    if let Some(reason) = scope.cancellation() {
        return Some(cancelled(reason));
    }
    let (remaining, allowed) = (scope.remaining()?, scope.allowed()?);
    (remaining <= drive.reserve_of(allowed)).then(|| {
        scope.cancel(CancelReason::Deadline);
        cancelled(CancelReason::Deadline)
    })
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
