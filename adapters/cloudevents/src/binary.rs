//! The binary content mode: attributes in headers, data in the body.

use crate::attributes::{Attributes, canonical, too_many};
use crate::refusal::{invalid, invalid_header};
use crate::validate::MAX_ATTRIBUTES;
use crate::{data, header_value, timestamp, uri, validate};
use bytes::Bytes;
use faas_sdk_core::{Attribute, Error, ErrorKind, Event, Result, Text};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// The headers of the required attributes.
pub(crate) const REQUIRED: [&str; 4] = ["ce-specversion", "ce-id", "ce-source", "ce-type"];

pub(crate) fn decode(headers: &HeaderMap, body: Bytes) -> Result<Event> {
    let version = headers.get("ce-specversion");
    let version = version
        .map(|value| text("specversion", value))
        .transpose()?;
    let mut attributes = Attributes::new(version.map(Attribute::Untyped))?;
    let mut count = 0;
    for header in headers.keys() {
        let Some(name) = header.as_str().strip_prefix("ce-") else {
            continue;
        };
        count += 1;
        if count > MAX_ATTRIBUTES {
            return Err(too_many());
        }
        if name == "datacontenttype" {
            return Err(invalid(
                name,
                "must not be a header of its own, `content-type` is its header",
            ));
        }
        for (index, value) in headers.get_all(header).iter().enumerate() {
            if index > 0 {
                return Err(invalid(name, "is given more than once"));
            }
            let value = Attribute::Untyped(text(name, value)?);
            attributes.set(name.into(), value)?;
        }
    }
    attributes.content_type = content_type(headers)?;
    let data = data::of_body(body, attributes.content_type.as_deref());
    attributes.into_event(data)
}

fn text(name: &str, value: &HeaderValue) -> Result<Text> {
    let is_uri: fn(&str) -> bool = match name {
        "source" => uri::is_reference,
        "dataschema" => uri::is_uri,
        _ => |_| true,
    };
    let decoded = header_value::decode(value.as_bytes())
        .map_err(|cause| invalid(name, "is not UTF-8").with_source(cause))?;
    if !is_uri(&decoded) {
        // A URI that its sender encoded decodes to a URI: this sender does not encode.
        let unquoted = header_value::unquote(value.as_bytes());
        if let Ok(plain) = std::str::from_utf8(&unquoted)
            && is_uri(plain)
        {
            return Ok(plain.into());
        }
    }
    Ok(decoded.into())
}

/// `Content-Type` is no attribute header: it is not percent-encoded.
fn content_type(headers: &HeaderMap) -> Result<Option<Text>> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid_header("content-type", "is given more than once"));
    }
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.trim_ascii().into())),
        Err(cause) => Err(invalid("datacontenttype", "is not UTF-8").with_source(cause)),
    }
}

/// Writes an event in binary mode: `Content-Type` and the `ce-` headers, and the body.
///
/// # Errors
///
/// [`ErrorKind::Internal`], since the event is not the caller's input, if it is not valid, or if
/// its text can't be sent in the charset of its content type.
pub fn encode_binary(event: &Event) -> Result<(HeaderMap, Bytes)> {
    encode(event).map_err(|error| error.with_kind(ErrorKind::Internal))
}

fn encode(event: &Event) -> Result<(HeaderMap, Bytes)> {
    validate(event)?;
    let content_type = data::content_type(event);
    let body = data::body(event, content_type)?;
    let mut headers = HeaderMap::with_capacity(8 + event.extensions.len());
    if let Some(content_type) = content_type {
        let value = HeaderValue::try_from(content_type)
            .map_err(|cause| unsendable("datacontenttype", cause))?;
        headers.insert(CONTENT_TYPE, value);
    }
    let time = event.time.and_then(timestamp::format);
    let core = [
        ("ce-specversion", Some("1.0")),
        ("ce-id", Some(&*event.id)),
        ("ce-source", Some(&*event.source)),
        ("ce-type", Some(&*event.r#type)),
        ("ce-subject", event.subject.as_deref()),
        ("ce-time", time.as_deref()),
        ("ce-dataschema", event.schema.as_deref()),
    ];
    for (header, value) in core {
        if let Some(value) = value {
            let value = header_value::encode(value).map_err(|cause| unsendable(header, cause))?;
            headers.insert(HeaderName::from_static(header), value);
        }
    }
    for (name, value) in &event.extensions {
        let header =
            HeaderName::try_from(format!("ce-{name}")).map_err(|cause| unsendable(name, cause))?;
        let value =
            header_value::encode(&canonical(value)).map_err(|cause| unsendable(name, cause))?;
        headers.insert(header, value);
    }
    Ok((headers, body))
}

fn unsendable(name: &str, cause: impl Into<faas_sdk_core::BoxError>) -> Error {
    let name = name.strip_prefix("ce-").unwrap_or(name);
    invalid(name, "can't be sent as an HTTP header").with_source(cause)
}
