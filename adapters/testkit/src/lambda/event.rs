//! The invocations a test sends.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

pub(super) const REQUEST_ID: &str = "Lambda-Runtime-Aws-Request-Id";
pub(super) const INVOCATION_ID: &str = "Lambda-Runtime-Invocation-Id";
pub(super) const DEADLINE: &str = "Lambda-Runtime-Deadline-Ms";
pub(super) const FUNCTION_ARN: &str = "Lambda-Runtime-Invoked-Function-Arn";
pub(super) const TRACE_ID: &str = "Lambda-Runtime-Trace-Id";
pub(super) const CLIENT_CONTEXT: &str = "Lambda-Runtime-Client-Context";
pub(super) const COGNITO_IDENTITY: &str = "Lambda-Runtime-Cognito-Identity";
pub(super) const TENANT_ID: &str = "Lambda-Runtime-Aws-Tenant-Id";
pub(super) const CONTENT_TYPE: &str = "Content-Type";

/// One invocation to hand to the runtime: the event body and what its headers say.
///
/// Text is put into headers verbatim, so a test may also send values no platform would.
#[derive(Debug, Clone)]
pub struct Event {
    pub(super) body: Bytes,
    pub(super) request_id: Option<String>,
    pub(super) deadline: Option<Duration>,
    pub(super) trace: Option<String>,
    pub(super) arn: Option<String>,
    content_type: String,
    tenant: Option<String>,
    client_context: Option<String>,
    identity: Option<String>,
    overrides: Vec<(String, Option<String>)>,
}

/// What the platform alone knows when it hands an event out.
pub(super) struct Attempt<'a> {
    pub(super) request_id: &'a str,
    /// Absent when the header is switched off.
    pub(super) invocation_id: Option<&'a str>,
    pub(super) deadline_ms: u128,
    pub(super) arn: &'a str,
    /// Send optional headers without a value instead of leaving them out.
    pub(super) empty_headers: bool,
}

impl Event {
    /// A JSON event with `Content-Type: application/json`.
    pub fn json(value: Value) -> Self {
        Self::bytes(value.to_string())
    }

    /// An event of any bytes, sent as `application/json` unless [`content_type`](Self::content_type) says otherwise.
    pub fn bytes(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            request_id: None,
            deadline: None,
            trace: None,
            arn: None,
            content_type: "application/json".to_owned(),
            tenant: None,
            client_context: None,
            identity: None,
            overrides: Vec::new(),
        }
    }

    /// The content type of the event.
    #[must_use]
    pub fn content_type(mut self, value: impl Into<String>) -> Self {
        self.content_type = value.into();
        self
    }

    /// The request id; a fresh UUID if not set. A retry may reuse the id of an earlier event.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Time the runtime has, counted from the moment the event is handed out.
    #[must_use]
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// The tenant id of a function with tenancy `PER_TENANT`.
    #[must_use]
    pub fn tenant(mut self, id: impl Into<String>) -> Self {
        self.tenant = Some(id.into());
        self
    }

    /// The X-Ray header, `Root=..;Parent=..;Sampled=0|1`.
    #[must_use]
    pub fn trace(mut self, header: impl Into<String>) -> Self {
        self.trace = Some(header.into());
        self
    }

    /// The caller's client context.
    #[must_use]
    pub fn client_context(mut self, context: Value) -> Self {
        self.client_context = Some(context.to_string());
        self
    }

    /// The caller's Cognito identity id and identity pool id.
    #[must_use]
    pub fn identity(mut self, identity_id: &str, pool_id: &str) -> Self {
        let json = serde_json::json!({
            "cognitoIdentityId": identity_id,
            "cognitoIdentityPoolId": pool_id,
        });
        self.identity = Some(json.to_string());
        self
    }

    /// The ARN as invoked, with alias or version.
    #[must_use]
    pub fn function_arn(mut self, arn: impl Into<String>) -> Self {
        self.arn = Some(arn.into());
        self
    }

    /// Adds a header to the answer of `next`, or replaces the one of the same name.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.push((name.into(), Some(value.into())));
        self
    }

    /// Leaves a header out of the answer of `next`, also one the platform always sends.
    #[must_use]
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.overrides.push((name.into(), None));
        self
    }

    /// The headers of the answer to `next`.
    pub(super) fn headers(&self, attempt: &Attempt<'_>) -> Vec<(String, String)> {
        let arn = self.arn.as_deref().unwrap_or(attempt.arn);
        let always = [
            (CONTENT_TYPE, self.content_type.clone()),
            (REQUEST_ID, attempt.request_id.to_owned()),
            (DEADLINE, attempt.deadline_ms.to_string()),
            (FUNCTION_ARN, arn.to_owned()),
        ];
        let optional = [
            (TRACE_ID, self.trace.clone()),
            (CLIENT_CONTEXT, self.client_context.clone()),
            (COGNITO_IDENTITY, self.identity.clone()),
            (TENANT_ID, self.tenant.clone()),
        ];
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in always {
            headers.push((name.to_owned(), value));
        }
        if let Some(id) = attempt.invocation_id {
            headers.push((INVOCATION_ID.to_owned(), id.to_owned()));
        }
        for (name, value) in optional {
            match value {
                Some(value) => headers.push((name.to_owned(), value)),
                None if attempt.empty_headers => headers.push((name.to_owned(), String::new())),
                None => {}
            }
        }
        for (name, value) in &self.overrides {
            headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
            if let Some(value) = value {
                headers.push((name.clone(), value.clone()));
            }
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(empty_headers: bool) -> Attempt<'static> {
        Attempt {
            request_id: "r",
            invocation_id: Some("i"),
            deadline_ms: 7,
            arn: "arn",
            empty_headers,
        }
    }

    fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let mut found = headers.iter().filter(|(have, _)| have == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is sent twice");
        value
    }

    #[test]
    fn optional_headers_are_absent_or_empty() {
        let event = Event::json(serde_json::json!(1)).tenant("t");
        let absent = event.headers(&attempt(false));
        assert_eq!(value(&absent, TENANT_ID), Some("t"));
        assert_eq!(value(&absent, TRACE_ID), None);
        let empty = event.headers(&attempt(true));
        assert_eq!(value(&empty, TENANT_ID), Some("t"));
        assert_eq!(value(&empty, TRACE_ID), Some(""));
    }

    #[test]
    fn overrides_ignore_case_and_win() {
        let event = Event::bytes("x")
            .header("lambda-runtime-deadline-ms", "soon")
            .without_header("LAMBDA-RUNTIME-AWS-REQUEST-ID");
        let headers = event.headers(&attempt(false));
        assert_eq!(value(&headers, DEADLINE), None);
        assert_eq!(value(&headers, "lambda-runtime-deadline-ms"), Some("soon"));
        assert_eq!(value(&headers, REQUEST_ID), None);
    }
}
