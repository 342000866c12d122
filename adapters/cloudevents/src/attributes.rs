use crate::refusal::invalid;
use crate::validate::MAX_ATTRIBUTES;
use crate::{timestamp, validate};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use faas_sdk_core::{Attribute, Data, Error, ErrorKind, Event, Result, Text};
use std::borrow::Cow;
use std::time::SystemTime;

/// The attributes of an event while they are read.
#[derive(Default)]
pub(crate) struct Attributes {
    id: Option<Text>,
    source: Option<Text>,
    r#type: Option<Text>,
    subject: Option<Text>,
    time: Option<SystemTime>,
    schema: Option<Text>,
    /// `datacontenttype`.
    pub(crate) content_type: Option<Text>,
    extensions: Vec<(Text, Attribute)>,
}

impl Attributes {
    /// Begins with the version, since it decides how everything else is to be read.
    pub(crate) fn new(version: Option<Attribute>) -> Result<Self> {
        let Some(version) = version else {
            return Err(missing("specversion"));
        };
        match &*text("specversion", version)? {
            "1.0" => Ok(Self::default()),
            "" => Err(invalid("specversion", "must not be empty")),
            _ => Err(invalid("specversion", "must be `1.0`, no other is known")),
        }
    }

    /// Sets an attribute that has not been set yet.
    pub(crate) fn set(&mut self, name: Text, value: Attribute) -> Result<()> {
        let slot = match &*name {
            "specversion" => return Ok(()),
            "id" => &mut self.id,
            "source" => &mut self.source,
            "type" => &mut self.r#type,
            "subject" => &mut self.subject,
            "datacontenttype" => &mut self.content_type,
            "dataschema" => &mut self.schema,
            "time" => {
                let time = timestamp::parse(&text(&name, value)?);
                self.time = Some(time.ok_or_else(|| {
                    invalid(
                        &name,
                        "is not a time of RFC 3339 such as `2018-04-05T17:31:00Z`",
                    )
                })?);
                return Ok(());
            }
            _ => {
                self.extensions.push((name, value));
                return Ok(());
            }
        };
        *slot = Some(text(&name, value)?);
        Ok(())
    }

    /// The event, if its attributes are all there and valid.
    pub(crate) fn into_event(self, data: Data) -> Result<Event> {
        let mut event = Event::new(
            self.id.ok_or_else(|| missing("id"))?,
            self.source.ok_or_else(|| missing("source"))?,
            self.r#type.ok_or_else(|| missing("type"))?,
            data,
        );
        event.subject = self.subject;
        event.time = self.time;
        event.content_type = self.content_type;
        event.schema = self.schema;
        event.extensions = self.extensions;
        validate(&event)?;
        Ok(event)
    }
}

/// The refusal of an event with more than [`MAX_ATTRIBUTES`] attributes.
pub(crate) fn too_many() -> Error {
    Error::new(
        ErrorKind::PayloadTooLarge,
        format!("the event has more than {MAX_ATTRIBUTES} attributes"),
    )
}

fn missing(name: &str) -> Error {
    invalid(name, "is required but missing")
}

fn text(name: &str, value: Attribute) -> Result<Text> {
    match value {
        Attribute::String(text) | Attribute::Untyped(text) => Ok(text),
        _ => Err(invalid(name, "must be a string")),
    }
}

/// The string encoding of the type system.
pub(crate) fn canonical(value: &Attribute) -> Cow<'_, str> {
    match value {
        Attribute::Boolean(boolean) => if *boolean { "true" } else { "false" }.into(),
        Attribute::Integer(integer) => integer.to_string().into(),
        Attribute::Binary(bytes) => STANDARD.encode(bytes).into(),
        Attribute::Timestamp(time) => timestamp::format(*time).unwrap_or_default().into(),
        textual => textual.as_str().unwrap_or_default().into(),
    }
}
