//! A server with a small codec, and a client that writes raw bytes.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use faas_sdk_core::{
    BoxFuture, Error, HttpRequest, HttpResponse, Invocation, Invoke, Outcome, Payload, Program,
    Reply, Result, Stage, Stop,
};
use faas_sdk_push::{Class, Codec, Detail, Profile, Server, Situation, error_response, new_id};
use faas_sdk_scope::Scope;
use http::HeaderValue;
use http::request::Parts;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// Longer than anything takes; a test that gets here has failed.
pub const LONG: Duration = Duration::from_secs(20);
pub const SHORT: Duration = Duration::from_millis(60);

/// An `Invoke` made of a closure over the request.
pub struct Call<F>(pub F);

impl<F, Fut> Invoke for Call<F>
where
    F: Fn(Scope, HttpRequest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    fn invoke(&self, mut invocation: Invocation) -> BoxFuture<'_, Outcome> {
        match invocation.payload.take() {
            Payload::Http(request) => Box::pin((self.0)(invocation.scope, request)),
            other => panic!("the codec makes no {other:?}"),
        }
    }
}

/// Marks its control requests by a header, like the platforms do.
#[derive(Default)]
pub struct Headers {
    /// For every path but `/free`.
    pub allowed: Option<Duration>,
}

impl Codec for Headers {
    type Call = ();

    fn classify(&self, head: &Parts, situation: &Situation) -> Class<()> {
        let invoke = Class::Invoke {
            call: (),
            allowed: self.allowed.filter(|_| head.uri.path() != "/free"),
        };
        let control = head.headers.get("x-control").map(HeaderValue::as_bytes);
        match (control, head.uri.path()) {
            (Some(b"init"), _) => Class::Hook(Stage::Init),
            (Some(b"freeze"), _) => Class::Hook(Stage::BeforeFreeze),
            (Some(_), _) => invoke,
            (None, "/ready") if situation.stopping => Class::Answer(answer(503, "stopping")),
            (None, "/ready") if situation.full => Class::Answer(answer(429, "full")),
            (None, "/ready") => Class::Answer(answer(200, "ready")),
            (None, "/init") if situation.is_local() => Class::Hook(Stage::Init),
            _ => invoke,
        }
    }

    fn decode<'a>(
        &'a self,
        (): &'a mut (),
        request: HttpRequest,
        scope: Scope,
    ) -> BoxFuture<'a, Result<Invocation>> {
        Box::pin(async move { Ok(Invocation::new(new_id(), scope, request)) })
    }

    fn encode(&self, (): (), outcome: Outcome) -> HttpResponse {
        match outcome {
            Ok(Reply::Content(content)) => content.into_response(),
            Ok(Reply::Http(response)) => response,
            Ok(_) => HttpResponse::default(),
            Err(error) => error_response(&error, Detail::Public),
        }
    }
}

pub fn answer(status: u16, text: &'static str) -> HttpResponse {
    let builder = http::Response::builder().status(status);
    builder.body(text.into()).expect("a response")
}

/// Answers with the body of the request.
pub async fn echo(_: Scope, request: HttpRequest) -> Outcome {
    let (head, body) = request.into_parts();
    let text = body.collect(1 << 30).await?;
    let mut response = http::Response::new(text.into());
    let path = head.uri.path_and_query().map_or("", |path| path.as_str());
    response
        .headers_mut()
        .insert("x-path", path.parse().expect("a value"));
    Ok(Reply::Http(response))
}

/// Limits that make every timeout a short one.
pub fn quick() -> Profile {
    let mut profile = Profile::default();
    profile.limits.head_read = SHORT;
    profile.limits.body_idle = SHORT;
    profile.limits.idle = SHORT;
    profile.limits.write_stall = SHORT;
    profile
}

pub struct Running {
    pub address: SocketAddr,
    pub stop: Stop,
    pub served: JoinHandle<Result<()>>,
}

impl Running {
    pub async fn start(server: Server<Headers>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Stop::new();
        let served = tokio::spawn(server.serve_on(vec![listener], stop.clone()));
        Self {
            address,
            stop,
            served,
        }
    }

    /// Serves a closure with patient limits.
    pub async fn with<F, Fut>(profile: Profile, call: F) -> Self
    where
        F: Fn(Scope, HttpRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let program = Program::new(Arc::new(Call(call)));
        Self::start(Server::new(Arc::new(Headers::default()), profile, &program)).await
    }

    pub async fn client(&self) -> Client {
        Client(
            TcpStream::connect(self.address)
                .await
                .expect("a connection"),
        )
    }

    /// A client that takes next to nothing without reading.
    pub async fn narrow_client(&self) -> Client {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        Client(socket.connect(self.address).await.expect("a connection"))
    }

    /// Stops in order and gives the result.
    pub async fn ended(self) -> Result<(), Error> {
        self.stop.request();
        soon(self.served).await.expect("the server's task")
    }
}

/// Waits, but not for ever.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, work).await.expect("in time")
}

pub struct Client(pub TcpStream);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

impl Client {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.0.write_all(bytes.as_ref())).await.expect("sent");
    }

    /// Sends what may be cut off by the server.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = soon(self.0.write_all(bytes.as_ref())).await;
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"))
            .await;
        self.answer().await
    }

    pub async fn post(&mut self, body: &str) -> Answer {
        self.send(format!(
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
        self.answer().await
    }

    /// The head of the next answer, up to its empty line.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match soon(self.0.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&head)),
            }
        }
        String::from_utf8(head).expect("text")
    }

    /// The next answer, with a body of known length or in chunks.
    pub async fn answer(&mut self) -> Answer {
        let mut answer = self.bare_answer().await;
        if let Some(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse().expect("a length")];
            soon(self.0.read_exact(&mut answer.body))
                .await
                .expect("the body");
        } else if answer.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk().await {
                answer.body.extend(chunk);
            }
        }
        answer
    }

    /// The next answer without its body.
    pub async fn bare_answer(&mut self) -> Answer {
        let head = self.head().await;
        let status = head.split(' ').nth(1).expect("a status");
        Answer {
            status: status.parse().expect("a number"),
            head,
            body: Vec::new(),
        }
    }

    /// The next chunk; `None` for the one that ends the body.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(soon(self.0.read_u8()).await.expect("a chunk"));
        }
        let size = std::str::from_utf8(&line).expect("text").trim();
        let size = usize::from_str_radix(size, 16).expect("a size");
        let mut chunk = vec![0; size + 2];
        soon(self.0.read_exact(&mut chunk))
            .await
            .expect("the chunk");
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }

    /// Everything until the server closes in order.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        soon(self.0.read_to_end(&mut rest))
            .await
            .expect("an orderly end");
        rest
    }

    pub async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(soon(self.0.read(&mut byte)).await, Ok(0) | Err(_))
    }
}
