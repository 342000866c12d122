use faas_sdk_core::{Body, Disposition, Error, ErrorKind, Event, HttpResponse, ItemOutcome, Reply};
use faas_sdk_push::{Detail, error_response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

/// A reply as an HTTP response: an event as a binary CloudEvent, a batch as a list of outcomes,
/// nothing at all as 204.
pub(crate) fn response(reply: Reply) -> HttpResponse {
    match reply {
        Reply::Http(response) => response,
        Reply::Content(content) => {
            let empty = content.content_type.is_none() && content.body.as_bytes() == Some(b"");
            let mut response = content.into_response();
            if empty {
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            response
        }
        Reply::Event(event) => binary(&event),
        Reply::Batch(items) => {
            let outcomes: Vec<_> = items.iter().map(outcome).collect();
            with_json(StatusCode::OK, &Value::Array(outcomes))
        }
        other => {
            let message = format!("the local platform has no form for {other:?}");
            failure(&Error::new(ErrorKind::Unsupported, message), None)
        }
    }
}

/// An error with everything that helps its author, and what there is to call if nothing was hit.
pub(crate) fn failure(error: &Error, available: Option<Vec<String>>) -> HttpResponse {
    let response = error_response(error, Detail::Full);
    let Some(available) = available else {
        return response;
    };
    let whole = response
        .body()
        .as_bytes()
        .and_then(|body| serde_json::from_slice(body).ok());
    let mut whole: Value = whole.unwrap_or_default();
    whole["error"]["available"] = available.into();
    with_json(response.status(), &whole)
}

fn binary(event: &Event) -> HttpResponse {
    match faas_sdk_cloudevents::encode_binary(event) {
        Ok((headers, body)) => {
            let mut response = HttpResponse::new(Body::from(body));
            *response.headers_mut() = headers;
            response
        }
        Err(error) => failure(&error, None),
    }
}

fn outcome(item: &ItemOutcome) -> Value {
    let what = match item.disposition() {
        Disposition::Ack => "ack",
        Disposition::Retry { .. } => "retry",
        Disposition::Reject => "reject",
        Disposition::Drop => "drop",
    };
    match &item.result {
        Ok(()) => json!({"id": &*item.id, "outcome": what}),
        Err(error) => {
            let error = json!({"code": error.code(), "message": error.message()});
            json!({"id": &*item.id, "outcome": what, "error": error})
        }
    }
}

fn with_json(status: StatusCode, value: &Value) -> HttpResponse {
    let mut response = HttpResponse::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
