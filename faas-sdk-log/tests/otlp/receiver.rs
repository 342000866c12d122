//! A receiver of OTLP over HTTP that decodes what it gets.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status, and a body in protobuf.
    Status(u16, Vec<u8>),
    /// The connection stays open, and nothing is ever said.
    Never,
    /// The connection is closed, and nothing is said.
    Closed,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
}

#[derive(Debug, Default)]
struct State {
    /// What is answered next, by path.
    replies: HashMap<&'static str, VecDeque<Reply>>,
    /// What is answered then, if it is not 200.
    always: HashMap<&'static str, Reply>,
    requests: Vec<Request>,
    spans: Vec<ExportTraceServiceRequest>,
    logs: Vec<ExportLogsServiceRequest>,
    connections: usize,
    /// Those that are never answered.
    open: Vec<TcpStream>,
}

#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    state: Arc<Mutex<State>>,
    pub(crate) endpoint: String,
}

pub(crate) const TRACES: &str = "/v1/traces";
pub(crate) const LOGS: &str = "/v1/logs";

impl Receiver {
    pub(crate) fn start() -> Self {
        Self::listen("http", None)
    }

    pub(crate) fn start_secure(config: ServerConfig) -> Self {
        Self::listen("https", Some(Arc::new(config)))
    }

    fn listen(scheme: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("localhost:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let receiver = Self {
            state: Arc::default(),
            endpoint: format!("{scheme}://localhost:{port}"),
        };
        let serving = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (serving, tls) = (serving.clone(), tls.clone());
                let stream = stream.expect("a connection");
                std::thread::spawn(move || serving.connection(stream, tls));
            }
        });
        receiver
    }

    fn connection(&self, stream: TcpStream, tls: Option<Arc<ServerConfig>>) {
        self.state.lock().expect("state").connections += 1;
        match tls {
            None => self.serve(stream.try_clone().expect("a stream"), &stream),
            Some(config) => {
                let server = ServerConnection::new(config).expect("a configuration");
                let secure = StreamOwned::new(server, stream.try_clone().expect("a stream"));
                self.serve(secure, &stream);
            }
        }
    }

    fn serve(&self, stream: impl Read + Write, raw: &TcpStream) {
        let mut stream = BufReader::new(stream);
        // Clients that go away, or don't trust this one, say nothing.
        let Some(request) = read(&mut stream) else {
            return;
        };
        let reply = self.note(request);
        match reply {
            Reply::Status(status, body) => {
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: application/x-protobuf\r\n\
                     content-length: {}\r\n\r\n",
                    body.len()
                );
                let stream = stream.get_mut();
                stream.write_all(head.as_bytes()).expect("a client");
                stream.write_all(&body).expect("a client");
                stream.flush().expect("a client");
            }
            Reply::Never => {
                let open = raw.try_clone().expect("a stream");
                self.state.lock().expect("state").open.push(open);
            }
            Reply::Closed => {}
        }
    }

    fn note(&self, (request, body): (Request, Vec<u8>)) -> Reply {
        let mut state = self.state.lock().expect("state");
        let path = match request.path.as_str() {
            TRACES => TRACES,
            LOGS => LOGS,
            other => panic!("no such path: {other}"),
        };
        let reply = state.replies.get_mut(path).and_then(VecDeque::pop_front);
        let reply = reply.or_else(|| state.always.get(path).cloned());
        let reply = reply.unwrap_or(Reply::Status(200, Vec::new()));
        state.requests.push(request);
        // What is refused was not received.
        if matches!(reply, Reply::Status(200, _)) {
            if path == TRACES {
                let spans = ExportTraceServiceRequest::decode(&*body).expect("spans");
                state.spans.push(spans);
            } else {
                let logs = ExportLogsServiceRequest::decode(&*body).expect("logs");
                state.logs.push(logs);
            }
        }
        reply
    }

    pub(crate) fn reply(&self, path: &'static str, reply: Reply) {
        let mut state = self.state.lock().expect("state");
        state.replies.entry(path).or_default().push_back(reply);
    }

    /// From now on nothing is answered.
    pub(crate) fn hang(&self, path: &'static str) {
        let mut state = self.state.lock().expect("state");
        state.always.insert(path, Reply::Never);
    }

    /// From now on everything is answered.
    pub(crate) fn recover(&self) {
        self.state.lock().expect("state").always.clear();
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().expect("state").requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().expect("state").connections
    }

    /// How many connections that were never answered the client still holds.
    pub(crate) fn open(&self) -> usize {
        let mut state = self.state.lock().expect("state");
        let open = &mut state.open;
        open.retain_mut(|stream| !matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
        open.len()
    }

    /// All spans that were received, with the name of their scope.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let state = self.state.lock().expect("state");
        let resources = state
            .spans
            .iter()
            .flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> Span {
        let spans = self.spans();
        let mut named = spans.iter().filter(|span| span.name == name);
        match (named.next(), named.next()) {
            (Some(span), None) => span.clone(),
            _ => panic!("not one span {name}: {spans:?}"),
        }
    }

    /// All log records that were received, with the names of their scopes.
    pub(crate) fn records(&self) -> Vec<(String, LogRecord)> {
        let state = self.state.lock().expect("state");
        let resources = state.logs.iter().flat_map(|request| &request.resource_logs);
        let scopes = resources.flat_map(|resource| &resource.scope_logs);
        let records = scopes.flat_map(|scope| {
            let name = scope.scope.clone().expect("a scope").name;
            scope
                .log_records
                .iter()
                .map(move |record| (name.clone(), record.clone()))
        });
        records.collect()
    }

    #[track_caller]
    pub(crate) fn record(&self, message: &str) -> LogRecord {
        let records = self.records();
        let mut said = records.iter().filter(|(_, record)| body(record) == message);
        match (said.next(), said.next()) {
            (Some((_, record)), None) => record.clone(),
            _ => panic!("not one record {message}: {records:?}"),
        }
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.records()
            .iter()
            .map(|(_, record)| body(record))
            .collect()
    }

    /// The attributes of the resources that spans and log records came from.
    pub(crate) fn resources(&self) -> Vec<HashMap<String, Value>> {
        let state = self.state.lock().expect("state");
        let spans = state
            .spans
            .iter()
            .flat_map(|request| &request.resource_spans);
        let spans = spans.map(|resource| resource.resource.clone());
        let logs = state.logs.iter().flat_map(|request| &request.resource_logs);
        let logs = logs.map(|resource| resource.resource.clone());
        let resources = spans.chain(logs);
        resources
            .map(|resource| attributes(&resource.expect("a resource").attributes))
            .collect()
    }
}

fn read(stream: &mut impl BufRead) -> Option<(Request, Vec<u8>)> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((Request { path, headers }, body))
}

pub(crate) fn attributes(list: &[KeyValue]) -> HashMap<String, Value> {
    let mut attributes = HashMap::new();
    for KeyValue { key, value, .. } in list {
        let value = value
            .clone()
            .and_then(|value| value.value)
            .expect("a value");
        let twice = attributes.insert(key.clone(), value);
        assert!(twice.is_none(), "{key} stands twice");
    }
    attributes
}

fn body(record: &LogRecord) -> String {
    match record.body.clone().and_then(|body| body.value) {
        Some(Value::StringValue(text)) => text,
        None => String::new(),
        other => panic!("no text: {other:?}"),
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

pub(crate) fn list(values: &[Value]) -> Value {
    let values = values.iter().map(|value| AnyValue {
        value: Some(value.clone()),
    });
    Value::ArrayValue(opentelemetry_proto::tonic::common::v1::ArrayValue {
        values: values.collect(),
    })
}
