use crate::{Text, TraceContext};
use bytes::Bytes;
use std::time::SystemTime;

/// What kind of source an event comes from. Subscriptions name it before the colon:
/// `queue:orders`, `timer:nightly`, `object:bucket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A direct call of the function with a payload of the caller's.
    Invoke,
    /// A CloudEvent whose source says no more about its kind.
    CloudEvent,
    /// A message of a queue.
    Queue,
    /// A message of a topic.
    Topic,
    /// A record of an ordered stream or log.
    Stream,
    /// A clock.
    Timer,
    /// A change of an object in a store.
    Object,
    /// A change of a row or document.
    Database,
}

impl EventKind {
    /// The name in subscriptions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::CloudEvent => "ce",
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::Stream => "stream",
            Self::Timer => "timer",
            Self::Object => "object",
            Self::Database => "database",
        }
    }
}

/// The data of an event. Absent is not the same as a JSON `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Data {
    /// There is none.
    #[default]
    Absent,
    /// Bytes of the event's content type.
    Bytes(Bytes),
    /// Text of the event's content type.
    Text(Text),
    /// JSON text. The sender says that it is JSON; it is checked when it is decoded.
    Json(Bytes),
}

impl Data {
    /// The bytes, empty if absent.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Absent => Bytes::new(),
            Self::Bytes(bytes) | Self::Json(bytes) => bytes,
            Self::Text(text) => text.into_bytes(),
        }
    }

    /// The bytes, empty if absent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Absent => &[],
            Self::Bytes(bytes) | Self::Json(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }
}

/// The value of an extension attribute, with the types of CloudEvents 1.0.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Attribute {
    /// `Boolean`.
    Boolean(bool),
    /// `Integer`, 32 bits with a sign.
    Integer(i32),
    /// `String`.
    String(Text),
    /// `Binary`.
    Binary(Bytes),
    /// `URI`.
    Uri(Text),
    /// `URI-reference`.
    UriReference(Text),
    /// `Timestamp`.
    Timestamp(SystemTime),
    /// Text of an unknown type, as it comes in HTTP headers.
    Untyped(Text),
}

impl Attribute {
    /// The text of a textual value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text)
            | Self::Uri(text)
            | Self::UriReference(text)
            | Self::Untyped(text) => Some(text),
            Self::Boolean(_) | Self::Integer(_) | Self::Binary(_) | Self::Timestamp(_) => None,
        }
    }
}

/// An event: the attributes of CloudEvents 1.0, whatever platform it came from, and its data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// What kind of source it comes from.
    pub kind: EventKind,
    /// Identifies the event within its source.
    pub id: Text,
    /// Who sent it: a URI reference, or the platform's own resource name.
    pub source: Text,
    /// What happened, for example `com.example.order.paid`.
    pub r#type: Text,
    /// What it happened to, within the source.
    pub subject: Option<Text>,
    /// When it happened.
    pub time: Option<SystemTime>,
    /// The media type of the data.
    pub content_type: Option<Text>,
    /// The schema of the data.
    pub schema: Option<Text>,
    /// Further attributes, in the order of their arrival.
    pub extensions: Vec<(Text, Attribute)>,
    /// The data.
    pub data: Data,
    /// The event as the platform sent it, where it had a form of its own.
    pub raw: Option<Bytes>,
    /// Whether the sender takes an event in answer.
    pub wants_reply: bool,
}

impl Event {
    /// An event with its required attributes and nothing else.
    pub fn new(
        id: impl Into<Text>,
        source: impl Into<Text>,
        r#type: impl Into<Text>,
        data: Data,
    ) -> Self {
        Self {
            kind: EventKind::CloudEvent,
            id: id.into(),
            source: source.into(),
            r#type: r#type.into(),
            subject: None,
            time: None,
            content_type: None,
            schema: None,
            extensions: Vec::new(),
            data,
            raw: None,
            wants_reply: false,
        }
    }

    /// A direct call: `source` is the platform's name of the function.
    pub fn invoke(id: impl Into<Text>, source: impl Into<Text>, data: Data) -> Self {
        let mut event = Self::new(id, source, Text::from_static("invoke"), data);
        event.kind = EventKind::Invoke;
        event
    }

    /// The value of an extension attribute.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&Attribute> {
        self.extensions
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Sets an extension attribute.
    pub fn set_extension(&mut self, name: impl Into<Text>, value: Attribute) {
        let name = name.into();
        match self.extensions.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => self.extensions.push((name, value)),
        }
    }

    /// The trace of the producer at the time of the event, from the extension `traceparent`.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::parse(self.extension("traceparent")?.as_str()?)
    }

    /// The last segment of the source: the queue, bucket or timer that subscriptions name.
    #[must_use]
    pub fn source_name(&self) -> &str {
        self.source
            .trim_end_matches(['/', ':'])
            .rsplit(['/', ':'])
            .next()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_go_by_the_last_segment() {
        for (source, name) in [
            ("arn:aws:sqs:eu-west-1:1:orders", "orders"),
            ("//storage.example/projects/_/buckets/pictures/", "pictures"),
            ("orders", "orders"),
            ("", ""),
        ] {
            assert_eq!(
                Event::new("1", source, "t", Data::Absent).source_name(),
                name
            );
        }
    }

    #[test]
    fn the_trace_of_the_event_is_its_extension() {
        let mut event = Event::new("1", "/s", "t", Data::Absent);
        assert!(event.trace().is_none());
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        event.set_extension("traceparent", Attribute::Untyped(header.into()));
        event.set_extension("traceparent", Attribute::String(header.into()));
        assert_eq!(event.extensions.len(), 1);
        assert_eq!(
            event.trace().map(|trace| trace.to_string()).as_deref(),
            Some(header)
        );
    }
}
