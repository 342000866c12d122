use super::{Answer, Served, Serving, Subject, Traits, camel_case};
use async_trait::async_trait;
use bytes::Bytes;
use faas_sdk_core::{BoxError, BoxFuture, Platform, Program, Stop};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How the variables of an HTTP platform say where to listen and how long a call may take.
type Variables = fn(SocketAddr, Option<Duration>) -> Vec<(&'static str, String)>;

/// An adapter that serves HTTP, called over raw sockets, one connection a call.
#[derive(Debug)]
pub struct Http<F> {
    adapter: F,
    path: String,
    traits: Traits,
    variables: Variables,
}

impl<F, P> Http<F>
where
    F: Fn() -> P + Send + Sync,
    P: Platform + 'static,
{
    /// The adapter that `adapter` makes, whose function is called by POST to `path` and which
    /// reads its settings from `variables`.
    pub fn new(adapter: F, path: impl Into<String>, traits: Traits, variables: Variables) -> Self {
        Self {
            adapter,
            path: path.into(),
            traits,
            variables,
        }
    }
}

#[async_trait]
impl<F, P> Subject for Http<F>
where
    F: Fn() -> P + Send + Sync,
    P: Platform + 'static,
{
    fn name(&self) -> &'static str {
        (self.adapter)().name()
    }

    fn traits(&self) -> Traits {
        self.traits
    }

    async fn start(
        &self,
        mut program: Program,
        deadline: Option<Duration>,
    ) -> Result<Arc<dyn Served>, BoxError> {
        // The port is free now; that nobody else takes it before the adapter does is likely
        // enough for a test.
        let address = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        program.env.extend((self.variables)(address, deadline));
        let stop = Stop::new();
        program.stop = Some(stop.clone());
        let serving = Serving::start((self.adapter)(), program);
        while TcpStream::connect(address).await.is_err() {
            if serving.is_over() {
                serving.ended().await?;
                return Err("serving ended before it began".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Arc::new(OnHttp {
            address,
            path: self.path.clone(),
            stop,
            serving,
        }))
    }
}

struct OnHttp {
    address: SocketAddr,
    path: String,
    stop: Stop,
    serving: Serving,
}

#[async_trait]
impl Served for OnHttp {
    async fn call(&self, payload: Bytes) -> Answer {
        let headers = [("content-type", "application/json")];
        match http_call(self.address, "POST", &self.path, &headers, &payload).await {
            Ok(reply) => reply.into_answer(),
            Err(error) => Answer::Lost(error.to_string()),
        }
    }

    async fn abandon(&self, payload: Bytes, gone: BoxFuture<'_, ()>) {
        let request = request(self.address, "POST", &self.path, &[], &payload);
        if let Ok(mut socket) = TcpStream::connect(self.address).await
            && socket.write_all(&request).await.is_ok()
        {
            gone.await;
        }
    }

    fn stop(&self) {
        self.stop.request();
    }

    async fn ended(&self) -> Result<(), BoxError> {
        self.serving.ended().await
    }
}

/// An HTTP response as it stood on the wire.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, without its chunks.
    pub body: Bytes,
    /// Whether the body came to its end.
    pub complete: bool,
}

impl HttpReply {
    /// The first header of this name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    }

    fn into_answer(self) -> Answer {
        if !self.complete {
            return Answer::Broken(self.body);
        }
        if (200..300).contains(&self.status) {
            return Answer::Reply(self.body);
        }
        let error: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        match (
            error["error"]["code"].as_str(),
            error["error"]["message"].as_str(),
        ) {
            (Some(code), Some(message)) => Answer::Failed {
                name: camel_case(code),
                message: message.to_owned(),
            },
            _ => Answer::Lost(format!("status {} with {:?}", self.status, self.body)),
        }
    }
}

fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

/// Sends one request over a connection of its own and reads the response to its end.
///
/// # Errors
///
/// No connection, or a response whose head is broken.
pub async fn http_call(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<HttpReply, BoxError> {
    let (mut reader, mut writer) = TcpStream::connect(address).await?.into_split();
    let request = request(address, method, target, headers, body);
    let mut bytes = Vec::new();
    // A server may answer, and close, before it has read everything.
    let (_, read) = tokio::join!(writer.write_all(&request), reader.read_to_end(&mut bytes));
    if bytes.is_empty() {
        read?;
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<HttpReply, BoxError> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(bytes)? else {
        return Err(format!(
            "the response ends in its head: {:?}",
            String::from_utf8_lossy(bytes)
        )
        .into());
    };
    let status = head.code.unwrap_or_default();
    if status == 100 {
        return parse(&bytes[length..]);
    }
    let headers: Vec<_> = head
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        })
        .collect();
    let find = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    let rest = &bytes[length..];
    let (body, complete) = if find("transfer-encoding").is_some() {
        dechunk(rest)
    } else {
        match find("content-length")
            .map(|length| length.parse::<usize>())
            .transpose()?
        {
            Some(length) => (
                rest[..rest.len().min(length)].to_vec(),
                rest.len() >= length,
            ),
            None => (rest.to_vec(), true),
        }
    };
    Ok(HttpReply {
        status,
        headers,
        body: body.into(),
        complete,
    })
}

/// The data of a chunked body, and whether its last chunk was there.
fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut data = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(rest) else {
            return (data, false);
        };
        if size == 0 {
            return (data, true);
        }
        let end = start + usize::try_from(size).unwrap_or(usize::MAX);
        let Some(chunk) = rest.get(start..end) else {
            data.extend_from_slice(&rest[start..]);
            return (data, false);
        };
        data.extend_from_slice(chunk);
        rest = rest.get(end + 2..).unwrap_or_default();
    }
}
