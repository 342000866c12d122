use crate::media_type::MediaType;
use crate::refusal::{invalid_header, shown};
use crate::{batch, binary, structured};
use bytes::Bytes;
use faas_sdk_core::{Error, ErrorKind, Event, Result};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

/// The content type of one event in the JSON format.
pub const STRUCTURED_CONTENT_TYPE: &str = "application/cloudevents+json";

/// The content type of several events in the JSON batch format.
pub const BATCH_CONTENT_TYPE: &str = "application/cloudevents-batch+json";

/// Any content type that begins so is of a CloudEvents format.
const PREFIX: &str = "application/cloudevents";

/// What a message held.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart as soon as it is made"
)]
pub enum Decoded {
    /// One event, in binary or structured mode.
    Event(Event),
    /// The events of a batch in their order, each with its own error if it is invalid. May be
    /// empty.
    Batch(Vec<Result<Event>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Binary,
    Structured,
    Batch,
}

/// Whether [`decode`] finds an event, or an error, in a message with these headers. For those who
/// must know before they read the body.
#[must_use]
pub fn is_cloud_event(headers: &HeaderMap) -> bool {
    !matches!(mode(headers), Ok(None))
}

/// Reads what an HTTP request or response holds.
///
/// The content type decides: `application/cloudevents-batch+json` is a batch,
/// `application/cloudevents+json` one event in structured mode, whatever `ce-` headers repeat. With
/// any other one, or none, the message is an event in binary mode if it has at least one of the
/// headers `ce-specversion`, `ce-id`, `ce-source` and `ce-type`, and no CloudEvent (`None`)
/// otherwise. Media types are compared case-insensitively, without their parameters.
///
/// The size of the body is the caller's to limit.
///
/// # Errors
///
/// [`ErrorKind::UnsupportedMediaType`] for other formats and character sets,
/// [`ErrorKind::PayloadTooLarge`] for more than [`MAX_BATCH`](crate::MAX_BATCH) events or
/// [`MAX_ATTRIBUTES`](crate::MAX_ATTRIBUTES) attributes, [`ErrorKind::InvalidInput`] for whatever
/// else breaks a rule.
pub fn decode(headers: &HeaderMap, body: Bytes) -> Result<Option<Decoded>> {
    Ok(Some(match mode(headers)? {
        None => return Ok(None),
        Some(Mode::Binary) => Decoded::Event(binary::decode(headers, body)?),
        Some(Mode::Structured) => Decoded::Event(structured::decode(body)?),
        Some(Mode::Batch) => Decoded::Batch(batch::decode(body)?),
    }))
}

fn mode(headers: &HeaderMap) -> Result<Option<Mode>> {
    let types = headers.get_all(CONTENT_TYPE);
    match types.iter().find(|value| is_format(value)) {
        Some(format) => {
            if types.iter().nth(1).is_some() {
                return Err(invalid_header("content-type", "is given more than once"));
            }
            format_mode(format).map(Some)
        }
        None => Ok(binary::REQUIRED
            .iter()
            .any(|name| headers.contains_key(*name))
            .then_some(Mode::Binary)),
    }
}

fn is_format(value: &HeaderValue) -> bool {
    let start = value.as_bytes().trim_ascii_start().get(..PREFIX.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
}

fn format_mode(value: &HeaderValue) -> Result<Mode> {
    let text = std::str::from_utf8(value.as_bytes()).ok();
    let Some(media_type) = text.and_then(MediaType::parse) else {
        return Err(invalid_header("content-type", "is not a media type"));
    };
    let unsupported = |problem: String| {
        let shown = shown(text.unwrap_or_default());
        Err(Error::new(ErrorKind::UnsupportedMediaType, problem)
            .with_context("content-type", shown))
    };
    // Batch first: its media type begins with the one of a single event.
    let mode = if media_type.is(BATCH_CONTENT_TYPE) {
        Mode::Batch
    } else if media_type.is(STRUCTURED_CONTENT_TYPE) {
        Mode::Structured
    } else {
        return unsupported(format!(
            "event format `{}` is not supported, send `{STRUCTURED_CONTENT_TYPE}` or \
             `{BATCH_CONTENT_TYPE}`",
            shown(media_type.essence())
        ));
    };
    if !media_type.is_utf8() {
        return unsupported("events in JSON are read as UTF-8 only, send no other charset".into());
    }
    Ok(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    fn of(content_type: &'static str) -> Result<Option<Mode>> {
        mode(&headers(&[("content-type", content_type)]))
    }

    #[test]
    fn the_content_type_decides_before_any_header() {
        for (content_type, expected) in [
            ("application/cloudevents+json", Some(Mode::Structured)),
            (
                "Application/CloudEvents+JSON; Charset=\"UTF-8\"",
                Some(Mode::Structured),
            ),
            ("application/cloudevents-batch+json", Some(Mode::Batch)),
            (
                "APPLICATION/CLOUDEVENTS-BATCH+JSON;charset=utf-8",
                Some(Mode::Batch),
            ),
            ("application/json", None),
            ("application/cloud", None),
            ("", None),
        ] {
            assert_eq!(of(content_type).unwrap(), expected, "{content_type}");
        }
        let repeated = headers(&[
            ("ce-id", "1"),
            ("content-type", "application/cloudevents+json"),
        ]);
        assert_eq!(mode(&repeated).unwrap(), Some(Mode::Structured));
    }

    #[test]
    fn other_formats_and_charsets_are_unsupported() {
        for content_type in [
            "application/cloudevents",
            "application/cloudevents+avro",
            "application/cloudevents+jsonx",
            "application/cloudevents-batch",
            "application/cloudevents-batch+xml",
            "application/cloudevents+json; charset=utf-16",
        ] {
            let error = of(content_type).unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::UnsupportedMediaType,
                "{content_type}"
            );
            assert_eq!(error.context()[0].1, content_type);
        }
        let error = of("application/cloudevents+json; charset").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn one_required_header_makes_it_binary() {
        for (name, expected) in [
            ("ce-specversion", Some(Mode::Binary)),
            ("ce-id", Some(Mode::Binary)),
            ("ce-source", Some(Mode::Binary)),
            ("ce-type", Some(Mode::Binary)),
            ("ce-anything", None),
        ] {
            let headers = headers(&[(name, "x")]);
            assert_eq!(mode(&headers).unwrap(), expected, "{name}");
            assert_eq!(is_cloud_event(&headers), expected.is_some());
        }
    }

    #[test]
    fn two_content_types_are_refused_if_one_is_of_an_event() {
        let both = ["application/json", "application/cloudevents+json"];
        let mut headers = HeaderMap::new();
        for value in both {
            headers.append(CONTENT_TYPE, HeaderValue::from_static(value));
        }
        assert!(mode(&headers).is_err() && is_cloud_event(&headers));
    }
}
