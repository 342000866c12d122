//! Faults a test injects into the answers.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::http::Answer;
use super::route::Route;

/// One disturbance of one request.
///
/// The first group leaves the state of the fake as it was: the request counts as not processed, an event stays
/// queued, an answer may be sent again. An invocation whose answer such a fault has spoiled no longer keeps the
/// runtime from calling `next`; it times out unless it is answered after all.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// Close the connection when the head of the request has been read.
    Close,
    /// Never answer; what the peer sends is read and dropped until it closes the connection.
    Stall,
    /// Never answer and never read again; the connection stays open until the fake stops.
    Freeze,
    /// Answer with this status, these headers and this body.
    Answer {
        /// The status code.
        status: u16,
        /// Headers besides `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
    /// Send these bytes instead of an answer, then close.
    Raw(Bytes),

    /// Process the request, send a part of the answer, then close. An event of which only a part was sent goes
    /// back to the head of the queue.
    Cut(Cut),
    /// Send the answer one byte a write.
    SingleBytes,
    /// Send further bytes right behind the answer, on the kept connection.
    Extra(Bytes),
    /// Process the request, wait, then answer.
    Delay(Duration),
    /// Announce `Connection: close` and close after the answer.
    ConnectionClose,
    /// Send the body chunked, `size` bytes a chunk, instead of with a content length.
    Chunked {
        /// Bytes a chunk; 0 means 1.
        size: usize,
    },
    /// Add headers `X-Flood-<n>` to the answer.
    HeaderFlood {
        /// How many headers.
        count: usize,
        /// How many bytes each value has.
        value_len: usize,
    },
}

/// Where an answer is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// After half of the status line and headers.
    Head,
    /// After the headers and half of the body.
    Body,
    /// After this many bytes of the whole answer; 0 means that nothing is sent.
    At(usize),
}

impl Fault {
    /// A plain answer with this status and body.
    pub fn answer(status: u16, body: impl Into<Bytes>) -> Self {
        Self::Answer {
            status,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.into(),
        }
    }

    /// An error answer with this status and the platform's error JSON.
    pub fn status(status: u16, error_type: &str, message: &str) -> Self {
        let Answer {
            status,
            headers,
            body,
        } = Answer::error(status, error_type, message);
        Self::Answer {
            status,
            headers,
            body,
        }
    }

    /// Whether the request counts as not processed.
    pub(super) fn instead(&self) -> bool {
        matches!(
            self,
            Self::Close | Self::Stall | Self::Freeze | Self::Answer { .. } | Self::Raw(_)
        )
    }
}

/// The faults still to come, in order.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<(Route, Fault)>);

impl Faults {
    pub(super) fn push(&mut self, route: Route, fault: Fault) {
        self.0.push_back((route, fault));
    }

    /// Removes and returns the oldest fault for `route`.
    pub(super) fn take(&mut self, route: Route) -> Option<Fault> {
        let at = self
            .0
            .iter()
            .position(|(for_route, _)| *for_route == route)?;
        self.0.remove(at).map(|(_, fault)| fault)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_apply_in_order_for_their_route() {
        let mut faults = Faults::default();
        faults.push(Route::Next, Fault::Close);
        faults.push(Route::Response, Fault::Stall);
        faults.push(Route::Next, Fault::SingleBytes);
        assert!(faults.take(Route::Ping).is_none());
        assert!(matches!(faults.take(Route::Next), Some(Fault::Close)));
        assert!(matches!(faults.take(Route::Next), Some(Fault::SingleBytes)));
        assert!(faults.take(Route::Next).is_none());
        assert_eq!(faults.len(), 1);
    }
}
