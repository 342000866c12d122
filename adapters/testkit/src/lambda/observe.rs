//! What a test can see.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use thiserror::Error;

use super::extension::Registration;
use super::http::{Head, find};
use super::lifecycle::Phase;
use super::outcome::ErrorReport;
use super::route::Route;

/// A request the fake received. Clones share the record, so the status appears once the answer is sent.
#[derive(Debug, Clone)]
pub struct RecordedRequest(Arc<Record>);

#[derive(Debug)]
struct Record {
    number: u64,
    connection: u64,
    route: Option<Route>,
    request_id: Option<String>,
    head: Head,
    status: OnceLock<u16>,
}

impl RecordedRequest {
    /// Its place among all requests, from 0, in the order their heads were complete.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// The connection it came on, from 0, in the order of opening.
    pub fn connection(&self) -> u64 {
        self.0.connection
    }

    /// The call it makes; `None` for unknown paths and wrong methods.
    pub fn route(&self) -> Option<Route> {
        self.0.route
    }

    /// The request id in its path.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.0.head.method
    }

    /// The request target, prefix and query included.
    pub fn target(&self) -> &str {
        &self.0.head.target
    }

    /// All headers in order.
    pub fn headers(&self) -> &[(String, String)] {
        &self.0.head.headers
    }

    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.0.head.headers, name)
    }

    /// The status that was answered, as soon as sending begins; `None` while it waits and for faults without a status.
    pub fn status(&self) -> Option<u16> {
        self.0.status.get().copied()
    }

    pub(super) fn answered(&self, status: u16) {
        let _ = self.0.status.set(status);
    }
}

/// Requests and connections so far.
#[derive(Debug)]
pub(super) struct Traffic {
    pub(super) connections: u64,
    pub(super) open: usize,
    pub(super) count: u64,
    requests: VecDeque<RecordedRequest>,
    keep: usize,
}

impl Traffic {
    pub(super) fn new(keep: usize) -> Self {
        Self {
            connections: 0,
            open: 0,
            count: 0,
            requests: VecDeque::new(),
            keep,
        }
    }

    pub(super) fn record(
        &mut self,
        connection: u64,
        head: Head,
        route: Option<Route>,
        request_id: Option<String>,
    ) -> RecordedRequest {
        let request = RecordedRequest(Arc::new(Record {
            number: self.count,
            connection,
            route,
            request_id,
            head,
            status: OnceLock::new(),
        }));
        self.count += 1;
        self.requests.push_back(request.clone());
        while self.requests.len() > self.keep {
            self.requests.pop_front();
        }
        request
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }
}

/// An invocation handed out and not yet answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InFlight {
    /// Its request id.
    pub request_id: String,
    /// Bytes of a streamed response received so far; 0 for a buffered one.
    pub received: usize,
}

/// The state of the fake at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Observed {
    /// Where the runtime is.
    pub phase: Phase,
    /// Connections opened so far.
    pub connections: u64,
    /// Connections open now.
    pub open_connections: usize,
    /// Requests received so far.
    pub request_count: u64,
    /// The newest requests, oldest first.
    pub requests: Vec<RecordedRequest>,
    /// Calls of `next` that wait for an event.
    pub parked_next: usize,
    /// Calls of `restore/next` that wait for the restore.
    pub parked_restore: usize,
    /// Events that wait for a call of `next`.
    pub queued: usize,
    /// Invocations handed out and neither answered nor timed out.
    pub in_flight: Vec<InFlight>,
    /// Invocations answered, also by an answer that could not be used.
    pub answered: u64,
    /// Invocations that timed out.
    pub timed_out: u64,
    /// Extensions that registered.
    pub extensions: Vec<Registration>,
    /// An extension that has to call `event/next` before an event is handed out.
    pub waits_for_extension: Option<String>,
    /// The init error, if one was reported.
    pub init_error: Option<ErrorReport>,
    /// The restore error, if one was reported.
    pub restore_error: Option<ErrorReport>,
    /// Faults not applied yet.
    pub faults_left: usize,
}

/// One line, without the requests.
impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}, {} parked next, {} queued, {} in flight, {} answered, {} timed out, {} connections ({} open), \
             {} requests, {} faults left",
            self.phase,
            self.parked_next,
            self.queued,
            self.in_flight.len(),
            self.answered,
            self.timed_out,
            self.connections,
            self.open_connections,
            self.request_count,
            self.faults_left,
        )?;
        if let Some(name) = &self.waits_for_extension {
            write!(f, ", waiting for extension {name:?} to call event/next")?;
        }
        Ok(())
    }
}

/// A condition did not come true in time.
#[derive(Debug, Clone, Error)]
#[error("condition not met within {waited:?}: {observed}")]
pub struct WaitError {
    /// How long it was waited.
    pub waited: Duration,
    /// The state at the end.
    pub observed: Box<Observed>,
}
