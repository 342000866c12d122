//! What becomes of a report, said in the log.

use faas_sdk_core::{Error, Level};

use super::codec::{Codec, Delivery, excerpt};
use crate::{Answer, ClientError};

/// Logs what the platform made of the report on an invocation. Nothing that failed is lost unsaid.
pub(super) fn conclude<C: Codec>(codec: &C, id: &str, answer: Result<Answer<'_>, ClientError>) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let causes = chain(&error);
            tracing::error!(request_id = id, %error, causes, "the report did not reach the platform");
            return;
        }
    };
    let status = answer.head.status();
    match codec.delivered(status) {
        Delivery::Accepted => {}
        // The first copy was taken: the platform knows the invocation no more.
        Delivery::Late | Delivery::Refused
            if answer.resent && matches!(status, 400 | 403 | 410) =>
        {
            tracing::info!(
                request_id = id,
                status,
                "the report reached the platform twice"
            );
        }
        Delivery::Late => {
            let body = excerpt(&answer.body);
            tracing::warn!(
                request_id = id,
                status,
                body,
                "the report came too late for the platform"
            );
        }
        Delivery::Refused => {
            let body = excerpt(&answer.body);
            tracing::error!(
                request_id = id,
                status,
                body,
                "the platform refused the report"
            );
        }
    }
}

/// Logs an error at the level of its kind.
pub(super) fn log(error: &Error, id: Option<&str>, what: &'static str) {
    let (kind, code) = (error.kind().name(), error.code());
    let context = (!error.context().is_empty()).then(|| format!("{:?}", error.context()));
    let causes = chain(error);
    match error.kind().level() {
        Level::Info => {
            tracing::info!(request_id = id, kind, code, %error, context, causes, "{what}");
        }
        Level::Warn => {
            tracing::warn!(request_id = id, kind, code, %error, context, causes, "{what}");
        }
        Level::Error => {
            tracing::error!(request_id = id, kind, code, %error, context, causes, "{what}");
        }
    }
}

/// The causes of an error, the nearest first.
fn chain(error: &dyn std::error::Error) -> Option<String> {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let causes: Vec<_> = causes.take(16).map(ToString::to_string).collect();
    (!causes.is_empty()).then(|| causes.join(": "))
}
