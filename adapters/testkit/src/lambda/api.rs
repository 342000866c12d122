//! The handle a test holds.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::event::Event;
use super::fault::Fault;
use super::observe::{Observed, RecordedRequest, WaitError};
use super::options::Options;
use super::outcome::{Lost, Outcome};
use super::route::Route;
use super::server;
use super::state::{Shared, uuid};

/// A running fake of the Lambda Runtime API. Dropping it closes every connection and ends every open invocation as
/// [`Lost::Stopped`].
///
/// Deadlines and waits go by tokio's clock while the sockets are real, so the clock should not be paused.
#[derive(Debug)]
pub struct FakeRuntimeApi {
    shared: Arc<Shared>,
    local: SocketAddr,
    server: AbortHandle,
}

impl FakeRuntimeApi {
    pub(super) async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let local = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options));
        let server = tokio::spawn(server::run(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self {
            shared,
            local,
            server,
        })
    }

    /// The value for `AWS_LAMBDA_RUNTIME_API`: `host:port`, or `http://host:port/prefix` if a prefix is set.
    pub fn address(&self) -> String {
        match self.shared.options.prefix.as_str() {
            "" => self.local.to_string(),
            prefix => format!("http://{}{prefix}", self.local),
        }
    }

    /// The socket it listens on.
    pub fn socket_addr(&self) -> SocketAddr {
        self.local
    }

    /// The environment variables a runtime process needs to find the fake and to know its mode.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let options = &self.shared.options;
        let init_type = match (options.snap_start, options.slots) {
            (true, _) => "snap-start",
            (false, 1) => "on-demand",
            (false, _) => "lambda-managed-instances",
        };
        let mut env = vec![
            ("AWS_LAMBDA_RUNTIME_API", self.address()),
            ("AWS_LAMBDA_FUNCTION_NAME", options.function.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", init_type.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("_HANDLER", "bootstrap".to_owned()),
        ];
        if options.slots > 1 {
            env.push(("AWS_LAMBDA_MAX_CONCURRENCY", options.slots.to_string()));
        }
        env
    }

    /// Queues an event for the next free call of `next`.
    pub fn invoke(&self, event: Event) -> Invocation {
        let (reply, outcome) = oneshot::channel();
        let request_id = event.request_id.clone().unwrap_or_else(uuid);
        let options = &self.shared.options;
        let limit = event
            .deadline
            .unwrap_or(options.deadline)
            .saturating_add(options.patience);
        self.shared.update(|state| match state.failed() {
            Some(lost) => {
                // The receiver is held below.
                let _ = reply.send(Outcome::Lost(lost));
            }
            None => state.invocations.push(event, request_id.clone(), reply),
        });
        Invocation {
            request_id,
            outcome,
            limit,
            shared: Arc::clone(&self.shared),
        }
    }

    /// Disturbs the next undisturbed request that makes this call. Faults of one call apply in order, one each.
    pub fn fault(&self, route: Route, fault: Fault) {
        self.shared.update(|state| state.faults.push(route, fault));
    }

    /// Faults not applied yet.
    pub fn faults_left(&self) -> usize {
        self.shared.lock().faults.len()
    }

    /// Restores the snapshot: `restore/next` returns, now or when it is called.
    pub fn restore(&self) {
        self.shared.update(|state| state.restored = true);
    }

    /// Makes a fresh environment for the next runtime process: its state and extensions are forgotten, open
    /// invocations end as [`Lost::Restarted`]. Connections, requests and faults stay.
    pub fn restart(&self) {
        self.shared.update(super::state::State::restart);
    }

    /// Connections opened so far.
    pub fn connections(&self) -> u64 {
        self.shared.lock().traffic.connections
    }

    /// The newest requests, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.lock().traffic.requests()
    }

    /// The whole state at this moment.
    pub fn observe(&self) -> Observed {
        self.shared.lock().observe()
    }

    /// Waits until a condition holds, and returns the state in which it did. Cancel-safe.
    ///
    /// # Errors
    /// If it does not hold within the fake's patience; the error shows the state.
    pub async fn wait_for(
        &self,
        mut condition: impl FnMut(&Observed) -> bool,
    ) -> Result<Observed, WaitError> {
        let patience = self.shared.options.patience;
        let mut changes = self.shared.subscribe();
        let met = timeout(patience, async {
            loop {
                changes.borrow_and_update();
                let observed = self.observe();
                if condition(&observed) {
                    return observed;
                }
                if changes.changed().await.is_err() {
                    // The sender lives as long as `self`.
                    std::future::pending::<()>().await;
                }
            }
        });
        met.await.map_err(|_| WaitError {
            waited: patience,
            observed: Box::new(self.observe()),
        })
    }

    /// Waits until exactly `n` calls of `next` are parked and nothing is queued or under way. Cancel-safe.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub async fn wait_idle_next(&self, n: usize) -> Result<Observed, WaitError> {
        self.wait_for(|state| {
            state.parked_next == n && state.queued == 0 && state.in_flight.is_empty()
        })
        .await
    }
}

impl Drop for FakeRuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
        self.shared
            .update(|state| state.invocations.lose_all(&Lost::Stopped));
    }
}

/// An invocation a test has started; await it for its [`Outcome`]. Dropping it does not cancel the invocation.
#[derive(Debug)]
#[must_use = "await it for the outcome"]
pub struct Invocation {
    request_id: String,
    outcome: oneshot::Receiver<Outcome>,
    limit: Duration,
    shared: Arc<Shared>,
}

impl Invocation {
    /// The request id the runtime sees.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Waits for the outcome, at most for the deadline and the fake's patience; then it is [`Lost::Unanswered`].
    ///
    /// Cancelling drops the outcome; the invocation goes on.
    pub async fn outcome(self) -> Outcome {
        match timeout(self.limit, self.outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::Lost(Lost::Stopped),
            Err(_) => {
                let state = self.shared.lock().observe().to_string();
                Outcome::Lost(Lost::Unanswered(state))
            }
        }
    }
}

impl IntoFuture for Invocation {
    type Output = Outcome;
    type IntoFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.outcome())
    }
}
