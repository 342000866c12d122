use crate::request_body::REQUEST_TIMEOUT;
use faas_sdk_core::{Body, Disposition, Error, ErrorKind, HttpResponse};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::{Map, Value};

/// How much of an error its caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What the caller can do something about: the code always, the message of an error that is
    /// the caller's, and the field it names. Nothing of an error that is the function's.
    Public,
    /// Everything, with the messages of all causes; for the author's own eyes.
    Full,
}

/// The answer to a request that failed: the status of the error's kind, and as JSON
///
/// ```json
/// {"error": {"code": "invalid_input", "message": "…", "field": "items[1]", "causes": ["…"]}}
/// ```
///
/// `field` is there if the error's context has it, `causes` (the nearest first) with
/// [`Detail::Full`] if there are any. A time to wait goes into `retry-after`, the context
/// `allow` of a refused method into `allow`.
#[must_use]
pub fn error_response(error: &Error, detail: Detail) -> HttpResponse {
    let status = status(error);
    let shown = detail == Detail::Full || status.is_client_error();
    let message = if shown {
        error.message().to_owned()
    } else {
        status.canonical_reason().unwrap_or("failed").to_lowercase()
    };
    let mut object = Map::new();
    object.insert("code".to_owned(), error.code().into());
    object.insert("message".to_owned(), message.into());
    if let Some(field) = context(error, "field") {
        object.insert("field".to_owned(), field.into());
    }
    let causes: Vec<Value> = error.causes().map(Value::from).collect();
    if detail == Detail::Full && !causes.is_empty() {
        object.insert("causes".to_owned(), causes.into());
    }
    let object = Map::from_iter([("error".to_owned(), Value::Object(object))]);
    let mut response = Response::new(Body::from(Value::Object(object).to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Disposition::Retry { after: Some(after) } = error.disposition() {
        // Whole seconds, and never sooner than asked for.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if error.kind() == ErrorKind::MethodNotAllowed
        && let Some(Ok(allow)) = context(error, "allow").map(HeaderValue::from_str)
    {
        headers.insert(ALLOW, allow);
    }
    response
}

fn status(error: &Error) -> StatusCode {
    if error.code() == REQUEST_TIMEOUT {
        StatusCode::REQUEST_TIMEOUT
    } else {
        error.kind().status()
    }
}

fn context<'a>(error: &'a Error, name: &str) -> Option<&'a str> {
    let mut named = error.context().iter().filter(|(key, _)| *key == name);
    named.next().map(|(_, value)| &**value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn shown(error: &Error, detail: Detail) -> (u16, String) {
        let response = error_response(error, detail);
        let body = response.body().as_bytes().expect("a whole body");
        let body = String::from_utf8(body.to_vec()).expect("text");
        (response.status().as_u16(), body)
    }

    #[test]
    fn what_is_the_functions_own_affair_stays_there() {
        let error = Error::new(ErrorKind::Internal, "user=root password=hush")
            .with_code("order_failed")
            .with_source(std::io::Error::other("10.0.0.7 refused"));
        assert_eq!(
            shown(&error, Detail::Public),
            (
                500,
                r#"{"error":{"code":"order_failed","message":"internal server error"}}"#.to_owned()
            )
        );
        assert_eq!(
            shown(&error, Detail::Full).1,
            r#"{"error":{"causes":["10.0.0.7 refused"],"code":"order_failed","message":"user=root password=hush"}}"#
        );
    }

    #[test]
    fn what_is_the_callers_is_said() {
        let error = Error::new(ErrorKind::InvalidInput, "invalid input at `a`: no number")
            .with_context("field", "a")
            .with_source(std::io::Error::other("inner"));
        assert_eq!(
            shown(&error, Detail::Public),
            (
                400,
                r#"{"error":{"code":"invalid_input","field":"a","message":"invalid input at `a`: no number"}}"#
                    .to_owned()
            )
        );
        let slow = Error::new(ErrorKind::InvalidInput, "slow").with_code(REQUEST_TIMEOUT);
        assert_eq!(shown(&slow, Detail::Public).0, 408);
    }

    #[test]
    fn headers_say_when_and_how_to_try_again() {
        let busy = Error::from(ErrorKind::RateLimited).with_disposition(Disposition::Retry {
            after: Some(Duration::from_millis(1500)),
        });
        let response = error_response(&busy, Detail::Public);
        assert_eq!(
            (response.status().as_u16(), &response.headers()[RETRY_AFTER]),
            (429, &"2".parse().expect(""))
        );
        let method = Error::from(ErrorKind::MethodNotAllowed).with_context("allow", "GET, HEAD");
        assert_eq!(
            error_response(&method, Detail::Public).headers()[ALLOW],
            "GET, HEAD"
        );
    }
}
