//! What became of an invocation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::http::{Headers, find};

pub(super) const ERROR_TYPE: &str = "Lambda-Runtime-Function-Error-Type";
pub(super) const ERROR_BODY: &str = "Lambda-Runtime-Function-Error-Body";
const XRAY_CAUSE: &str = "Lambda-Runtime-Function-XRay-Error-Cause";
const CAUSE_CONTENT_TYPE: &str = "application/vnd.aws.lambda.error.cause+json";

/// How an invocation ended, as the platform saw it.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The runtime posted a response and it was taken.
    Response(Response),
    /// The runtime posted an error and it was taken.
    Error(ErrorReport),
    /// The deadline passed before an answer was complete.
    TimedOut,
    /// No usable answer came.
    Lost(Lost),
}

impl Outcome {
    /// The response, if it is one.
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Response(response) => Some(response),
            _ => None,
        }
    }

    /// The error report, if it is one.
    pub fn error(&self) -> Option<&ErrorReport> {
        match self {
            Self::Error(report) => Some(report),
            _ => None,
        }
    }
}

/// Why an invocation has no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Lost {
    /// The request that carried the answer ended early or was framed wrongly; the text says where.
    #[error("the answer was truncated: {0}")]
    Truncated(String),
    /// The response was larger than the limit, in bytes.
    #[error("the response exceeds the limit of {limit} bytes")]
    TooLarge {
        /// The limit that was in force, in bytes.
        limit: usize,
    },
    /// The response mode header had another value than `streaming`.
    #[error("the response mode {0:?} is not `streaming`")]
    InvalidMode(String),
    /// The runtime reported an init error.
    #[error("the runtime reported an init error")]
    InitError,
    /// The runtime reported that its hooks failed after a restore.
    #[error("the runtime reported a restore error")]
    RestoreError,
    /// The environment was restarted.
    #[error("the environment was restarted")]
    Restarted,
    /// The fake was stopped.
    #[error("the fake was stopped")]
    Stopped,
    /// Nothing happened within the patience of the fake; the text is the state it was in.
    #[error("no answer within the fake's patience: {0}")]
    Unanswered(String),
}

impl Lost {
    /// The error type the platform would report to the caller, where it has one.
    pub fn platform_error_type(&self) -> Option<&'static str> {
        match self {
            Self::Truncated(_) => Some("Runtime.TruncatedResponse"),
            Self::TooLarge { .. } => Some("Function.ResponseSizeTooLarge"),
            Self::InvalidMode(_) => Some("Runtime.InvalidResponseModeHeader"),
            _ => None,
        }
    }
}

/// A response the platform took.
#[derive(Debug, Clone)]
pub struct Response {
    /// The whole body.
    pub body: Bytes,
    /// All request headers in order.
    pub headers: Vec<(String, String)>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// Whether the response mode header asked for streaming.
    pub streaming: bool,
    /// The data chunks as framed on the wire; empty if the body was not chunked.
    pub chunks: Vec<Bytes>,
    /// The trailers after the last chunk, in order.
    pub trailers: Vec<(String, String)>,
    /// The invocation id the runtime echoed.
    pub invocation_id: Option<String>,
}

impl Response {
    /// The body as JSON.
    ///
    /// # Errors
    /// If the body is not JSON.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The body as text, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A request header by name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The error a runtime reported in trailers after it had begun to stream; `Ok(None)` if there are none.
    ///
    /// # Errors
    /// If only one of the two trailers is there, or the body is not base64 of the error JSON.
    pub fn stream_error(&self) -> Result<Option<StreamError>, StreamErrorInvalid> {
        let body = find(&self.trailers, ERROR_BODY);
        let Some(error_type) = find(&self.trailers, ERROR_TYPE) else {
            return match body {
                Some(_) => Err(StreamErrorInvalid::Missing(ERROR_TYPE)),
                None => Ok(None),
            };
        };
        let body = body.ok_or(StreamErrorInvalid::Missing(ERROR_BODY))?;
        let json = STANDARD.decode(body)?;
        Ok(Some(StreamError {
            error_type: error_type.to_owned(),
            details: serde_json::from_slice(&json)?,
        }))
    }
}

/// An error reported in trailers, after part of the response had been streamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// The trailer `Lambda-Runtime-Function-Error-Type`.
    pub error_type: String,
    /// The decoded trailer `Lambda-Runtime-Function-Error-Body`.
    pub details: ErrorDetails,
}

/// Why error trailers cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StreamErrorInvalid {
    /// One of the two trailers is missing.
    #[error("trailer {0} is missing")]
    Missing(&'static str),
    /// The body is not standard base64.
    #[error("trailer {ERROR_BODY} is not standard base64")]
    Base64(#[from] base64::DecodeError),
    /// The decoded body is not the error JSON.
    #[error("trailer {ERROR_BODY} does not decode to the error JSON")]
    Json(#[from] serde_json::Error),
}

/// The error JSON of the Runtime API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetails {
    /// What went wrong.
    pub error_message: String,
    /// Its kind.
    pub error_type: String,
    /// Where, innermost first; empty if not sent.
    #[serde(default)]
    pub stack_trace: Vec<String>,
}

/// An error the runtime posted: of an invocation, of init or of a restore.
#[derive(Debug, Clone)]
pub struct ErrorReport {
    /// The header `Lambda-Runtime-Function-Error-Type`, as sent.
    pub error_type: Option<String>,
    /// The body as sent.
    pub body: Bytes,
    /// The body as error JSON; `None` if it is none.
    pub details: Option<ErrorDetails>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The X-Ray cause: the header's text, or `cause` of a combined body.
    pub xray_cause: Option<String>,
    /// All request headers in order.
    pub headers: Vec<(String, String)>,
    /// The invocation id the runtime echoed.
    pub invocation_id: Option<String>,
}

impl ErrorReport {
    pub(super) fn new(headers: Headers, body: Bytes, invocation_id: Option<String>) -> Self {
        let content_type = find(&headers, "content-type").map(str::to_owned);
        let mut xray_cause = find(&headers, XRAY_CAUSE).map(str::to_owned);
        if xray_cause.is_none() && content_type.as_deref() == Some(CAUSE_CONTENT_TYPE) {
            xray_cause = serde_json::from_slice::<Value>(&body)
                .ok()
                .and_then(|json| json.get("cause").map(Value::to_string));
        }
        Self {
            error_type: find(&headers, ERROR_TYPE).map(str::to_owned),
            details: serde_json::from_slice(&body).ok(),
            body,
            content_type,
            xray_cause,
            headers,
            invocation_id,
        }
    }

    /// A request header by name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The error type the platform keeps: the header if it contains `Runtime.` or `Function.` followed by
    /// a capital and a further letter, else `Function.Unknown` or `Runtime.Unknown`.
    pub fn platform_error_type(&self) -> &str {
        let sent = self.error_type.as_deref().unwrap_or_default();
        let kept = ["Runtime.", "Function."].iter().any(|prefix| {
            sent.match_indices(prefix).any(|(at, _)| {
                let mut rest = sent[at + prefix.len()..].chars();
                rest.next().is_some_and(|c| c.is_ascii_uppercase())
                    && rest.next().is_some_and(|c| c.is_ascii_alphabetic())
            })
        });
        if kept {
            sent
        } else if sent.starts_with("Function.") {
            "Function.Unknown"
        } else {
            "Runtime.Unknown"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(headers: &[(&str, &str)], body: &'static str) -> ErrorReport {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        ErrorReport::new(headers, Bytes::from_static(body.as_bytes()), None)
    }

    #[test]
    fn error_types_are_normalised_as_the_platform_does() {
        for (sent, kept) in [
            ("Function.BadInput", "Function.BadInput"),
            ("Runtime.Panic", "Runtime.Panic"),
            ("x Runtime.Panic", "x Runtime.Panic"),
            ("Function.bad", "Function.Unknown"),
            ("Function.X", "Function.Unknown"),
            ("Function.", "Function.Unknown"),
            ("unhandled", "Runtime.Unknown"),
            ("", "Runtime.Unknown"),
        ] {
            let report = report(&[(ERROR_TYPE, sent)], "");
            assert_eq!(report.platform_error_type(), kept, "{sent:?}");
        }
    }

    #[test]
    fn the_cause_comes_from_the_header_or_the_combined_body() {
        let plain = report(&[("lambda-runtime-function-xray-error-cause", "{}")], "");
        assert_eq!(plain.xray_cause.as_deref(), Some("{}"));
        assert!(plain.details.is_none());
        let combined = report(
            &[("Content-Type", CAUSE_CONTENT_TYPE)],
            r#"{"errorMessage":"m","errorType":"t","cause":{"paths":[]}}"#,
        );
        assert_eq!(combined.xray_cause.as_deref(), Some(r#"{"paths":[]}"#));
        assert_eq!(combined.details.expect("error JSON").error_message, "m");
    }

    #[test]
    fn error_trailers_must_be_whole_and_base64_json() {
        let with = |trailers: &[(&str, &str)]| Response {
            body: Bytes::new(),
            headers: Vec::new(),
            content_type: None,
            streaming: true,
            chunks: Vec::new(),
            trailers: trailers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            invocation_id: None,
        };
        assert!(with(&[]).stream_error().expect("none").is_none());
        let body = STANDARD.encode(r#"{"errorMessage":"m","errorType":"t","stackTrace":["a"]}"#);
        let whole = with(&[(ERROR_TYPE, "Function.T"), (ERROR_BODY, &body)]);
        let error = whole.stream_error().expect("valid").expect("present");
        assert_eq!(error.error_type, "Function.T");
        assert_eq!(error.details.stack_trace, ["a"]);
        for broken in [
            with(&[(ERROR_TYPE, "Function.T")]),
            with(&[(ERROR_BODY, &body)]),
            with(&[(ERROR_TYPE, "Function.T"), (ERROR_BODY, "{}")]),
            with(&[(ERROR_TYPE, "Function.T"), (ERROR_BODY, "e30=")]),
        ] {
            assert!(broken.stream_error().is_err(), "{:?}", broken.trailers);
        }
    }
}
