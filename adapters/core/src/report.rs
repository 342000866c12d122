//! The log lines that tell how invocations went.

use crate::{Error, ErrorKind, Level, Outcome, Reply};
use faas_sdk_scope::{Leftover, Scope};
use std::error::Error as StdError;

/// The target of the span of each invocation, and of the lines that tell how it went.
pub(crate) const TARGET: &str = "faas_sdk::invoke";

/// Logs an error at the level of its kind, with its chain of causes as the field `error`. `what`
/// says what could not be done; `request_id` is for lines outside of the invocation's span.
pub fn report(error: &Error, request_id: Option<&str>, what: &str) {
    let level = error.kind().level();
    let error: &(dyn StdError + 'static) = error;
    match level {
        Level::Info => tracing::info!(target: TARGET, request_id, error, "{what}"),
        Level::Warn => tracing::warn!(target: TARGET, request_id, error, "{what}"),
        Level::Error => tracing::error!(target: TARGET, request_id, error, "{what}"),
    }
}

/// Logs what did not end with its invocation. `request_id` is for lines outside of its span.
pub fn report_leftovers(leftovers: &[Leftover], request_id: Option<&str>) {
    for leftover in leftovers {
        tracing::warn!(
            target: TARGET,
            request_id,
            %leftover,
            "work did not end with its invocation"
        );
    }
}

/// Logs an invocation that no function was called for, because it does not decode: the error, and
/// the line that ends it.
pub fn report_refused(error: &Error, request_id: Option<&str>, scope: &Scope) {
    report(error, request_id, "the invocation does not decode");
    let duration_ms = milliseconds(scope);
    tracing::info!(
        name: "invoke.end",
        target: TARGET,
        request_id,
        outcome = outcome(error.kind()),
        error_code = error.code(),
        duration_ms,
        "invoke end"
    );
}

/// What the last line of an invocation says beside its duration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// Which delivery it was.
    pub(crate) attempt: Option<u32>,
    /// The status of the HTTP response.
    pub(crate) status: Option<u16>,
}

impl Facts {
    /// Notes what is known of an outcome before a body is streamed.
    pub(crate) fn note(&mut self, outcome: &Outcome) {
        if let Ok(Reply::Http(response)) = outcome {
            self.status = Some(response.status().as_u16());
        }
    }

    /// Writes the one line that ends an invocation. Within its span.
    pub(crate) fn tell(self, scope: &Scope, error: Option<&Error>) {
        tracing::info!(
            name: "invoke.end",
            target: TARGET,
            outcome = error.map_or("ok", |error| outcome(error.kind())),
            error_code = error.map(Error::code),
            status = self.status,
            attempt = self.attempt,
            duration_ms = milliseconds(scope),
            "invoke end"
        );
    }
}

fn milliseconds(scope: &Scope) -> f64 {
    scope.elapsed().as_secs_f64() * 1e3
}

/// The coarse groups that alarms and dashboards tell apart; the error's code says more.
fn outcome(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Timeout => "timeout",
        ErrorKind::Panic => "panic",
        ErrorKind::Cancelled => "cancelled",
        _ => "error",
    }
}
