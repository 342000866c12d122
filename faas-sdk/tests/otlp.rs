//! What whole processes export: on a platform that freezes them, and on one that does not.

mod support;

use faas_sdk_testkit::behaviour::http_call;
use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi};
use serde_json::{Value, json};
use std::net::SocketAddr;
use support::{PATIENCE, Process, example};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: u64 = 0x00f0_67aa_0ba9_02b7;

/// A receiver that takes everything. Text and ids stand in protobuf as they are, so that they can be
/// looked for without decoding it.
struct Receiver {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<(String, Vec<u8>)>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move {
                    let request = take(stream).await;
                    // The test may be over.
                    drop(sender.send(request));
                });
            }
        });
        Self { address, requests }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request for this path, passing over others.
    async fn body(&mut self, path: &str) -> Vec<u8> {
        let found = async {
            loop {
                let (asked, body) = self.requests.recv().await.expect("a request");
                if asked == path {
                    return body;
                }
            }
        };
        tokio::time::timeout(PATIENCE, found)
            .await
            .unwrap_or_else(|_| panic!("nothing for {path}"))
    }
}

/// Reads one request and answers it.
async fn take(mut stream: TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        stream.read_buf(&mut bytes).await.expect("a request");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let head = text[..end].to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .expect("a length");
            break (
                head.clone(),
                end + 4 + length.parse::<usize>().expect("a length"),
            );
        }
    };
    while bytes.len() < length {
        stream.read_buf(&mut bytes).await.expect("the rest");
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.expect("a listener");
    let path = head.split(' ').nth(1).expect("a path").to_owned();
    let body = bytes.split_off(head.len() + 4);
    (path, body)
}

fn holds(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

fn tale() -> Value {
    json!({"ends": "well", "password": "hunter2"})
}

#[tokio::test]
async fn a_process_that_is_frozen_sends_before_that() {
    let mut receiver = Receiver::start().await;
    let api = FakeRuntimeApi::builder().start().await.expect("the fake");
    let mut process = Process::start(
        example("narrate")
            .envs(api.env())
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint()),
    );
    let out = process.read();
    let outcome = api.invoke(Event::json(tale())).await;
    assert!(outcome.response().is_some(), "{outcome:?}");
    // Nothing follows that could have sent it.
    for path in ["/v1/traces", "/v1/logs"] {
        let body = receiver.body(path).await;
        assert!(holds(&body, b"faas.invocation_id"), "{path}");
        assert!(!holds(&body, b"hunter2"), "a secret in {path}");
    }
    process.signal("TERM");
    let (status, ..) = process.ends().await;
    assert!(status.success(), "{status}: {:?}", out.await);
}

#[tokio::test]
async fn a_process_that_runs_on_sends_what_is_left_at_its_end() {
    let mut receiver = Receiver::start().await;
    let mut command = example("narrate");
    // Longer than the test.
    command.env("FAAS_OTLP__INTERVAL_MS", "600000");
    command.env("FAAS_OTLP__ENDPOINT", receiver.endpoint());
    let (mut process, address) = Process::start_local(&mut command).await;
    let out = process.read();
    let traceparent = format!("00-{TRACE}-{PARENT:016x}-01");
    let headers = [("traceparent", &*traceparent), ("x-request-id", "the-id")];
    let tale = tale().to_string();
    let reply = http_call(address, "POST", "/narrate", &headers, tale.as_bytes()).await;
    assert_eq!(reply.expect("an answer").status, 200);
    process.signal("TERM");
    let (status, ..) = process.ends().await;
    let out = out.await.expect("the output");
    assert!(status.success(), "{status}: {out}");
    let body = receiver.body("/v1/traces").await;
    let trace = u128::from_str_radix(TRACE, 16)
        .expect("an id")
        .to_be_bytes();
    assert!(holds(&body, &trace) && holds(&body, &PARENT.to_be_bytes()));
    assert!(holds(&body, b"the-id"));
    // The lines name the span that was exported.
    let line = out.lines().find(|line| line.contains("invoke.end"));
    let line: Value = serde_json::from_str(line.expect("a last line")).expect("a line");
    assert_eq!(line["trace_id"], TRACE);
    let span = line["span_id"].as_str().expect("an id");
    let span = u64::from_str_radix(span, 16).expect("an id").to_be_bytes();
    assert!(holds(&body, &span));
}
