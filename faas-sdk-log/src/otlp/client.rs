use super::answer::Answer;
use super::tls::Tls;
use async_trait::async_trait;
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

/// The HTTP client of one exporter.
///
/// Every request has a connection of its own, which is driven by the request's future and ends with
/// it: none is left behind that would be dead after a freeze, and no task. It keeps the answer,
/// because the exporter does not hand it on.
pub(super) struct Client {
    headers: HeaderMap,
    tls: Arc<Tls>,
    answer: Arc<Mutex<Option<Answer>>>,
}

/// An answer is as short as it can be; more than this is not read.
const LONGEST: usize = 64 << 10;

impl Client {
    pub(super) fn new(
        headers: HeaderMap,
        tls: Arc<Tls>,
        answer: Arc<Mutex<Option<Answer>>>,
    ) -> Self {
        Self {
            headers,
            tls,
            answer,
        }
    }

    async fn exchange(&self, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
        let request = self.complete(request)?;
        let host = request.uri().host().unwrap_or_default();
        // Of an IPv6 address, which stands in brackets in a URL.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let secure = request.uri().scheme_str() == Some("https");
        let port = request
            .uri()
            .port_u16()
            .unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        if secure {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            let stream = self.tls.connector()?.connect(name, stream).await?;
            send(stream, request).await
        } else {
            send(stream, request).await
        }
    }

    /// The headers are those that are set here, and what says what the body is: the exporter adds
    /// some from the environment, which is not asked for them.
    fn complete(&self, request: Request<Bytes>) -> io::Result<Request<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let mut headers = self.headers.clone();
        for name in [CONTENT_TYPE, CONTENT_ENCODING, USER_AGENT] {
            if let Some(value) = parts.headers.remove(&name) {
                headers.insert(name, value);
            }
        }
        let host = parts.uri.authority().map_or("", |host| host.as_str());
        let host = HeaderValue::from_str(host).map_err(io::Error::other)?;
        headers.insert(HOST, host);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        parts.headers = headers;
        Ok(Request::from_parts(parts, body))
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let result = self.exchange(request).await;
        let answer = match &result {
            Ok(response) => Answer::Status {
                status: response.status().as_u16(),
                body: response.body().clone(),
            },
            Err(error) => Answer::None(error.to_string()),
        };
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        Ok(result?)
    }
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    request: Request<Bytes>,
) -> io::Result<Response<Bytes>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let (mut parts, body) = request.into_parts();
    // A request to the server itself names the path alone.
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse::<Uri>().map_err(io::Error::other)?;
    let request = Request::from_parts(parts, Full::new(body));
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let (parts, body) = response.into_parts();
        // The status says it all; what a body that breaks off would have added is not waited for.
        let body = Limited::new(body, LONGEST).collect().await;
        let body = body.map(Collected::to_bytes).unwrap_or_default();
        Ok(Response::from_parts(parts, body))
    };
    let (mut connection, mut exchange) = (Some(Box::pin(connection)), pin!(exchange));
    poll_fn(|cx| {
        let open = connection.as_mut();
        if open.is_some_and(|connection| connection.as_mut().poll(cx).is_ready()) {
            // Dropped, so that a request it never took up does not wait for it.
            connection = None;
        }
        exchange.as_mut().poll(cx)
    })
    .await
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
