//! HTTP responses in the form that HTTP front ends of Lambda take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use faas_sdk_core::{Disposition, Error, ErrorKind, ItemOutcome, Result};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, SET_COOKIE};
use http::response::Parts;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The content type by which the platform knows a streamed HTTP response.
pub(crate) const HTTP_INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    status_code: u16,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<Cow<'a, str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    body: Cow<'a, str>,
    is_base64_encoded: bool,
}

impl<'a> Head<'a> {
    /// Repeated headers are joined with a comma, as HTTP allows; cookies have a list of their own.
    fn new(parts: &'a Parts) -> Self {
        let mut headers: BTreeMap<&str, String> = BTreeMap::new();
        for name in parts.headers.keys().filter(|name| **name != SET_COOKIE) {
            let values = parts.headers.get_all(name).iter();
            let values: Vec<_> = values
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            headers.insert(name.as_str(), values.join(", "));
        }
        let cookies = parts.headers.get_all(SET_COOKIE).iter();
        let cookies = cookies
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        Self {
            status_code: parts.status.as_u16(),
            headers,
            cookies,
        }
    }
}

/// A whole response as JSON.
pub(crate) fn whole(parts: &Parts, body: &[u8]) -> Result<Vec<u8>> {
    let text = if is_text(parts) {
        std::str::from_utf8(body).ok()
    } else {
        None
    };
    let (body, is_base64_encoded) = match text {
        Some(text) => (Cow::Borrowed(text), false),
        None => (Cow::Owned(STANDARD.encode(body)), true),
    };
    serialise(&Whole {
        head: Head::new(parts),
        body,
        is_base64_encoded,
    })
}

/// What stands before the bytes of a streamed response: its head as JSON and eight zero bytes.
pub(crate) fn prelude(parts: &Parts) -> Result<Bytes> {
    let mut prelude = serialise(&Head::new(parts))?;
    prelude.extend_from_slice(&[0; 8]);
    Ok(prelude.into())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchReply<'a> {
    batch_item_failures: Vec<ItemFailure<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure<'a> {
    item_identifier: &'a str,
}

/// The items that are to be delivered again. The platform has no signal for a rejected item: it is
/// delivered again too, until it goes where failed events go.
pub(crate) fn batch(items: &[ItemOutcome]) -> Result<Vec<u8>> {
    let failed = |item: &&ItemOutcome| {
        matches!(
            item.disposition(),
            Disposition::Retry { .. } | Disposition::Reject
        )
    };
    let failures = items.iter().filter(failed);
    let batch_item_failures = failures
        .map(|item| ItemFailure {
            item_identifier: &item.id,
        })
        .collect();
    serialise(&BatchReply {
        batch_item_failures,
    })
}

fn serialise(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "the reply does not serialise").with_source(error)
    })
}

/// Whether a body of this type may stand as text in JSON.
fn is_text(parts: &Parts) -> bool {
    if parts.headers.contains_key(CONTENT_ENCODING) {
        return false;
    }
    let Some(value) = parts.headers.get(CONTENT_TYPE) else {
        return true;
    };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence,
            "application/json"
                | "application/javascript"
                | "application/xml"
                | "application/x-www-form-urlencoded"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut response = http::Response::builder().status(201);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(()).expect("a response").into_parts().0
    }

    #[test]
    fn repeated_headers_and_cookies_survive() {
        let parts = parts(&[
            ("x-a", "1"),
            ("x-a", "2"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2, c"),
        ]);
        let json = whole(&parts, b"hi").expect("JSON");
        assert_eq!(
            String::from_utf8(json).expect("text"),
            r#"{"statusCode":201,"headers":{"x-a":"1, 2"},"cookies":["a=1","b=2, c"],"body":"hi","isBase64Encoded":false}"#
        );
    }

    #[test]
    fn only_text_stays_text() {
        for (headers, body, base64) in [
            (
                &[("content-type", "text/plain; charset=utf-8")][..],
                &b"hi"[..],
                false,
            ),
            (&[("content-type", "text/plain")], b"\xff", true),
            (&[("content-type", "image/png")], b"hi", true),
            (
                &[
                    ("content-type", "application/json"),
                    ("content-encoding", "gzip"),
                ],
                b"hi",
                true,
            ),
        ] {
            let json: serde_json::Value =
                serde_json::from_slice(&whole(&parts(headers), body).expect("JSON")).expect("JSON");
            assert_eq!(json["isBase64Encoded"], base64, "{headers:?}");
        }
    }

    #[test]
    fn failed_items_are_listed() {
        let items = [
            ItemOutcome::ack("a"),
            ItemOutcome::failed("b", ErrorKind::Unavailable),
            ItemOutcome::failed(
                "c",
                Error::from(ErrorKind::Internal).with_disposition(Disposition::Drop),
            ),
        ];
        assert_eq!(
            batch(&items).expect("JSON"),
            br#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#
        );
    }
}
