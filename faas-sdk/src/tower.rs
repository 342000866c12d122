//! Existing web services as functions.

use crate::{Context, Error, Handler, Result};
use bytes::Bytes;
use faas_sdk_core::{BoxError, HttpRequest, HttpResponse};
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::Poll;

/// Makes a handler of a tower service, such as an axum `Router`. The service finds the
/// [`Context`] in the extensions of each request.
///
/// ```
/// use axum::{Extension, Router, routing::get};
/// use faas_sdk::Context;
///
/// async fn id(Extension(cx): Extension<Context>) -> String {
///     cx.request_id().to_owned()
/// }
///
/// let router = Router::new().route("/api/id", get(id));
/// let app = faas_sdk::App::new().service("/api", router);
/// ```
pub fn service<S, B>(service: S) -> impl Handler<HttpRequest, Output = HttpResponse>
where
    S: tower_service::Service<HttpRequest, Response = http::Response<B>>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    Mounted(service)
}

struct Mounted<S>(S);

impl<S, B> Handler<HttpRequest> for Mounted<S>
where
    S: tower_service::Service<HttpRequest, Response = http::Response<B>>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = HttpResponse;

    async fn call(&self, mut request: HttpRequest, cx: Context) -> Result<HttpResponse> {
        request.extensions_mut().insert(cx);
        // The clone that was made ready is the one that is called, as tower asks.
        let mut service = self.0.clone();
        std::future::poll_fn(|task| service.poll_ready(task))
            .await
            .map_err(own)?;
        let response = service.call(request).await.map_err(own)?;
        Ok(response.map(|body| faas_sdk_core::Body::stream(Foreign(Box::pin(body)))))
    }
}

fn own(error: impl Into<BoxError>) -> Error {
    Error::from(error.into())
}

/// A body of another implementation with our error.
struct Foreign<B>(Pin<Box<B>>);

impl<B> http_body::Body for Foreign<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = faas_sdk_core::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, faas_sdk_core::Error>>> {
        let polled = self.0.as_mut().poll_frame(cx);
        polled.map(|frame| frame.map(|frame| frame.map_err(faas_sdk_core::Error::from_any)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
