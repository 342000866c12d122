//! A small platform: its API on a socket, and its codec.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use faas_sdk_core::{
    BoxFuture, Data, Error, ErrorKind, Event, Invocation, Invoke, Outcome, Payload, Program, Reply,
    Result, Stop, Text,
};
use faas_sdk_pull::{
    Codec, Endpoint, Engine, Head, PathPart, Polled, Profile, Report, RequestWriter, refusal,
};
use faas_sdk_scope::{Instance, Scope};
use tokio::sync::mpsc;

use super::{ACCEPTED, Request, Server, answer};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Do {
    Send(Vec<u8>),
    /// Close the connection without an answer.
    Close,
    /// Never answer.
    Stall,
}

pub struct Api {
    pub server: Server,
    pub codec: TestCodec,
    on_next: mpsc::UnboundedSender<Do>,
    on_post: Arc<Mutex<VecDeque<Do>>>,
    posts: mpsc::UnboundedReceiver<Request>,
    polls: Arc<AtomicUsize>,
}

/// An event with this id, and further headers.
pub fn event(id: &str, headers: &str, body: impl AsRef<[u8]>) -> Do {
    Do::Send(answer(200, &format!("x-id: {id}\r\n{headers}"), body))
}

impl Api {
    pub async fn start() -> Self {
        let (on_next, nexts) = mpsc::unbounded_channel();
        let (posted, posts) = mpsc::unbounded_channel();
        let on_post = Arc::new(Mutex::new(VecDeque::new()));
        let nexts = Arc::new(tokio::sync::Mutex::new(nexts));
        let on_post_of_server = Arc::clone(&on_post);
        let polls = Arc::new(AtomicUsize::new(0));
        let polled = Arc::clone(&polls);
        let server = Server::start(move |mut peer, _| {
            let (nexts, on_post, posted) =
                (nexts.clone(), on_post_of_server.clone(), posted.clone());
            let polled = Arc::clone(&polled);
            async move {
                while let Some(request) = peer.request().await {
                    let act = if request.line.starts_with("GET /next ") {
                        polled.fetch_add(1, Ordering::SeqCst);
                        let next = async { nexts.lock().await.recv().await };
                        tokio::select! {
                            biased;
                            () = peer.closed() => return,
                            next = next => next.unwrap_or(Do::Stall),
                        }
                    } else {
                        let _ = posted.send(request);
                        on_post
                            .lock()
                            .unwrap()
                            .pop_front()
                            .unwrap_or(Do::Send(ACCEPTED.to_vec()))
                    };
                    match act {
                        Do::Send(bytes) => peer.send(bytes).await,
                        Do::Close => return,
                        Do::Stall => peer.closed().await,
                    }
                }
            }
        })
        .await;
        let codec = TestCodec::new(server.endpoint());
        Self {
            server,
            codec,
            on_next,
            on_post,
            posts,
            polls,
        }
    }

    /// What the next poll brings.
    pub fn next(&self, act: Do) {
        self.on_next.send(act).unwrap();
    }

    /// What the next report that has no answer yet is answered.
    pub fn answer_post(&self, act: Do) {
        self.on_post.lock().unwrap().push_back(act);
    }

    /// The next report.
    pub async fn post(&mut self) -> Request {
        self.posts.recv().await.unwrap()
    }

    /// The reports that have come in the meantime.
    pub fn posts(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.posts.try_recv().ok()).collect()
    }

    /// How many polls have come.
    pub fn polls(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }

    pub fn engine(&self, stop: &Stop) -> Engine<TestCodec> {
        Engine::new(self.codec.clone(), Profile::default()).stop(stop.clone())
    }

    /// Serves `invoke` in one slot until the returned stop is asked for.
    pub fn serve(&self, invoke: Arc<dyn Invoke>) -> Serving {
        let stop = Stop::new();
        Serving {
            task: tokio::spawn(self.engine(&stop).serve(Program::new(invoke))),
            stop,
        }
    }
}

pub struct Serving {
    pub stop: Stop,
    pub task: tokio::task::JoinHandle<Result<()>>,
}

impl Serving {
    /// Asks to stop, and waits for the end.
    pub async fn stopped(self) -> Result<()> {
        self.stop.request();
        self.task.await.unwrap()
    }
}

/// The codec of a platform with ids, an allowed time, and errors in trailers.
#[derive(Clone)]
pub struct TestCodec {
    endpoint: Arc<Endpoint>,
    /// The largest reply.
    pub limit: usize,
    pub says_ready: bool,
    pub has_trailers: bool,
    /// Sent before a stream.
    pub prelude: &'static str,
}

impl TestCodec {
    pub fn new(endpoint: Arc<Endpoint>) -> Self {
        Self {
            endpoint,
            limit: 1 << 20,
            says_ready: false,
            has_trailers: true,
            prelude: "",
        }
    }

    fn post<'o>(&self, out: &'o mut Vec<u8>, id: &str, what: &'static str) -> RequestWriter<'o> {
        let path = [
            PathPart::Fixed("/"),
            PathPart::Segment(id),
            PathPart::Fixed(what),
        ];
        RequestWriter::new(out, "POST", &self.endpoint, &path)
    }
}

fn describe(error: &Error) -> String {
    let mut text = format!("{}: {error}", error.kind().name());
    for cause in error.causes() {
        write!(text, ": {cause}").unwrap();
    }
    text
}

impl Codec for TestCodec {
    type Call = Text;

    fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    fn next(&self, out: &mut Vec<u8>) {
        RequestWriter::new(out, "GET", &self.endpoint, &[PathPart::Fixed("/next")]).end();
    }

    fn ready(&self, out: &mut Vec<u8>) -> bool {
        if self.says_ready {
            RequestWriter::new(out, "POST", &self.endpoint, &[PathPart::Fixed("/ready")])
                .body(b" ");
        }
        self.says_ready
    }

    fn polled(&self, head: &Head, body: &[u8]) -> Polled {
        match head.status() {
            200 => Polled::Invocation,
            204 => Polled::Nothing,
            500 => Polled::Fatal(refusal("the poll", head, body)),
            _ => Polled::Again(refusal("the poll", head, body)),
        }
    }

    fn call(&self, head: &Head) -> Result<Text> {
        let id = head
            .text("x-id")
            .map_err(|error| Error::new(ErrorKind::Protocol, "bad id").with_source(error))?;
        id.ok_or_else(|| Error::new(ErrorKind::Protocol, "the event has no x-id"))
    }

    fn id<'c>(&self, call: &'c Text) -> &'c str {
        call
    }

    fn decode(
        &self,
        call: &Text,
        head: &Head,
        body: Bytes,
        instance: &Arc<Instance>,
    ) -> Result<Invocation> {
        assert!(head.get("x-codec-bug").is_none(), "on purpose");
        if head.get("x-bad").is_some() {
            return Err(Error::new(ErrorKind::InvalidInput, "it is bad"));
        }
        let allowed = head.get("x-allowed-ms").map(|ms| {
            let ms = std::str::from_utf8(ms).unwrap().parse().unwrap();
            Duration::from_millis(ms)
        });
        let event = Event::invoke(call.clone(), "test", Data::Bytes(body));
        Ok(Invocation::new(
            call.clone(),
            Scope::new(instance, allowed),
            event,
        ))
    }

    fn report(&self, call: &Text, outcome: Outcome, out: &mut Vec<u8>) -> Result<Report> {
        let body = match outcome {
            Ok(Reply::Content(content)) => content.body,
            Ok(_) => return Err(Error::new(ErrorKind::Unsupported, "content only")),
            Err(error) => {
                self.post(out, call, "/error")
                    .body(describe(&error).as_bytes());
                return Ok(Report::Whole);
            }
        };
        match body.try_into_bytes() {
            Err(body) => {
                self.post(out, call, "/response").chunked(&["x-error"]);
                Ok(Report::Stream {
                    prelude: self.prelude.into(),
                    body,
                })
            }
            Ok(bytes) if bytes.len() > self.limit => {
                Err(Error::new(ErrorKind::ReplyTooLarge, "it is too large"))
            }
            Ok(bytes) if bytes.len() > 100 => {
                self.post(out, call, "/response").length(bytes.len());
                Ok(Report::Bytes(bytes))
            }
            Ok(bytes) => {
                self.post(out, call, "/response").body(&bytes);
                Ok(Report::Whole)
            }
        }
    }

    fn trailers(&self, error: &Error) -> Option<Vec<(&'static str, Vec<u8>)>> {
        self.has_trailers
            .then(|| vec![("x-error", describe(error).into_bytes())])
    }

    fn init_error(&self, error: &Error, out: &mut Vec<u8>) -> bool {
        let path = [PathPart::Fixed("/init/error")];
        RequestWriter::new(out, "POST", &self.endpoint, &path).body(describe(error).as_bytes());
        true
    }
}

struct Call<F>(F);

impl<F, Fut> Invoke for Call<F>
where
    F: Fn(Invocation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Outcome> {
        Box::pin((self.0)(invocation))
    }
}

/// A function out of a closure.
pub fn function<F, Fut>(call: F) -> Arc<dyn Invoke>
where
    F: Fn(Invocation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    Arc::new(Call(call))
}

/// The data of an invocation.
pub fn data(mut invocation: Invocation) -> Bytes {
    match invocation.payload.take() {
        Payload::Event(event) => event.data.into_bytes(),
        other => panic!("{other:?}"),
    }
}

/// Answers with what it gets.
pub fn echo() -> Arc<dyn Invoke> {
    function(|invocation| async { Ok(Reply::json(data(invocation))) })
}

/// What is logged on this thread while the guard lives.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// All but the one line that each invocation ends with.
    pub fn text(&self) -> String {
        let all = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = all.lines().filter(|line| !line.contains("invoke end"));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// Whether one line holds all of these.
    pub fn has(&self, words: &[&str]) -> bool {
        self.text()
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)))
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
