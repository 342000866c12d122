//! What becomes of a report, said in the log.

use super::codec::{Codec, Delivery, excerpt};
use crate::{Answer, ClientError};

/// Logs what the platform made of the report on an invocation. Nothing that failed is lost unsaid.
pub(super) fn conclude<C: Codec>(codec: &C, id: &str, answer: Result<Answer<'_>, ClientError>) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(
                request_id = id,
                error,
                "the report did not reach the platform"
            );
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
