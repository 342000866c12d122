use crate::attributes::canonical;
use crate::data::{self, Member};
use crate::{timestamp, validate};
use bytes::Bytes;
use faas_sdk_core::{Attribute, Error, ErrorKind, Event, Result};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Writes an event in the JSON format, for the content type
/// [`STRUCTURED_CONTENT_TYPE`](crate::STRUCTURED_CONTENT_TYPE).
///
/// # Errors
///
/// [`ErrorKind::Internal`], since the event is not the caller's input, if it is not valid, or if
/// its data is not the JSON that it says it is.
pub fn encode_structured(event: &Event) -> Result<Bytes> {
    to_json(&Envelope::new(event)?)
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<Bytes> {
    match serde_json::to_vec(value) {
        Ok(json) => Ok(json.into()),
        Err(cause) => Err(
            Error::new(ErrorKind::Internal, "the event can't be written as JSON")
                .with_source(cause),
        ),
    }
}

/// A valid event as an object of the JSON format.
pub(crate) struct Envelope<'a> {
    event: &'a Event,
    content_type: Option<&'a str>,
    data: Member<'a>,
}

impl<'a> Envelope<'a> {
    pub(crate) fn new(event: &'a Event) -> Result<Self> {
        let content_type = data::content_type(event);
        validate(event)
            .and_then(|()| data::member(event, content_type))
            .map(|data| Self {
                event,
                content_type,
                data,
            })
            .map_err(|error| error.with_kind(ErrorKind::Internal))
    }
}

impl Serialize for Envelope<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.event;
        let time = event.time.and_then(timestamp::format);
        let core = [
            ("specversion", Some("1.0")),
            ("id", Some(&*event.id)),
            ("source", Some(&*event.source)),
            ("type", Some(&*event.r#type)),
            ("subject", event.subject.as_deref()),
            ("time", time.as_deref()),
            ("datacontenttype", self.content_type),
            ("dataschema", event.schema.as_deref()),
        ];
        let mut object = serializer.serialize_map(None)?;
        for (name, value) in core {
            if let Some(value) = value {
                object.serialize_entry(name, value)?;
            }
        }
        for (name, value) in &event.extensions {
            object.serialize_entry::<str, _>(name, &Value(value))?;
        }
        match &self.data {
            Member::Absent => {}
            Member::Value(value) => object.serialize_entry("data", value)?,
            Member::Text(text) => object.serialize_entry("data", text)?,
            Member::Base64(text) => object.serialize_entry("data_base64", text)?,
        }
        object.end()
    }
}

struct Value<'a>(&'a Attribute);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Attribute::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Attribute::Integer(integer) => serializer.serialize_i32(*integer),
            other => serializer.serialize_str(&canonical(other)),
        }
    }
}
