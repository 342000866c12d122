//! A runtime written by hand on a raw socket.

use std::time::Duration;

use faas_sdk_testkit::lambda::{Builder, FakeRuntimeApi};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(10);
pub(crate) const BASE: &str = "/2018-06-01/runtime";
pub(crate) const EXTENSION: &str = "/2020-01-01/extension";

pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, or what there was of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is sent twice");
        value
    }

    pub(crate) fn request_id(&self) -> &str {
        self.header("Lambda-Runtime-Aws-Request-Id")
            .expect("request id")
    }

    pub(crate) fn invocation_id(&self) -> &str {
        self.header("Lambda-Runtime-Invocation-Id")
            .expect("invocation id")
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    #[track_caller]
    pub(crate) fn is_accepted(&self) {
        assert_eq!((self.status, self.text()), (202, "{\"status\":\"OK\"}\n"));
        assert_eq!(self.header("content-type"), Some("application/json"));
    }

    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, error_type: &str, message: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        let json: Value = serde_json::from_slice(&self.body).expect("error JSON");
        assert_eq!(json["errorType"], error_type);
        assert_eq!(json["errorMessage"], message);
        assert_eq!(self.header("content-type"), Some("application/json"));
    }
}

pub(crate) async fn start(builder: Builder) -> FakeRuntimeApi {
    builder.start().await.expect("starts")
}

impl Client {
    pub(crate) async fn new(api: &FakeRuntimeApi) -> Self {
        Self {
            stream: TcpStream::connect(api.socket_addr())
                .await
                .expect("connects"),
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = timeout(LIMIT, self.stream.write_all(bytes.as_ref())).await;
        sent.expect("sends in time").expect("sends");
    }

    pub(crate) async fn finish_sending(&mut self) {
        self.stream.shutdown().await.expect("shuts down");
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: api\r\n{headers}\r\n"))
            .await;
        self.answer().await
    }

    pub(crate) async fn post(
        &mut self,
        path: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let body = body.as_ref();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: api\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        self.send(head).await;
        self.send(body).await;
        self.answer().await
    }

    pub(crate) async fn ask_next(&mut self) {
        self.send(format!(
            "GET {BASE}/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n"
        ))
        .await;
    }

    pub(crate) async fn next(&mut self) -> Answer {
        self.ask_next().await;
        let next = self.answer().await;
        assert_eq!(next.status, 200, "{}", next.text());
        next
    }

    pub(crate) async fn respond(&mut self, id: &str, body: &str) -> Answer {
        self.post(&format!("{BASE}/invocation/{id}/response"), "", body)
            .await
    }

    /// Reads one whole answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("a whole answer")
    }

    /// Reads one answer; the bytes that came if the connection ended before it was whole.
    pub(crate) async fn try_answer(&mut self) -> Result<Answer, Vec<u8>> {
        let Some(end) = self.find(b"\r\n\r\n").await else {
            return Err(std::mem::take(&mut self.buffer));
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let head = String::from_utf8(head).expect("UTF-8 head");
        let mut lines = head.lines();
        let status_line = lines.next().expect("status line");
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Answer {
            status: status.expect("status code"),
            headers,
            body: Vec::new(),
        };
        if answer.header("transfer-encoding").is_some() {
            loop {
                let end = self.find(b"\r\n").await.expect("chunk size");
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let size = std::str::from_utf8(&line[..end]).expect("hex");
                let size = usize::from_str_radix(size, 16).expect("hex");
                let mut chunk = self.take(size + 2).await.expect("chunk");
                assert_eq!(chunk.split_off(size), b"\r\n");
                answer.body.extend(chunk);
                if size == 0 {
                    return Ok(answer);
                }
            }
        }
        let length = answer.header("content-length").expect("length").parse();
        match self.take(length.expect("number")).await {
            Some(body) => answer.body = body,
            None => return Err(std::mem::take(&mut self.buffer)),
        }
        Ok(answer)
    }

    /// Everything until the fake closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.buffer)
    }

    /// Whether anything has come, or comes before the other side had reason to be silent.
    pub(crate) async fn is_silent(&mut self) -> bool {
        self.buffer.is_empty()
            && timeout(Duration::from_millis(50), self.stream.readable())
                .await
                .is_err()
    }

    /// The next bytes, whatever they are.
    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        self.take(count).await.expect("as many bytes")
    }

    async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            if !self.fill().await {
                return None;
            }
        }
        Some(self.buffer.drain(..count).collect())
    }

    async fn find(&mut self, what: &[u8]) -> Option<usize> {
        loop {
            let found = self.buffer.windows(what.len()).position(|w| w == what);
            if found.is_some() {
                return found;
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn fill(&mut self) -> bool {
        let read = timeout(LIMIT, self.stream.read_buf(&mut self.buffer)).await;
        // A reset is an end as well.
        matches!(read.expect("an answer in time"), Ok(1..))
    }
}
