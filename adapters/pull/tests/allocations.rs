//! What an exchange allocates once the connection is warm.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use faas_sdk_core::{Program, Reply, Stop};
use faas_sdk_pull::{Connection, ConnectionOptions, Endpoint, Engine, Profile};
use support::api::{TestCodec, data, function};

const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n";
const POST: &[u8] = b"POST /1/response HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n";
const EVENT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
    x-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
    x-allowed-ms: 30000\r\ncontent-length: 25\r\n\r\n{\"message\": \"0123456789\"}";
const DONE: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 16\r\n\r\n{\"status\":\"OK\"}\n";

/// Answers on a thread of its own, so that what it allocates is not counted.
fn serve() -> Arc<Endpoint> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer_all(stream.unwrap());
        }
    });
    Arc::new(Endpoint::parse("API", &address).unwrap())
}

fn answer_all(stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone().unwrap()), stream);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let (post, mut length) = (line.starts_with("POST"), 0);
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        writer.write_all(if post { DONE } else { EVENT }).unwrap();
    }
}

#[test]
fn a_warm_connection_allocates_nothing() {
    let mut client = Connection::new(serve(), ConnectionOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();

    let mut invocations = |count: usize| {
        runtime.block_on(async {
            for _ in 0..count {
                let event = client.poll(NEXT).await.unwrap();
                let id = event.head.text("X-Id").unwrap().unwrap();
                let body = event.body;
                let done = client
                    .post(POST, b"{}", Duration::from_secs(60))
                    .await
                    .unwrap();
                assert_eq!((done.head.status(), id.len(), body.len()), (202, 36, 25));
            }
        });
    };
    invocations(10);
    let seen = allocation_counter::measure(|| invocations(500));
    // 1000 exchanges; what is left is the runtime's own.
    assert!(seen.count_total <= 10, "{seen:?}");
}

#[test]
fn an_invocation_allocates_little() {
    const WARM: usize = 10;
    const COUNTED: usize = 500;
    let endpoint = serve();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let run = |invocations: usize| {
        let (stop, codec) = (Stop::new(), TestCodec::new(Arc::clone(&endpoint)));
        let (stopper, count) = (stop.clone(), AtomicUsize::new(0));
        let echo = function(move |invocation| {
            if count.fetch_add(1, Ordering::Relaxed) + 1 == invocations {
                stopper.request();
            }
            async { Ok(Reply::json(data(invocation))) }
        });
        let engine = Engine::new(codec, Profile::default()).stop(stop);
        runtime.block_on(engine.serve(Program::new(echo))).unwrap();
    };
    let counted = |invocations| allocation_counter::measure(|| run(invocations)).count_total;
    let (few, many) = (counted(WARM), counted(WARM + COUNTED));
    let each = (many - few) as f64 / COUNTED as f64;
    assert!(each <= 8.0, "{each} allocations an invocation");
}
