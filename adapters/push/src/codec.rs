use crate::{Detail, error_response};
use faas_sdk_core::{
    BoxFuture, Error, HttpRequest, HttpResponse, Invocation, Outcome, Result, Stage, Text,
};
use faas_sdk_scope::Scope;
use http::request::Parts;
use std::net::SocketAddr;
use std::time::Duration;

/// How one platform speaks over HTTP: what a request means, what invocation is in it, and how
/// its outcome is answered.
pub trait Codec: Send + Sync + 'static {
    /// What has to be remembered of a request to answer it.
    type Call: Send + 'static;

    /// Says what a request is, from its head alone. It runs on the connection's task and must
    /// not block.
    ///
    /// A platform marks its control requests by a header of its own where it can: decide by that
    /// header first and by the path second, since a client may ask for any path. Where only the
    /// path tells, [`Situation::is_local`] keeps strangers from control paths.
    fn classify(&self, head: &Parts, situation: &Situation) -> Class<Self::Call>;

    /// Makes the invocation. The future is dropped when the client leaves or the deadline passes;
    /// `request` has its body under the profile's limits.
    fn decode<'a>(
        &'a self,
        call: &'a mut Self::Call,
        request: HttpRequest,
        scope: Scope,
    ) -> BoxFuture<'a, Result<Invocation>>;

    /// The id of the invocation, as far as it is known: for the log, where decoding fails.
    fn id(&self, call: &Self::Call) -> Option<Text> {
        let _ = call;
        None
    }

    /// Answers the request: with the reply, with why decoding failed or the request was refused,
    /// or with a timeout.
    ///
    /// Hop-by-hop headers and a wrong `content-length` are taken out of the answer afterwards.
    fn encode(&self, call: Self::Call, outcome: Outcome) -> HttpResponse;

    /// Answers a request for a stage of the life cycle. Default: an empty 200, or the error
    /// without its causes.
    fn encode_hook(&self, stage: Stage, result: Result<(), Error>) -> HttpResponse {
        let _ = stage;
        match result {
            Ok(()) => HttpResponse::default(),
            Err(error) => error_response(&error, Detail::Public),
        }
    }
}

/// What a request is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Class<Call> {
    /// An invocation.
    Invoke {
        /// What has to be remembered to answer it.
        call: Call,
        /// How long it may take, counted from now; `None` if the platform does not say.
        allowed: Option<Duration>,
    },
    /// A request that is answered at once and reaches no function: a health check, a probe, a
    /// refused control path. Its body is not read.
    Answer(HttpResponse),
    /// The platform asks for the hooks of a stage. They run to their end even if it does not
    /// wait for them.
    Hook(Stage),
}

/// What is known beside a request's head when it arrives.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Situation {
    /// Who is connected; behind a gateway that is the gateway.
    pub peer: SocketAddr,
    /// Whether a stop was asked for: readiness is denied, invocations are still answered.
    pub stopping: bool,
    /// How many invocations are under way.
    pub in_flight: usize,
    /// Whether one more would be refused.
    pub full: bool,
}

impl Situation {
    /// Whether the request comes from this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }
}
