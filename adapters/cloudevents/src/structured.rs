//! The JSON event format.

use crate::attributes::{Attributes, too_many};
use crate::data;
use crate::media_type::MediaType;
use crate::refusal::invalid;
use crate::validate::{MAX_ATTRIBUTES, duplicate};
use bytes::Bytes;
use faas_sdk_core::{Attribute, Data, Error, ErrorKind, Event, Result, Text};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

pub(crate) fn decode(body: Bytes) -> Result<Event> {
    let text = utf8(body)?;
    object(&text, &text)
}

/// The body as text.
pub(crate) fn utf8(body: Bytes) -> Result<Text> {
    Text::try_from(body).map_err(|cause| {
        Error::new(ErrorKind::InvalidInput, "the body is not UTF-8").with_source(cause)
    })
}

/// Reads the event in `json`, a part of `body`, whose buffer it goes on to use.
pub(crate) fn object(body: &Text, json: &str) -> Result<Event> {
    let Members { members, overflow } = serde_json::from_str(json).map_err(|cause| {
        Error::new(ErrorKind::InvalidInput, "the event is not a JSON object").with_source(cause)
    })?;
    if overflow {
        return Err(too_many());
    }
    if let Some(name) = duplicate(members.iter().map(|(name, _)| &**name)) {
        return Err(invalid(name, "is given more than once"));
    }
    let version = members.iter().find(|(name, _)| name == "specversion");
    let version = match version {
        Some((name, value)) => attribute(body, name, value)?,
        None => None,
    };
    let mut attributes = Attributes::new(version)?;
    let (mut value, mut base64) = (None, None);
    for (name, member) in members {
        match &*name {
            "data" => value = Some(member),
            "data_base64" => base64 = attribute(body, &name, member)?,
            _ => {
                if let Some(value) = attribute(body, &name, member)? {
                    attributes.set(text(body, name), value)?;
                }
            }
        }
    }
    let data = match (value, base64) {
        (Some(_), Some(_)) => {
            return Err(invalid("data_base64", "must not be given beside `data`"));
        }
        (Some(value), None) => of_value(body, value, &mut attributes.content_type)?,
        (None, Some(Attribute::String(text))) => data::of_base64(&text)?,
        (None, Some(_)) => return Err(invalid("data_base64", "must be a string")),
        (None, None) => Data::Absent,
    };
    let mut event = attributes.into_event(data)?;
    event.raw = Some(body.slice_ref(json).into_bytes());
    Ok(event)
}

/// The value of an attribute; `null` is no value.
fn attribute(body: &Text, name: &str, value: &RawValue) -> Result<Option<Attribute>> {
    let json = value.get();
    Ok(Some(match json.as_bytes().first() {
        Some(b'n') => return Ok(None),
        Some(b'"') => Attribute::String(string(body, name, json)?),
        Some(b't') => Attribute::Boolean(true),
        Some(b'f') => Attribute::Boolean(false),
        Some(b'-' | b'0'..=b'9') => match json.parse() {
            Ok(integer) => Attribute::Integer(integer),
            Err(_) => return Err(invalid(name, "must be a whole number of 32 bits")),
        },
        _ => {
            return Err(invalid(
                name,
                "must be a string, a whole number or a boolean",
            ));
        }
    }))
}

fn of_value(body: &Text, value: &RawValue, content_type: &mut Option<Text>) -> Result<Data> {
    let json = value.get();
    let declared = content_type.get_or_insert(Text::from_static(data::JSON));
    // What is not a media type is refused with the other attributes.
    if MediaType::parse(declared).is_some_and(|declared| !declared.is_json()) {
        if !json.starts_with('"') {
            return Err(invalid(
                "data",
                "must be a string, since its content type is not JSON",
            ));
        }
        return string(body, "data", json).map(Data::Text);
    }
    Ok(Data::Json(body.slice_ref(json).into_bytes()))
}

fn string(body: &Text, name: &str, json: &str) -> Result<Text> {
    match serde_json::from_str::<Str<'_>>(json) {
        Ok(Str(string)) => Ok(text(body, string)),
        Err(cause) => Err(invalid(name, "is not a string of Unicode").with_source(cause)),
    }
}

/// Text that shares the buffer of the body if it can.
fn text(body: &Text, part: Cow<'_, str>) -> Text {
    match part {
        Cow::Borrowed(part) => body.slice_ref(part),
        Cow::Owned(part) => part.into(),
    }
}

/// A string that is borrowed if it has no escapes.
#[derive(Deserialize)]
struct Str<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, repeated ones too, each value as its text.
struct Members<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// There are more than are kept.
    overflow: bool,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a CloudEvent as a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while members.len() < MAX_ATTRIBUTES {
                    let Some((Str(name), value)) = map.next_entry()? else {
                        let overflow = false;
                        return Ok(Members { members, overflow });
                    };
                    members.push((name, value));
                }
                let mut overflow = false;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    overflow = true;
                }
                Ok(Members { members, overflow })
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
