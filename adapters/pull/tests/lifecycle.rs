//! From the init hooks to the last words.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use faas_sdk_core::{Error, ErrorKind, Program, Reply, Result, Stage, Stop, Watchdog};
use faas_sdk_scope::{Background, CancelReason, Instance, ManualClock};
use support::answer;
use support::api::{Api, Do, Log, Serving, echo, event, function};
use tokio::sync::{Notify, mpsc, watch};

/// What happened, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// A program that notes its hooks.
    fn program(&self, invoke: Arc<dyn faas_sdk_core::Invoke>) -> Program {
        let mut program = Program::new(invoke);
        for stage in [
            Stage::Init,
            Stage::OnThaw,
            Stage::BeforeFreeze,
            Stage::Shutdown,
        ] {
            let diary = self.clone();
            program.hooks.add(stage, move || {
                diary.note(format!("{stage:?}"));
                async { Ok(()) }
            });
        }
        program
    }
}

fn freezing() -> Arc<Instance> {
    Instance::builder()
        .background(Background::HookWindow)
        .build()
}

#[tokio::test]
async fn the_platform_hears_that_the_function_is_ready_before_the_first_poll() {
    let mut api = Api::start().await;
    api.codec.says_ready = true;
    api.answer_post(Do::Send(answer(503, "", "not yet")));
    let diary = Diary::default();
    let stop = Stop::new();
    let task = tokio::spawn(api.engine(&stop).serve(diary.program(echo())));
    for _ in 0..2 {
        let post = api.post().await;
        assert_eq!(
            (&*post.line, &*post.body),
            ("POST /ready HTTP/1.1", &b" "[..])
        );
        assert_eq!(diary.read(), ["Init"]);
    }
    api.next(event("1", "", "one"));
    assert_eq!(api.post().await.body, b"one");
    Serving { stop, task }.stopped().await.unwrap();
    assert_eq!(diary.read(), ["Init", "Shutdown"], "nothing freezes here");
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_never_takes_ready_is_an_error() {
    let mut api = Api::start().await;
    api.codec.says_ready = true;
    for _ in 0..20 {
        api.answer_post(Do::Send(answer(400, "", "empty body")));
    }
    let error = api
        .engine(&Stop::new())
        .serve(Program::new(echo()))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the platform answered 400 to the ready request"
    );
    assert_eq!(api.posts().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_failed_init_is_reported_and_serving_never_begins() {
    for hangs in [false, true] {
        let mut api = Api::start().await;
        let mut program = Program::new(echo());
        program.hooks.add(Stage::Init, move || async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Err(Error::new(ErrorKind::NotConfigured, "set FAAS_X")
                .with_source(std::io::Error::other("no file")))
        });
        let mut profile = faas_sdk_pull::Profile::default();
        profile.init = Some(Duration::from_secs(9));
        let engine = faas_sdk_pull::Engine::new(api.codec.clone(), profile);
        let error = engine.serve(program).await.unwrap_err();
        let post = api.post().await;
        assert_eq!(post.line, "POST /init/error HTTP/1.1");
        let (kind, said) = match hangs {
            false => (
                ErrorKind::NotConfigured,
                "NotConfigured: set FAAS_X: no file",
            ),
            true => (
                ErrorKind::Timeout,
                "Timeout: the init hooks took longer than 9s",
            ),
        };
        assert_eq!(
            (error.kind(), String::from_utf8(post.body).unwrap().as_str()),
            (kind, said)
        );
        assert_eq!(api.server.connections(), 1, "nothing was polled");
    }
}

#[tokio::test]
async fn an_init_error_from_before_can_be_reported_too() {
    let mut api = Api::start().await;
    let error = Error::new(ErrorKind::NotConfigured, "no such function");
    api.engine(&Stop::new()).report_init_error(&error).await;
    assert_eq!(api.post().await.body, b"NotConfigured: no such function");
}

#[tokio::test]
async fn a_stop_during_init_ends_serving() {
    let api = Api::start().await;
    let mut program = Program::new(echo());
    program.hooks.add(Stage::Init, std::future::pending);
    let stop = Stop::new();
    let task = tokio::spawn(api.engine(&stop).serve(program));
    tokio::task::yield_now().await;
    Serving { stop, task }.stopped().await.unwrap();
    assert_eq!(api.server.connections(), 0);
}

#[tokio::test]
async fn thaw_and_freeze_hooks_surround_the_invocation_and_its_background_work() {
    let mut api = Api::start().await;
    let clock = Arc::new(ManualClock::new());
    let instance = Instance::builder()
        .clock(Arc::clone(&clock))
        .background(Background::HookWindow)
        .build();
    let diary = Diary::default();
    let go = Arc::new(Notify::new());
    let (noted, gate) = (diary.clone(), Arc::clone(&go));
    let invoke = function(move |invocation| {
        let (diary, gate) = (noted.clone(), Arc::clone(&gate));
        async move {
            diary.note(&*invocation.info.id);
            let at_end = diary.clone();
            invocation
                .scope
                .on_end("note", async move |_| at_end.note("end"));
            invocation.scope.spawn(async move {
                gate.notified().await;
                diary.note("background");
            });
            Ok(Reply::empty())
        }
    });
    let stop = Stop::new();
    let engine = api.engine(&stop).instance(Arc::clone(&instance));
    let task = tokio::spawn(engine.serve(diary.program(invoke)));
    for (n, (id, gap)) in [("one", 0), ("two", 0), ("three", 60)]
        .into_iter()
        .enumerate()
    {
        let gap = Duration::from_secs(gap);
        clock.step(Duration::ZERO, gap, gap);
        api.next(event(id, "", ""));
        api.post().await;
        diary.note("reply");
        tokio::task::yield_now().await;
        assert_eq!(
            api.polls(),
            n + 1,
            "the next poll would let the platform freeze the instance"
        );
        go.notify_one();
        while instance.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
    }
    Serving { stop, task }.stopped().await.unwrap();
    let cycle = |id| [id, "end", "reply", "background", "BeforeFreeze"];
    let expected = [
        &["Init"][..],
        &cycle("one"),
        &cycle("two"),
        &["OnThaw"],
        &cycle("three"),
        &["Shutdown"],
    ];
    assert_eq!(diary.read(), expected.concat());
}

#[tokio::test(start_paused = true)]
async fn hooks_that_hang_or_fail_are_logged_and_hold_nothing_up() {
    let mut api = Api::start().await;
    let (log, _guard) = Log::capture();
    let mut program = Program::new(echo());
    program.hooks.add(Stage::BeforeFreeze, std::future::pending);
    program.hooks.add(Stage::Shutdown, || async {
        Err(Error::new(ErrorKind::Unavailable, "no goodbye"))
    });
    let stop = Stop::new();
    let task = tokio::spawn(api.engine(&stop).instance(freezing()).serve(program));
    for _ in 0..2 {
        api.next(event("1", "", "one"));
        assert_eq!(api.post().await.body, b"one");
    }
    Serving { stop, task }.stopped().await.unwrap();
    assert!(
        log.has(&["BeforeFreeze hooks took longer than 1s"]),
        "{}",
        log.text()
    );
    assert!(
        log.has(&["a shutdown hook failed", "no goodbye"]),
        "{}",
        log.text()
    );
}

/// A handler that says when it has begun and ends when told to.
struct Gated {
    begun: mpsc::UnboundedReceiver<()>,
    go: watch::Sender<bool>,
    invoke: Arc<dyn faas_sdk_core::Invoke>,
    cancelled: Arc<Mutex<Option<CancelReason>>>,
}

fn gated() -> Gated {
    let (begin, begun) = mpsc::unbounded_channel();
    let (go, gone) = watch::channel(false);
    let cancelled = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&cancelled);
    let invoke = function(move |invocation| {
        let (begin, mut gone, seen) = (begin.clone(), gone.clone(), Arc::clone(&seen));
        let scope = invocation.scope.clone();
        invocation.scope.on_end("see", async move |_| {
            *seen.lock().unwrap() = scope.cancellation();
        });
        async move {
            begin.send(()).unwrap();
            gone.wait_for(|go| *go).await.unwrap();
            Ok(Reply::json("done".into()))
        }
    });
    Gated {
        begun,
        go,
        invoke,
        cancelled,
    }
}

#[tokio::test]
async fn a_stop_gives_up_idle_polls_and_finishes_what_runs() {
    let mut api = Api::start().await;
    let mut gated = gated();
    let mut profile = faas_sdk_pull::Profile::default();
    profile.slots = 3.try_into().unwrap();
    let stop = Stop::new();
    let engine = faas_sdk_pull::Engine::new(api.codec.clone(), profile).stop(stop.clone());
    let mut task = tokio::spawn(engine.serve(Program::new(gated.invoke)));
    api.next(event("1", "", ""));
    gated.begun.recv().await.unwrap();
    stop.request();
    // The idle connections close; the busy one does not keep polling.
    tokio::select! {
        ended = &mut task => panic!("{ended:?}"),
        () = tokio::time::sleep(Duration::from_millis(20)) => {}
    }
    gated.go.send(true).unwrap();
    assert_eq!(api.post().await.body, b"done");
    task.await.unwrap().unwrap();
    assert_eq!(api.polls(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_outlasts_the_drain_time_is_cancelled_and_reported() {
    let mut api = Api::start().await;
    let mut gated = gated();
    let serving = api.serve(gated.invoke);
    api.next(event("1", "", ""));
    gated.begun.recv().await.unwrap();
    let started = tokio::time::Instant::now();
    serving.stopped().await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
    assert!(
        api.post()
            .await
            .body
            .starts_with(b"Cancelled: the instance is shutting down")
    );
    assert_eq!(
        *gated.cancelled.lock().unwrap(),
        Some(CancelReason::Shutdown)
    );
}

#[tokio::test]
async fn a_second_stop_ends_at_once() {
    let mut api = Api::start().await;
    let (log, _guard) = Log::capture();
    let mut gated = gated();
    let diary = Diary::default();
    let stop = Stop::new();
    let task = tokio::spawn(api.engine(&stop).serve(diary.program(gated.invoke)));
    api.next(event("1", "", ""));
    gated.begun.recv().await.unwrap();
    stop.request();
    Serving { stop, task }.stopped().await.unwrap();
    assert!(
        log.has(&["asked to stop a second time", "dropped=1"]),
        "{}",
        log.text()
    );
    assert_eq!(diary.read(), ["Init"]);
    assert!(api.posts().is_empty());
}

#[tokio::test]
async fn background_work_of_a_running_platform_is_drained() {
    let mut api = Api::start().await;
    let (go, gone) = watch::channel(false);
    let done = Diary::default();
    let noted = done.clone();
    let invoke = function(move |invocation| {
        let (mut gone, noted) = (gone.clone(), noted.clone());
        invocation.scope.spawn(async move {
            gone.wait_for(|go| *go).await.unwrap();
            noted.note("done");
        });
        async { Ok(Reply::empty()) }
    });
    let serving = api.serve(invoke);
    for _ in 0..2 {
        // The reply and the next poll do not wait for it.
        api.next(event("1", "", ""));
        api.post().await;
    }
    go.send(true).unwrap();
    serving.stopped().await.unwrap();
    assert_eq!(done.read(), ["done", "done"]);
}

/// A handler that does not yield until the watchdog has ended "the process".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_never_yields_is_answered_from_outside() -> Result<()> {
    let mut api = Api::start().await;
    let (exit, exited) = std::sync::mpsc::channel();
    let (exit, exited) = (Mutex::new(exit), Arc::new(Mutex::new(exited)));
    let watchdog = Watchdog::with_exit(Duration::from_secs(5), move || {
        exit.lock().unwrap().send(()).unwrap();
    });
    let invoke = function(move |_| {
        let exited = Arc::clone(&exited);
        async move {
            exited
                .lock()
                .unwrap()
                .recv_timeout(Duration::from_secs(20))
                .expect("the process ends");
            Ok(Reply::empty())
        }
    });
    let stop = Stop::new();
    let task = tokio::spawn(
        api.engine(&stop)
            .watchdog(watchdog)
            .serve(Program::new(invoke)),
    );
    api.next(event("stuck", "x-allowed-ms: 300\r\n", ""));
    let post = api.post().await;
    assert_eq!(post.line, "POST /stuck/error HTTP/1.1");
    assert!(
        post.body.starts_with(b"Timeout: the handler did not yield"),
        "{post:?}"
    );
    Serving { stop, task }.stopped().await?;
    assert!(api.posts().is_empty(), "it is answered once");
    Ok(())
}
