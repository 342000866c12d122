//! What makes a long-poll platform this platform and no other.

use std::sync::Arc;

use bytes::Bytes;
use faas_sdk_core::{Body, Error, ErrorKind, Invocation, Outcome, Result};
use faas_sdk_scope::Instance;

use crate::{Endpoint, Head};

/// Turns the answers to polls into invocations, and outcomes into requests.
///
/// All methods are quick and do no I/O. Those that write a request append it to `out`, which is
/// empty; [`RequestWriter`](crate::RequestWriter) does the writing.
pub trait Codec: Send + Sync + 'static {
    /// What must be known of an invocation to answer it.
    type Call: Send + Sync + 'static;

    /// The platform's address.
    fn endpoint(&self) -> &Arc<Endpoint>;

    /// Writes the request that waits for the next invocation. Called once.
    fn next(&self, out: &mut Vec<u8>);

    /// Writes the request that has to come before the first poll, and says whether there is one.
    /// Default: none.
    fn ready(&self, out: &mut Vec<u8>) -> bool {
        let _ = out;
        false
    }

    /// What an answer to a poll means. Default: 200 is an invocation, 204 is none, everything else
    /// is a failure that may pass.
    fn polled(&self, head: &Head, body: &[u8]) -> Polled {
        match head.status() {
            200 => Polled::Invocation,
            204 => Polled::Nothing,
            _ => Polled::Again(refusal("the poll for the next invocation", head, body)),
        }
    }

    /// Reads from an answer that is an invocation what is needed to answer it.
    ///
    /// # Errors
    ///
    /// The answer names no invocation. Nobody can be told, so it is logged and the poll repeated
    /// after a pause.
    fn call(&self, head: &Head) -> Result<Self::Call>;

    /// The id of an invocation, as logs and [`Invocation`] name it.
    fn id<'c>(&self, call: &'c Self::Call) -> &'c str;

    /// Decodes an invocation. Its [`Scope`](faas_sdk_scope::Scope) is made here, in `instance`,
    /// with the time the platform allows. The engine fills in `cold_start`.
    ///
    /// # Errors
    ///
    /// The error is [reported](Self::report) as the outcome.
    fn decode(
        &self,
        call: &Self::Call,
        head: &Head,
        body: Bytes,
        instance: &Arc<Instance>,
    ) -> Result<Invocation>;

    /// Writes the answer to an invocation.
    ///
    /// # Errors
    ///
    /// The reply cannot be carried, for example because it is larger than the platform takes: the
    /// error is logged and reported in its place. A report of an error should not fail; if it does,
    /// that is logged and the invocation stays unanswered.
    fn report(&self, call: &Self::Call, outcome: Outcome, out: &mut Vec<u8>) -> Result<Report>;

    /// The trailers that tell of an error in the middle of a stream. `None` (the default): there
    /// are none, and the stream is broken off so that the platform sees it is incomplete.
    fn trailers(&self, error: &Error) -> Option<Vec<(&'static str, Vec<u8>)>> {
        let _ = error;
        None
    }

    /// What an answer to a report means, by its status. Default: 2xx is accepted, 410 late, all
    /// else refused.
    fn delivered(&self, status: u16) -> Delivery {
        match status {
            200..=299 => Delivery::Accepted,
            410 => Delivery::Late,
            _ => Delivery::Refused,
        }
    }

    /// Writes the report that the function could not be initialised, and says whether the platform
    /// takes one. Default: it does not.
    fn init_error(&self, error: &Error, out: &mut Vec<u8>) -> bool {
        let _ = (error, out);
        false
    }
}

/// What the answer to a poll is.
#[derive(Debug)]
pub enum Polled {
    /// An invocation.
    Invocation,
    /// No invocation has come so far: the poll is repeated after the shortest pause.
    Nothing,
    /// A failure that may pass: the poll is repeated after a pause that grows.
    Again(Error),
    /// The end: no slot polls any more, and serving ends with this error.
    Fatal(Error),
}

/// How the answer to an invocation goes out.
#[derive(Debug)]
pub enum Report {
    /// What was written is the whole request.
    Whole,
    /// What was written is the head, with its length; these bytes are the body.
    Bytes(Bytes),
    /// What was written is the head of a chunked request.
    Stream {
        /// Sent before the first piece of the body; may be empty.
        prelude: Bytes,
        /// The pieces.
        body: Body,
    },
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The platform took it.
    Accepted,
    /// The platform had given the invocation up.
    Late,
    /// The platform did not take it.
    Refused,
}

/// An error for an answer that refuses `what`, with its status and the beginning of its body.
#[must_use]
pub fn refusal(what: &str, head: &Head, body: &[u8]) -> Error {
    let message = format!("the platform answered {} to {what}", head.status());
    let error = Error::new(ErrorKind::Protocol, message);
    match excerpt(body) {
        text if text.is_empty() => error,
        text => error.with_context("body", text),
    }
}

/// The beginning of a body, fit for a log line.
pub(super) fn excerpt(body: &[u8]) -> String {
    const LENGTH: usize = 300;
    String::from_utf8_lossy(&body[..body.len().min(LENGTH)])
        .trim()
        .to_owned()
}
