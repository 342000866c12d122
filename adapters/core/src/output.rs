use crate::{Body, Content, Error, ErrorKind, Event, ItemOutcome, Reply, Result, ViaJson};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};
use serde::Serialize;

/// An HTTP response with its body.
pub type HttpResponse = http::Response<Body>;

/// How a handler's output becomes a reply.
///
/// `M` tells the ways apart and is always inferred:
///
/// | Output | Reply |
/// |---|---|
/// | `T: Serialize` | JSON; over HTTP with status 200 |
/// | `(StatusCode, T)` | as `T`, with this status |
/// | `(StatusCode, HeaderMap, T)` | as `T`, with this status and these headers, cookies among them |
/// | [`HttpResponse`] | as it is, streamed or whole |
/// | [`Body`] | bytes, streamed or whole, without a type |
/// | [`Content`] | bytes with their media type |
/// | [`Event`] | an event in answer to an event |
/// | `Vec<`[`ItemOutcome`]`>` | how each item of a batch went |
/// | [`Reply`] | any of them |
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the output of a function",
    label = "not an output",
    note = "an output implements `serde::Serialize` (`#[derive(Serialize)]`), or is `(StatusCode, T)`, `(StatusCode, HeaderMap, T)`, `HttpResponse`, `Body`, `Content`, `Event`, `Vec<ItemOutcome>` or `Reply`"
)]
pub trait IntoReply<M>: Send {
    /// Makes the reply.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] if the output does not serialise.
    fn into_reply(self) -> Result<Reply>;
}

/// Marks outputs that are replies already.
#[derive(Debug)]
pub enum ViaReply {}
/// Marks outputs marked `M` with a status of their own.
#[derive(Debug)]
pub struct ViaStatus<M>(std::marker::PhantomData<M>);

impl<T: Serialize + Send> IntoReply<ViaJson> for T {
    fn into_reply(self) -> Result<Reply> {
        match serde_json::to_vec(&self) {
            Ok(text) => Ok(Reply::json(text.into())),
            Err(error) => {
                let message = "the output of the function does not serialise to JSON";
                Err(Error::new(ErrorKind::Internal, message).with_source(error))
            }
        }
    }
}

impl<T: IntoReply<M>, M> IntoReply<ViaStatus<M>> for (StatusCode, T) {
    fn into_reply(self) -> Result<Reply> {
        let mut response = as_response(self.1.into_reply()?)?;
        *response.status_mut() = self.0;
        Ok(Reply::Http(response))
    }
}

impl<T: IntoReply<M>, M> IntoReply<ViaStatus<M>> for (StatusCode, HeaderMap, T) {
    fn into_reply(self) -> Result<Reply> {
        let mut response = as_response(self.2.into_reply()?)?;
        *response.status_mut() = self.0;
        // What is given replaces what the output would have had, such as its type.
        let mut replaced = None;
        for (name, value) in self.1 {
            if let Some(name) = name {
                response.headers_mut().insert(&name, value);
                replaced = Some(name);
            } else if let Some(name) = &replaced {
                response.headers_mut().append(name, value);
            }
        }
        Ok(Reply::Http(response))
    }
}

fn as_response(reply: Reply) -> Result<HttpResponse> {
    match reply {
        Reply::Http(response) => Ok(response),
        Reply::Content(content) => Ok(content.into_response()),
        Reply::Event(_) | Reply::Batch(_) => {
            let message = "events and batches have no HTTP status: return them without one";
            Err(Error::new(ErrorKind::Unsupported, message))
        }
    }
}

impl Content {
    /// An HTTP response with status 200 and this content.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        let mut response = http::Response::new(self.body);
        if let Some(content_type) = self.content_type
            && let Ok(value) = http::HeaderValue::from_maybe_shared(content_type.into_bytes())
        {
            response.headers_mut().insert(CONTENT_TYPE, value);
        }
        response
    }
}

impl IntoReply<ViaReply> for HttpResponse {
    fn into_reply(self) -> Result<Reply> {
        Ok(Reply::Http(self))
    }
}

impl IntoReply<ViaReply> for Body {
    fn into_reply(self) -> Result<Reply> {
        Ok(Reply::Content(Content {
            content_type: None,
            body: self,
        }))
    }
}

impl IntoReply<ViaReply> for Content {
    fn into_reply(self) -> Result<Reply> {
        Ok(Reply::Content(self))
    }
}

impl IntoReply<ViaReply> for Event {
    fn into_reply(self) -> Result<Reply> {
        Ok(Reply::Event(Box::new(self)))
    }
}

impl IntoReply<ViaReply> for Vec<ItemOutcome> {
    fn into_reply(self) -> Result<Reply> {
        Ok(Reply::Batch(self))
    }
}

impl IntoReply<ViaReply> for Reply {
    fn into_reply(self) -> Result<Reply> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply<T: IntoReply<M>, M>(output: T) -> Reply {
        output.into_reply().expect("a reply")
    }

    #[test]
    fn each_output_finds_its_way() {
        assert!(
            matches!(reply(vec![1, 2]), Reply::Content(content) if content.body.as_bytes() == Some(b"[1,2]"))
        );
        assert!(matches!(
            reply(vec![ItemOutcome::ack("1")]),
            Reply::Batch(_)
        ));
        assert!(
            matches!(reply(Body::from("x")), Reply::Content(content) if content.content_type.is_none())
        );
        let Reply::Http(response) = reply((StatusCode::CREATED, "made")) else {
            panic!("no HTTP")
        };
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", "a=1".parse().expect(""));
        headers.append("set-cookie", "b=2".parse().expect(""));
        headers.insert(CONTENT_TYPE, "application/problem+json".parse().expect(""));
        let Reply::Http(response) = reply((StatusCode::OK, headers, 1)) else {
            panic!("no HTTP")
        };
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let teapot = http::Response::builder()
            .header("a", "b")
            .body(Body::empty())
            .expect("");
        let Reply::Http(response) = reply((StatusCode::IM_A_TEAPOT, teapot)) else {
            panic!("")
        };
        assert_eq!(
            (response.status(), &response.headers()["a"]),
            (StatusCode::IM_A_TEAPOT, &"b".parse().expect(""))
        );
    }

    #[test]
    fn what_does_not_serialise_is_an_error() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(
            map.into_reply().expect_err("no text keys").kind(),
            ErrorKind::Internal
        );
    }
}
