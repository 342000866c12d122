use crate::{Batch, Event, HttpRequest, Metadata, Text, Trace};
use faas_sdk_scope::Scope;
use std::fmt;
use std::time::SystemTime;

/// One call of a function, as an adapter decoded it.
#[derive(Debug)]
pub struct Invocation {
    /// Who calls what, and how often it was tried.
    pub info: Info,
    /// What the handler is to work on.
    pub payload: Payload,
    /// Deadline, cancellation and everything that ends with it.
    pub scope: Scope,
}

/// What an invocation carries.
#[derive(Debug, Default)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "a payload is moved twice: less than an allocation"
)]
pub enum Payload {
    /// Nothing, or it has been taken.
    #[default]
    Empty,
    /// An HTTP request.
    Http(HttpRequest),
    /// One event.
    Event(Box<Event>),
    /// Several events delivered at once.
    Batch(Batch<Event>),
}

impl Payload {
    /// Takes the payload out and leaves nothing.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl From<Event> for Payload {
    fn from(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

/// Who calls what, and how often it was tried.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Info {
    /// The platform's id of this invocation; made up where the platform has none.
    pub id: Text,
    /// The adapter's name, for example `aws-lambda`.
    pub platform: &'static str,
    /// What the platform calls the function.
    pub function: Function,
    /// The name of the item, where the invocation is one item of a batch.
    pub item: Option<Text>,
    /// Which delivery this is.
    pub attempt: Attempt,
    /// The trace of the hop that brought it here.
    pub trace: Trace,
    /// The tenant, on platforms that know tenants.
    pub tenant: Option<Text>,
    /// Who the caller is, if the platform has checked it.
    pub identity: Option<Identity>,
    /// What the calling program said of itself, as JSON text, where the platform passes it on.
    pub client_context: Option<Text>,
    /// When the event entered the platform's queue, where it says so.
    pub enqueued: Option<SystemTime>,
    /// Whether it is the first invocation of this instance.
    pub cold_start: bool,
    /// The head of the HTTP request, once its body has been decoded as a typed input. A handler
    /// that takes the whole request has it there.
    pub http: Option<Box<http::request::Parts>>,
    /// What the platform sent beside the payload.
    pub metadata: Metadata,
}

/// What a platform calls a function. Every part may be missing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Function {
    /// The function that the caller itself named, where one address serves several.
    pub called: Option<Text>,
    /// The handler string of the deployment.
    pub handler: Option<Text>,
    /// The name of the deployed function.
    pub name: Option<Text>,
    /// The version or alias that was asked for.
    pub version: Option<Text>,
    /// The full resource name, as invoked.
    pub resource: Option<Text>,
}

/// Which delivery of an event this is. The platform may not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// 1 for the first delivery; `None` if the platform does not count.
    pub number: Option<u32>,
    /// After how many deliveries the platform gives up.
    pub limit: Option<u32>,
    /// Why the delivery before failed.
    pub last_error: Option<Text>,
}

impl Attempt {
    /// The delivery of this number, counted from 1.
    #[must_use]
    pub fn number(number: u32) -> Self {
        Self {
            number: Some(number),
            ..Self::default()
        }
    }
}

/// Who the caller is. `Debug` shows the provider alone.
#[derive(Clone)]
pub struct Identity {
    /// Who vouches for it, for example `cognito`.
    pub provider: &'static str,
    /// The claims, as JSON text.
    pub claims: Text,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

impl Info {
    /// An invocation of which only the id is known.
    pub fn new(id: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            platform: "unknown",
            function: Function::default(),
            item: None,
            attempt: Attempt::default(),
            trace: Trace::default(),
            tenant: None,
            identity: None,
            client_context: None,
            enqueued: None,
            cold_start: false,
            http: None,
            metadata: Metadata::default(),
        }
    }
}

impl Invocation {
    /// An invocation of which only the id is known.
    pub fn new(id: impl Into<Text>, scope: Scope, payload: impl Into<Payload>) -> Self {
        Self {
            info: Info::new(id),
            payload: payload.into(),
            scope,
        }
    }
}

impl From<HttpRequest> for Payload {
    fn from(request: HttpRequest) -> Self {
        Self::Http(request)
    }
}

impl From<Batch<Event>> for Payload {
    fn from(batch: Batch<Event>) -> Self {
        Self::Batch(batch)
    }
}
