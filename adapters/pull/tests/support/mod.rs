//! A scripted server: each test says what becomes of each connection.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file uses a part of it"
)]

pub mod api;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use faas_sdk_pull::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 3\r\n\r\nok\n";

pub struct Server {
    pub addr: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Runs `script` on each connection; it gets the connection's number, from 0.
    pub async fn start<F, Fut>(script: F) -> Self
    where
        F: Fn(Peer, usize) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let n = counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(script(
                    Peer {
                        stream,
                        buf: Vec::new(),
                    },
                    n,
                ));
            }
        });
        Self {
            addr,
            connections,
            task,
        }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn endpoint(&self) -> Arc<Endpoint> {
        Arc::new(Endpoint::parse("TEST_API", &self.addr.to_string()).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The server's side of a connection.
pub struct Peer {
    pub stream: TcpStream,
    buf: Vec<u8>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub chunks: usize,
    pub trailers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

impl Peer {
    /// The next request, or `None` when the client has closed or broken off.
    pub async fn request(&mut self) -> Option<Request> {
        let mut request = self.head().await?;
        if let Some(length) = request.header("content-length") {
            let length = length.parse().unwrap();
            request.body = self.take(length).await?;
        } else if request.header("transfer-encoding") == Some("chunked") {
            loop {
                let (chunk, trailers) = self.chunk().await?;
                if chunk.is_empty() {
                    request.trailers = trailers;
                    break;
                }
                request.body.extend_from_slice(&chunk);
                request.chunks += 1;
            }
        }
        Some(request)
    }

    /// The head of the next request.
    pub async fn head(&mut self) -> Option<Request> {
        let line = self.line().await?;
        Some(Request {
            line,
            headers: self.fields().await?,
            ..Request::default()
        })
    }

    /// The next chunk; the last one is empty and brings the trailers.
    pub async fn chunk(&mut self) -> Option<(Vec<u8>, Vec<(String, String)>)> {
        let size = usize::from_str_radix(&self.line().await?, 16).unwrap();
        if size == 0 {
            return Some((Vec::new(), self.fields().await?));
        }
        let chunk = self.take(size).await?;
        assert_eq!(self.line().await?, "");
        Some((chunk, Vec::new()))
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A client that has gone away is its own matter.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// One byte a write, each in a segment of its own.
    pub async fn drip(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.send([*byte]).await;
            tokio::task::yield_now().await;
        }
    }

    /// The next `length` bytes of a body, whatever they are.
    pub async fn chunk_of(&mut self, length: usize) {
        self.take(length).await;
    }

    /// Waits until the client closes.
    pub async fn closed(&mut self) {
        while !matches!(self.stream.read_buf(&mut self.buf).await, Ok(0) | Err(_)) {}
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buf.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.buf.drain(..end + 2).collect();
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            self.more().await?;
        }
    }

    async fn fields(&mut self) -> Option<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(": ") else {
                assert_eq!(line, "");
                return Some(fields);
            };
            fields.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }

    async fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buf.len() < length {
            self.more().await?;
        }
        Some(self.buf.drain(..length).collect())
    }

    async fn more(&mut self) -> Option<()> {
        match self.stream.read_buf(&mut self.buf).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(()),
        }
    }
}

/// An answer with a length.
pub fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut out = format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    out.extend_from_slice(body);
    out
}
