use crate::{Body, Error, Event, HttpResponse, ItemOutcome, Text};
use bytes::Bytes;
use std::time::Duration;

/// What a function answered, or how it failed.
pub type Outcome = Result<Reply, Error>;

/// What becomes of an event. Each platform has its own signal for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Done.
    Ack,
    /// Deliver it again, if the platform can say so after at least this time.
    Retry {
        /// The least time to wait.
        after: Option<Duration>,
    },
    /// Never deliver it again; put it where failed events go.
    Reject,
    /// Never deliver it again; forget it.
    Drop,
}

/// A function's answer, before a platform gives it its form.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reply {
    /// Content with its type; the answer to an event, or an HTTP response with status 200.
    Content(Content),
    /// An HTTP response.
    Http(HttpResponse),
    /// An event in answer to an event.
    Event(Box<Event>),
    /// How each item of a batch went.
    Batch(Vec<ItemOutcome>),
}

/// A body and what it is.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Content {
    /// The media type; absent if the function did not say.
    pub content_type: Option<Text>,
    /// The bytes, at once or streamed.
    pub body: Body,
}

impl Content {
    /// Content of this media type.
    pub fn new(content_type: impl Into<Text>, body: impl Into<Body>) -> Self {
        Self {
            content_type: Some(content_type.into()),
            body: body.into(),
        }
    }
}

impl Reply {
    /// An empty answer.
    #[must_use]
    pub fn empty() -> Self {
        Self::Content(Content::default())
    }

    /// JSON text as `application/json`.
    #[must_use]
    pub fn json(text: Bytes) -> Self {
        Self::Content(Content::new(Text::from_static("application/json"), text))
    }

    /// The body that is streamed after the handler has returned, if there is one.
    #[must_use]
    pub fn body_mut(&mut self) -> Option<&mut Body> {
        match self {
            Self::Content(content) => Some(&mut content.body),
            Self::Http(response) => Some(response.body_mut()),
            Self::Event(_) | Self::Batch(_) => None,
        }
    }

    /// Whether a body is still to be streamed.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        match self {
            Self::Content(content) => content.body.is_stream(),
            Self::Http(response) => response.body().is_stream(),
            Self::Event(_) | Self::Batch(_) => false,
        }
    }
}
