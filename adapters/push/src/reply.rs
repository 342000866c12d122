use crate::activity::Busy;
use crate::exchange::{Answer, Exchange};
use crate::headers::is_hop_by_hop;
use crate::{Codec, Detail, error_response};
use bytes::Bytes;
use faas_sdk_core::{Body, BoxFuture, Error, ErrorKind, HttpResponse, report};
use faas_sdk_scope::CatchUnwind;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode, Version};
use http_body::{Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// What the HTTP server waits for: the answer to one request.
pub(crate) struct Reply<C: Codec> {
    source: Source<C>,
    busy: Option<Busy>,
    /// Whether the body is left out of the answer.
    head_only: bool,
    /// Whether the connection ends with this answer.
    close: bool,
}

enum Source<C: Codec> {
    Ready(Option<HttpResponse>),
    Hook(oneshot::Receiver<HttpResponse>),
    Invocation {
        exchange: Arc<Exchange<C>>,
        /// The work, until it has been polled once.
        work: Option<Work>,
    },
}

/// All that is to be done for an invocation; a panic in it ends nothing else.
type Work = CatchUnwind<BoxFuture<'static, ()>>;

impl<C: Codec> Reply<C> {
    pub(crate) fn ready(response: HttpResponse, method: &Method, busy: Busy) -> Self {
        Self::new(Source::Ready(Some(response)), method, busy)
    }

    pub(crate) fn hook(
        response: oneshot::Receiver<HttpResponse>,
        method: &Method,
        busy: Busy,
    ) -> Self {
        Self::new(Source::Hook(response), method, busy)
    }

    pub(crate) fn invocation(
        exchange: Arc<Exchange<C>>,
        work: BoxFuture<'static, ()>,
        method: &Method,
        busy: Busy,
    ) -> Self {
        let work = Some(CatchUnwind::new(work));
        Self::new(Source::Invocation { exchange, work }, method, busy)
    }

    fn new(source: Source<C>, method: &Method, busy: Busy) -> Self {
        Self {
            source,
            busy: Some(busy),
            head_only: method == Method::HEAD,
            close: false,
        }
    }

    /// Says that the rest of the request will not be read, so that nothing can follow it.
    pub(crate) fn closing(mut self) -> Self {
        self.close = true;
        self
    }
}

impl<C: Codec> Future for Reply<C> {
    type Output = Result<Response<ReplyBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let answer = match &mut this.source {
            Source::Ready(response) => Answer {
                response: response.take().unwrap_or_default(),
                written: None,
            },
            Source::Hook(response) => Answer {
                response: ready!(Pin::new(response).poll(cx)).unwrap_or_else(|_died| {
                    let error = Error::new(ErrorKind::Internal, "the hooks ended without a result");
                    error_response(&error, Detail::Public)
                }),
                written: None,
            },
            Source::Invocation { exchange, work } => {
                if let Some(work) = work.take() {
                    start(work, exchange.multiplexed, cx);
                }
                ready!(exchange.poll_answer(cx))
            }
        };
        this.source = Source::Ready(None);
        let mut response = finalise(answer.response, this.head_only);
        if this.close {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        let (written, busy) = (answer.written, this.busy.take());
        Poll::Ready(Ok(response.map(|body| ReplyBody {
            body,
            failure: None,
            _written: written,
            _busy: busy,
        })))
    }
}

/// Most work is done at its first poll, and then it needs no task of its own. All other work
/// gets one, so that it ends in order when the connection goes away.
///
/// Should the first poll not return, the connection's task is stuck with it and the watchdog
/// answers on the socket. It could not do so among multiplexed requests.
fn start(mut work: Work, multiplexed: bool, cx: &mut Context<'_>) {
    if multiplexed || Pin::new(&mut work).poll(cx).is_pending() {
        drop(tokio::spawn(work));
    }
}

impl<C: Codec> Drop for Reply<C> {
    fn drop(&mut self) {
        if let Source::Invocation { exchange, .. } = &self.source {
            exchange.abandon();
        }
    }
}

/// The body of an answer. When it is dropped, the answer is written or given up.
pub(crate) struct ReplyBody {
    body: Body,
    /// Why the body broke; kept back until what came before it is on its way.
    failure: Option<Error>,
    _written: Option<oneshot::Sender<()>>,
    _busy: Option<Busy>,
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Some(Err(failure)));
        }
        match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Err(failure)) => {
                // An error ends the connection at once; a pending body lets it flush before.
                self.failure = Some(failure);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.failure.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Makes an answer one that the HTTP server can write as it is.
fn finalise(mut response: HttpResponse, head_only: bool) -> HttpResponse {
    let status = response.status();
    if status.is_informational() {
        let error = Error::new(
            ErrorKind::Internal,
            format!("the function answered with status {status}, which is no answer"),
        );
        report(&error, None, error.message());
        return error_response(&error, Detail::Public);
    }
    // The version of the answer is the connection's; the server accepts no other.
    *response.version_mut() = Version::HTTP_11;
    if [
        StatusCode::NO_CONTENT,
        StatusCode::RESET_CONTENT,
        StatusCode::NOT_MODIFIED,
    ]
    .contains(&status)
    {
        *response.body_mut() = Body::empty();
    }
    let exact = http_body::Body::size_hint(response.body()).exact();
    let headers = response.headers_mut();
    if headers.is_empty() {
        return response;
    }
    remove_hop_by_hop(headers);
    if let Some(claimed) = headers.get(header::CONTENT_LENGTH) {
        let claimed: Option<u64> = claimed.to_str().ok().and_then(|text| text.parse().ok());
        let fits = match (claimed, exact) {
            (None, _) => false,
            (Some(_), None) => true,
            // An empty body may stand for the one that is left out.
            (Some(_), Some(0)) => head_only,
            (Some(claimed), Some(length)) => claimed == length,
        };
        let several = headers.get_all(header::CONTENT_LENGTH).iter().count() > 1;
        if !fits || several {
            headers.remove(header::CONTENT_LENGTH);
        }
    }
    response
}

fn remove_hop_by_hop(headers: &mut http::HeaderMap) {
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    // What `connection` names is of one hop too (RFC 9110, section 7.6.1).
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let standing: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_hop_by_hop(name))
        .cloned()
        .collect();
    for name in named.iter().chain(&standing) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> HttpResponse {
        let mut builder = Response::builder().status(status).version(Version::HTTP_3);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        finalise(builder.body(body.into()).expect("a response"), false)
    }

    #[test]
    fn hop_by_hop_headers_are_the_servers() {
        let response = answer(
            200,
            &[
                ("connection", "x-hop, close"),
                ("x-hop", "1"),
                ("keep-alive", "timeout=5"),
                ("transfer-encoding", "chunked"),
                ("set-cookie", "a=1"),
                ("set-cookie", "b=2"),
            ],
            "body",
        );
        let names: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["set-cookie", "set-cookie"]);
        assert_eq!(response.version(), Version::HTTP_11);
    }

    #[test]
    fn a_content_length_stays_only_where_it_is_true_or_stands_alone() {
        let length = |status, claimed, body: Body| {
            let response = answer(status, &[("content-length", claimed)], body);
            response.headers().contains_key("content-length")
        };
        assert!(length(200, "4", "body".into()));
        assert!(!length(200, "5", "body".into()));
        assert!(!length(200, "four", "body".into()));
        assert!(!length(200, "5", Body::empty()));
        assert!(!length(204, "4", Body::empty()));
        let head = Response::builder().header("content-length", "5");
        let head = finalise(head.body(Body::empty()).expect("a response"), true);
        assert_eq!(head.headers()["content-length"], "5");
        let twice = [("content-length", "4"), ("content-length", "4")];
        assert!(answer(200, &twice, "body").headers().is_empty());
        let streamed = Body::produce(async move |mut out| out.send("body").await);
        assert!(length(200, "4", streamed));
    }

    #[test]
    fn an_interim_status_is_no_answer() {
        assert_eq!(answer(101, &[], "").status(), 500);
        assert!(
            answer(204, &[], "body")
                .body()
                .as_bytes()
                .is_some_and(<[u8]>::is_empty)
        );
    }
}
