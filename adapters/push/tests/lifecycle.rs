//! From the first hook to the last.

mod support;

use faas_sdk_core::{
    Body, BodySender, Content, ErrorKind, HttpRequest, Outcome, Program, Reply, Stage, Watchdog,
};
use faas_sdk_push::{InitMoment, Profile, Server};
use faas_sdk_scope::{Background, CancelReason, Ending, Instance, ManualClock, Scope};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Call, Headers, LONG, Running, echo, soon};
use tokio::sync::{Notify, mpsc};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().expect("the log").push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("the log").clone()
    }
}

/// A program that notes its hooks and calls.
fn noting(log: &Log) -> Program {
    let calls = log.clone();
    let mut program = Program::new(Arc::new(Call(move |_: Scope, _: HttpRequest| {
        calls.note("call");
        async { Ok(Reply::empty()) }
    })));
    for stage in [
        Stage::Init,
        Stage::OnThaw,
        Stage::BeforeFreeze,
        Stage::Shutdown,
    ] {
        let log = log.clone();
        program.hooks.add(stage, move || {
            log.note(format!("{stage:?}"));
            async { Ok(()) }
        });
    }
    program
}

fn server(profile: Profile, program: &Program) -> Server<Headers> {
    Server::new(Arc::new(Headers::default()), profile, program)
}

#[tokio::test]
async fn hooks_run_at_their_moments() {
    let log = Log::default();
    let clock = Arc::new(ManualClock::new());
    let instance = Instance::builder().clock(Arc::clone(&clock)).build();
    let server = server(Profile::default(), &noting(&log)).instance(instance);
    let server = Running::start(server).await;
    let mut client = server.client().await;
    client.get("/").await;
    clock.step(Duration::ZERO, LONG, LONG);
    client.get("/").await;
    client
        .send("GET /anything HTTP/1.1\r\nhost: a\r\nx-control: freeze\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 200);
    server.ended().await.expect("an orderly end");
    let expected = ["Init", "call", "OnThaw", "call", "BeforeFreeze", "Shutdown"];
    assert_eq!(log.all(), expected);
}

#[tokio::test]
async fn what_comes_before_a_freeze_comes_before_the_reply_where_that_may_freeze() {
    let log = Log::default();
    let mut profile = Profile::default();
    profile.background = Background::UntilResponse;
    let server = Running::start(server(profile, &noting(&log))).await;
    let mut client = server.client().await;
    assert_eq!(client.get("/").await.status, 200);
    assert_eq!(log.all(), ["Init", "call", "BeforeFreeze"]);
    server.ended().await.expect("an orderly end");
}

#[tokio::test]
async fn control_requests_go_by_header_then_by_path() {
    let log = Log::default();
    let mut profile = Profile::default();
    profile.init = InitMoment::FirstInvocation;
    let server = Running::start(server(profile, &noting(&log))).await;
    let mut client = server.client().await;
    assert_eq!(client.get("/ready").await.text(), "ready");
    assert!(log.all().is_empty(), "a probe starts nothing");
    // A client that asks for the control path of a hook reaches the function.
    client
        .send("GET /init HTTP/1.1\r\nhost: a\r\nx-control: invoke\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(log.all(), ["Init", "call"]);
    assert_eq!(client.get("/init").await.status, 200);
    assert_eq!(log.all(), ["Init", "call"], "it had succeeded before");
}

#[tokio::test]
async fn an_init_that_fails_is_said_and_tried_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let failing = |tries: &Arc<AtomicUsize>| {
        let tries = Arc::clone(tries);
        let mut program = Program::new(Arc::new(Call(echo)));
        program.hooks.add(Stage::Init, move || {
            let n = tries.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(n != 1, "the second time it panics");
                if n < 2 {
                    Err(ErrorKind::Unavailable.into())
                } else {
                    Ok(())
                }
            }
        });
        program
    };
    let mut profile = Profile::default();
    profile.init = InitMoment::FirstInvocation;
    let running = Running::start(server(profile, &failing(&tries))).await;
    let mut client = running.client().await;
    client
        .send("POST /x HTTP/1.1\r\nhost: a\r\nx-control: init\r\ncontent-length: 0\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 503);
    assert_eq!(client.post("a").await.status, 500);
    assert_eq!(client.post("a").await.text(), "a");
    running.ended().await.expect("an orderly end");

    tries.store(0, Ordering::SeqCst);
    let running = Running::start(server(Profile::default(), &failing(&tries))).await;
    let error = soon(running.served)
        .await
        .expect("the task")
        .expect_err("no start");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

/// Streams a first piece, then a last one when told.
fn two_pieces(
    next: &Arc<Notify>,
) -> impl Fn(Scope, HttpRequest) -> std::future::Ready<Outcome> + use<> {
    let next = Arc::clone(next);
    move |_, _| {
        let next = Arc::clone(&next);
        let body = Body::produce(async move |mut out: BodySender| {
            out.send("first").await?;
            next.notified().await;
            out.send("last").await
        });
        std::future::ready(Ok(Reply::Content(Content::new("text/plain", body))))
    }
}

#[tokio::test]
async fn a_stop_waits_for_a_running_stream_and_closes_the_idle_at_once() {
    let next = Arc::new(Notify::new());
    let log = Log::default();
    let mut program = Program::new(Arc::new(Call(two_pieces(&next))));
    let hook = log.clone();
    program.hooks.add(Stage::Shutdown, move || {
        hook.note("shutdown");
        async { Ok(()) }
    });
    let server = Running::start(server(Profile::default(), &program)).await;
    let mut idle = server.client().await;
    assert_eq!(idle.get("/ready").await.status, 200);
    let mut unused = server.client().await;
    let mut client = server.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.bare_answer().await;
    assert_eq!(client.chunk().await.as_deref(), Some(&b"first"[..]));
    server.stop.request();
    assert!(idle.rest().await.is_empty());
    assert!(unused.is_closed().await);
    assert!(log.all().is_empty() && !server.served.is_finished());
    let refused = tokio::net::TcpStream::connect(server.address).await;
    assert!(refused.is_err(), "nothing more is accepted");
    next.notify_one();
    assert_eq!(client.chunk().await.as_deref(), Some(&b"last"[..]));
    assert_eq!(client.chunk().await, None);
    assert!(
        client.rest().await.is_empty(),
        "the connection ends with its answer"
    );
    soon(server.served)
        .await
        .expect("the task")
        .expect("an orderly end");
    assert_eq!(log.all(), ["shutdown"]);
}

/// A handler that never ends; tells when it starts and how it ended.
fn hanging(
    started: &Arc<Notify>,
    ends: mpsc::UnboundedSender<Ending>,
) -> impl Fn(Scope, HttpRequest) -> std::future::Pending<Outcome> + use<> {
    let started = Arc::clone(started);
    move |scope, _| {
        let ends = ends.clone();
        scope.on_end("tell", |ending| async move {
            ends.send(ending).expect("the test listens");
        });
        started.notify_one();
        std::future::pending()
    }
}

#[tokio::test]
async fn what_outlives_the_drain_or_a_second_stop_is_cancelled_and_answered() {
    for forced in [false, true] {
        let started = Arc::new(Notify::new());
        let (sender, mut ends) = mpsc::unbounded_channel();
        let mut program = Program::new(Arc::new(Call(hanging(&started, sender))));
        program.settings.drain = if forced { LONG * 2 } else { support::SHORT };
        let shut = Log::default();
        let hook = shut.clone();
        program.hooks.add(Stage::Shutdown, move || {
            hook.note("shutdown");
            async { Ok(()) }
        });
        let server = Running::start(server(Profile::default(), &program)).await;
        let mut client = server.client().await;
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        soon(started.notified()).await;
        server.stop.request();
        if forced {
            server.stop.request();
        }
        let ending = soon(ends.recv()).await.expect("an end");
        assert_eq!(ending, Ending::Cancelled(CancelReason::Shutdown));
        let answer = client.answer().await;
        assert_eq!(
            (answer.status, answer.header("connection")),
            (503, Some("close"))
        );
        soon(server.served)
            .await
            .expect("the task")
            .expect("an end");
        assert_eq!(
            shut.all().is_empty(),
            forced,
            "a second stop waits for no hooks"
        );
    }
}

#[tokio::test]
async fn background_work_is_awaited() {
    let done = Arc::new(Notify::new());
    let release = Arc::new(Notify::new());
    let (told, waits) = (Arc::clone(&done), Arc::clone(&release));
    let server = Running::with(Profile::default(), move |scope, _| {
        let (told, waits) = (Arc::clone(&told), Arc::clone(&waits));
        drop(scope.spawn(async move {
            waits.notified().await;
            told.notify_one();
        }));
        async { Ok(Reply::empty()) }
    })
    .await;
    assert_eq!(server.client().await.get("/").await.status, 200);
    server.stop.request();
    tokio::task::yield_now().await;
    assert!(!server.served.is_finished());
    release.notify_one();
    soon(server.served)
        .await
        .expect("the task")
        .expect("an orderly end");
    soon(done.notified()).await;
}

#[tokio::test]
async fn some_platforms_go_on_sending_after_the_stop() {
    let mut profile = Profile::default();
    profile.serve_on = LONG * 2;
    let server = Running::with(profile, echo).await;
    assert_eq!(server.client().await.get("/ready").await.status, 200);
    server.stop.request();
    let mut status = 200;
    // The stop is on its way to the server's task.
    for _ in 0..1000 {
        status = server.client().await.get("/ready").await.status;
        if status == 503 {
            break;
        }
    }
    assert_eq!(status, 503, "no longer ready");
    assert_eq!(server.client().await.post("late").await.text(), "late");
    server.ended().await.expect("the second stop ends it");
}

#[tokio::test]
async fn a_handler_past_its_deadline_is_a_timeout() {
    let program = Program::new(Arc::new(Call(|_: Scope, _: HttpRequest| {
        std::future::pending::<Outcome>()
    })));
    let codec = Arc::new(Headers {
        allowed: Some(support::SHORT),
    });
    let server = Running::start(Server::new(codec, Profile::default(), &program)).await;
    let mut client = server.client().await;
    let answer = client.get("/").await;
    assert_eq!(
        (answer.status, answer.text()),
        (
            504,
            r#"{"error":{"code":"timeout","message":"gateway timeout"}}"#
        )
    );
    // So is a body that does not come.
    client
        .send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 504);
}

/// A handler that keeps its thread until it is told to go on, and what the watchdog did.
fn stuck_program() -> (
    Server<Headers>,
    std::sync::mpsc::Receiver<()>,
    std::sync::mpsc::Sender<()>,
) {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let program = Program::new(Arc::new(Call(move |_: Scope, request: HttpRequest| {
        let released = Arc::clone(&released);
        async move {
            let path = request.uri().path();
            if path == "/stuck-later" {
                // Off the connection's task.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if path.starts_with("/stuck") {
                // Whether it is told or the test is over.
                let _ = released.lock().expect("the channel").recv_timeout(LONG);
            } else {
                request.into_body().collect(1).await?;
            }
            Ok(Reply::empty())
        }
    })));
    let (exit, exited) = std::sync::mpsc::channel();
    let exit = Mutex::new(exit);
    let watchdog = Watchdog::with_exit(LONG, move || {
        let _ = exit.lock().expect("the channel").send(());
    });
    let codec = Arc::new(Headers {
        allowed: Some(support::SHORT),
    });
    let server = Server::new(codec, Profile::default(), &program).watchdog(watchdog);
    (server, exited, release)
}

/// Sends a request from a thread without a runtime and gives the answer.
fn blocking_get(address: std::net::SocketAddr, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LONG)).expect("a timeout");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").expect("sent");
    let mut answer = [0; 4096];
    let mut read = 0;
    while !answer[..read].ends_with(b"}}") {
        match stream.read(&mut answer[read..]).expect("an answer") {
            0 => break,
            more => read += more,
        }
    }
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_handler_is_answered_by_its_connection() {
    let (server, exited, release) = stuck_program();
    let server = Running::start(server).await;
    let address = server.address;
    let answer = tokio::task::spawn_blocking(move || blocking_get(address, "/stuck-later"));
    let answer = soon(answer).await.expect("the client");
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    assert!(
        answer.contains("date: "),
        "the HTTP server wrote it: {answer}"
    );
    exited.recv_timeout(LONG).expect("the process would end");
    release.send(()).expect("the handler goes on");
    server.ended().await.expect("an end");
}

#[test]
fn a_stuck_handler_is_answered_even_if_no_thread_is_left() {
    let (server, exited, release) = stuck_program();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let server = runtime.block_on(Running::start(server));
    let address = server.address;
    let client = std::thread::spawn(move || {
        let answer = blocking_get(address, "/stuck");
        exited.recv_timeout(LONG).expect("the process would end");
        release.send(()).expect("the handler goes on");
        answer
    });
    let stop = server.stop.clone();
    let end = runtime.block_on(async {
        while !client.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.request();
        soon(server.served).await.expect("the task")
    });
    end.expect("an end");
    let answer = client.join().expect("the client");
    assert!(
        answer.starts_with("HTTP/1.1 504 Gateway Timeout"),
        "{answer}"
    );
    assert!(answer.ends_with(r#"{"error":{"code":"timeout","message":"gateway timeout"}}"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_company_a_stuck_handler_stops_the_server_after_the_company() {
    let (server, exited, release) = stuck_program();
    let server = Running::start(server).await;
    let mut company = server.client().await;
    let head =
        "POST /free HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n";
    company.send(head).await;
    assert!(
        company.head().await.contains("100 Continue"),
        "it is in its handler"
    );
    let address = server.address;
    let answer = tokio::task::spawn_blocking(move || blocking_get(address, "/stuck"));
    let answer = soon(answer).await.expect("the client");
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(exited.try_recv().is_err(), "it waits for the other one");
    company.send("x").await;
    assert_eq!(company.answer().await.status, 200);
    exited.recv_timeout(LONG).expect("the process would end");
    drop(release);
    let error = soon(server.served)
        .await
        .expect("the task")
        .expect_err("no orderly end");
    assert_eq!(error.kind(), ErrorKind::Timeout);
}
