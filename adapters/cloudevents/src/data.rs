use crate::media_type::MediaType;
use crate::refusal::invalid;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use faas_sdk_core::{Data, Error, Event, Result, Text};
use serde_json::value::RawValue;

/// What the data of an event with JSON and no content type is.
pub(crate) const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The data that a body of this content type is.
pub(crate) fn of_body(body: Bytes, content_type: Option<&str>) -> Data {
    if body.is_empty() {
        return Data::Absent;
    }
    match content_type.and_then(MediaType::parse) {
        Some(json) if json.is_json() => Data::Json(body),
        Some(text) if text.is_text() && text.is_utf8() => {
            Text::try_from(body.clone()).map_or(Data::Bytes(body), Data::Text)
        }
        _ => Data::Bytes(body),
    }
}

/// The content type that goes out: the event's, or what its data implies.
pub(crate) fn content_type(event: &Event) -> Option<&str> {
    event.content_type.as_deref().or(match event.data {
        Data::Json(_) => Some(JSON),
        Data::Text(_) => Some(TEXT),
        Data::Absent | Data::Bytes(_) => None,
    })
}

/// The body of an event in binary mode.
pub(crate) fn body(event: &Event, content_type: Option<&str>) -> Result<Bytes> {
    if let Data::Text(text) = &event.data
        && let Some(media_type) = content_type.and_then(MediaType::parse)
        && !(media_type.is_utf8() && (text.is_ascii() || !media_type.is_ascii()))
    {
        return Err(invalid(
            "datacontenttype",
            "has a charset in which the text can't be sent, use `charset=utf-8`",
        ));
    }
    Ok(event.data.clone().into_bytes())
}

/// The data member of an event in the JSON format.
pub(crate) enum Member<'a> {
    Absent,
    /// `data` with a JSON value.
    Value(&'a RawValue),
    /// `data` with a string.
    Text(&'a str),
    /// `data_base64`.
    Base64(String),
}

pub(crate) fn member<'a>(event: &'a Event, content_type: Option<&str>) -> Result<Member<'a>> {
    let text = match &event.data {
        Data::Absent => return Ok(Member::Absent),
        Data::Bytes(bytes) => return Ok(Member::Base64(STANDARD.encode(bytes))),
        Data::Text(text) => text,
        Data::Json(bytes) => std::str::from_utf8(bytes).map_err(not_json)?,
    };
    let is_json = content_type
        .and_then(MediaType::parse)
        .is_some_and(|media_type| media_type.is_json());
    if is_json {
        serde_json::from_str(text)
            .map(Member::Value)
            .map_err(not_json)
    } else {
        Ok(Member::Text(text))
    }
}

fn not_json(cause: impl Into<faas_sdk_core::BoxError>) -> Error {
    invalid("data", "is not JSON, though its content type says so").with_source(cause)
}

/// The bytes of `data_base64`.
pub(crate) fn of_base64(text: &str) -> Result<Data> {
    match STANDARD.decode(text) {
        Ok(bytes) => Ok(Data::Bytes(bytes.into())),
        Err(cause) => Err(invalid("data_base64", "is not base64 (RFC 4648)").with_source(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_says_what_a_body_is() {
        for (content_type, body, expected) in [
            (None, "", Data::Absent),
            (Some("text/plain"), "", Data::Absent),
            (Some("application/json"), "", Data::Absent),
            (None, "{}", Data::Bytes("{}".into())),
            (Some("application/json"), "{", Data::Json("{".into())),
            (Some("a/b+JSON; c=d"), "1", Data::Json("1".into())),
            (Some("TEXT/plain"), "é", Data::Text("é".into())),
            (Some("text/a;charset=utf-8"), "é", Data::Text("é".into())),
            (Some("text/a;charset=latin1"), "e", Data::Bytes("e".into())),
            (Some("application/xml"), "<a/>", Data::Bytes("<a/>".into())),
        ] {
            assert_eq!(of_body(body.into(), content_type), expected);
        }
        let latin = Bytes::from_static(b"caf\xe9");
        assert_eq!(
            of_body(latin.clone(), Some("text/plain")),
            Data::Bytes(latin)
        );
    }

    #[test]
    fn text_goes_out_in_no_charset_but_utf8() {
        let mut event = Event::new("1", "/s", "t", Data::Text("é".into()));
        for (content_type, is_sent) in [
            ("text/plain", true),
            ("text/plain;charset=UTF-8", true),
            ("text/plain;charset=us-ascii", false),
            ("text/plain;charset=iso-8859-1", false),
        ] {
            event.content_type = Some(content_type.into());
            let sent = body(&event, content_type.into());
            assert_eq!(sent.is_ok(), is_sent, "{content_type}");
        }
    }
}
