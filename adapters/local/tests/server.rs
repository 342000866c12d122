//! The development server over real sockets: what a request means and how it is answered.

use faas_sdk_adapter_local::Local;
use faas_sdk_core::{
    Batch, BoxFuture, Content, Data, Entry, EntryKind, Error, ErrorKind, Event, Invocation, Invoke,
    ItemOutcome, Outcome, Payload, Platform, Program, Reply, Stop,
};
use faas_sdk_testkit::behaviour::{HttpReply, http_call};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Tells what it was given.
struct Mirror;

impl Invoke for Mirror {
    fn invoke(&self, mut invocation: Invocation) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let info = &invocation.info;
            let called = info.function.called.as_deref();
            let trace = info.trace.context().map(|context| context.to_string());
            let about = json!({"id": &*info.id, "called": called, "trace": trace});
            match invocation.payload.take() {
                Payload::Http(request) if request.uri().path() == "/missing" => {
                    Err(Error::new(ErrorKind::NotFound, "no route matches").with_code("no_route"))
                }
                Payload::Http(request) if request.uri().path() == "/empty" => Ok(Reply::empty()),
                Payload::Http(request) => {
                    let (parts, body) = request.into_parts();
                    let body = body.collect(1 << 20).await?;
                    let line = format!("{} {} {}", parts.method, parts.uri, body.len());
                    Ok(Reply::Content(Content::new("text/plain", line)))
                }
                Payload::Event(event) if event.kind == faas_sdk_core::EventKind::Invoke => {
                    let data = String::from_utf8_lossy(event.data.as_bytes()).into_owned();
                    Ok(Reply::json(
                        json!({"about": about, "data": data}).to_string().into(),
                    ))
                }
                Payload::Event(event) => {
                    let reply =
                        Event::new("r", "/mirror", "mirrored", Data::Text(event.id.clone()));
                    Ok(Reply::Event(Box::new(reply)))
                }
                Payload::Batch(batch) => Ok(Reply::Batch(outcomes(batch))),
                _ => Ok(Reply::empty()),
            }
        })
    }
}

fn outcomes(batch: Batch<Event>) -> Vec<ItemOutcome> {
    let outcome = |item: faas_sdk_core::Item<Event>| ItemOutcome {
        id: item.id,
        result: item.data.map(drop),
    };
    batch.into_iter().map(outcome).collect()
}

struct Server {
    address: SocketAddr,
    stop: Stop,
    serving: JoinHandle<Result<(), Error>>,
}

impl Server {
    async fn start(entries: &[EntryKind]) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let mut program = Program::new(Arc::new(Mirror));
        program.entries = entries.iter().cloned().map(Entry::new).collect();
        program
            .env
            .extend([("FAAS_LOCAL_ADDR", address.to_string())]);
        let stop = Stop::new();
        program.stop = Some(stop.clone());
        let serving = tokio::spawn(async move { Local::new().serve(program).await });
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(!serving.is_finished(), "serving ended before it began");
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        Self {
            address,
            stop,
            serving,
        }
    }

    async fn call(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> HttpReply {
        let reply = http_call(self.address, method, target, headers, body.as_bytes()).await;
        reply.unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    async fn end(self) {
        self.stop.request();
        self.serving.await.expect("no panic").expect("a good end");
    }
}

fn json_of(reply: &HttpReply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("no JSON: {reply:?}"))
}

fn function(name: &str) -> EntryKind {
    EntryKind::Function(name.to_owned())
}

fn route() -> EntryKind {
    EntryKind::Route(None, "/x".to_owned())
}

#[tokio::test]
async fn a_function_is_called_with_whatever_is_posted() {
    let server = Server::start(&[function("mirror"), route()]).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-request-id", "mine"),
        ("traceparent", trace),
    ];
    let reply = server.call("POST", "/mirror", &headers, "{\"a\":1}").await;
    let seen = json_of(&reply);
    assert_eq!(seen["data"], "{\"a\":1}");
    assert_eq!(
        seen["about"],
        json!({"id": "mine", "called": "mirror", "trace": trace})
    );
    let reply = server.call("POST", "/mirror?x=1", &[], "").await;
    assert_eq!((reply.status, &json_of(&reply)["data"]), (200, &json!("")));
    server.end().await;
}

#[tokio::test]
async fn other_requests_are_http() {
    let server = Server::start(&[function("mirror"), route()]).await;
    for (method, target) in [
        ("GET", "/x?a=b%20c"),
        ("PUT", "/mirror"),
        ("DELETE", "/"),
        ("POST", "/y"),
    ] {
        let reply = server.call(method, target, &[], "body").await;
        assert_eq!(
            String::from_utf8_lossy(&reply.body),
            format!("{method} {target} 4")
        );
    }
    assert_eq!(server.call("GET", "/empty", &[], "").await.status, 204);
    let head = server.call("HEAD", "/x", &[], "").await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("9"))
    );
    let missing = server.call("GET", "/missing", &[], "").await;
    let error = &json_of(&missing)["error"];
    assert_eq!((missing.status, &error["code"]), (404, &json!("no_route")));
    assert_eq!(error["available"], json!(["POST /mirror", "any method /x"]));
    server.end().await;
}

#[tokio::test]
async fn without_routes_a_wrong_path_is_not_answered_by_the_only_function() {
    let server = Server::start(&[function("mirror")]).await;
    assert_eq!(server.call("POST", "/", &[], "1").await.status, 200);
    let reply = server.call("POST", "/miror", &[], "1").await;
    assert_eq!(
        json_of(&reply)["error"]["available"],
        json!(["POST /mirror"])
    );
    server.end().await;
}

#[tokio::test]
async fn cloud_events_come_in_three_modes() {
    let server = Server::start(&[function("mirror"), route()]).await;
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "b-1"),
        ("ce-source", "/s"),
        ("ce-type", "t"),
    ];
    let reply = server.call("POST", "/", &binary, "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        (reply.header("ce-type"), &*reply.body),
        (Some("mirrored"), &b"b-1"[..])
    );

    let structured = [("content-type", "application/cloudevents+json")];
    let event = json!({"specversion": "1.0", "id": "s-1", "source": "/s", "type": "t"});
    let reply = server
        .call("POST", "/events", &structured, &event.to_string())
        .await;
    assert_eq!(&*reply.body, b"s-1");

    let batched = [("content-type", "application/cloudevents-batch+json")];
    let bad = json!({"specversion": "1.0", "id": "", "source": "/s", "type": "t"});
    let reply = server
        .call("POST", "/", &batched, &json!([event, bad]).to_string())
        .await;
    let outcomes = json_of(&reply);
    assert_eq!(outcomes[0], json!({"id": "s-1", "outcome": "ack"}));
    assert_eq!(
        (&outcomes[1]["outcome"], &outcomes[1]["id"]),
        (&json!("reject"), &json!("1"))
    );
    assert_eq!(outcomes[1]["error"]["code"], "invalid_input");

    let reply = server.call("POST", "/", &binary[..3], "").await;
    assert_eq!(reply.status, 400);
    assert!(
        json_of(&reply)["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("type"))
    );
    server.end().await;
}
