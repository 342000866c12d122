use super::{echo, serve, serve_as};
use faas_sdk_adapter_aws_lambda::AwsLambda;
use faas_sdk_core::{Error, ErrorKind, Platform, Program, Stage};
use faas_sdk_scope::ManualClock;
use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi, Route};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A program that notes the hooks it runs.
fn noting(stages: &[Stage]) -> (Program, Arc<Mutex<Vec<Stage>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let mut program = echo();
    for stage in stages.iter().copied() {
        let notes = Arc::clone(&notes);
        program.hooks.add(stage, move || {
            notes.lock().expect("the notes").push(stage);
            std::future::ready(Ok(()))
        });
    }
    (program, notes)
}

#[tokio::test]
async fn a_failed_init_is_reported_and_nothing_is_polled() {
    let mut program = echo();
    program.hooks.add(Stage::Init, || {
        let error = Error::new(ErrorKind::NotConfigured, "set SHOP_URL").with_code("invalid_app");
        std::future::ready(Err(error.with_source(std::io::Error::other("it is empty"))))
    });
    let api = FakeRuntimeApi::builder()
        .start()
        .await
        .expect("the fake starts");
    program.env.extend(api.env());
    let error = AwsLambda::new()
        .serve(program)
        .await
        .expect_err("the init failed");
    assert_eq!(error.code(), "invalid_app");
    let report = api.observe().init_error.expect("an init error");
    assert_eq!(report.platform_error_type(), "Runtime.InvalidApp");
    let details = report.details.expect("details");
    assert_eq!(details.error_message, "set SHOP_URL");
    assert_eq!(details.stack_trace, ["caused by: it is empty"]);
    assert!(
        api.requests()
            .iter()
            .all(|request| request.route() != Some(Route::Next))
    );
}

#[tokio::test]
async fn a_bad_variable_is_reported() {
    let api = FakeRuntimeApi::builder()
        .start()
        .await
        .expect("the fake starts");
    let mut program = echo();
    program.env.extend(api.env());
    program.env.extend([("AWS_LAMBDA_MAX_CONCURRENCY", "many")]);
    AwsLambda::new()
        .serve(program)
        .await
        .expect_err("a bad variable");
    let report = api.observe().init_error.expect("an init error");
    assert!(
        report
            .details
            .expect("details")
            .error_message
            .contains("MAX_CONCURRENCY")
    );
}

#[tokio::test]
async fn a_hook_that_panics_has_failed_and_nothing_else() {
    let mut program = echo();
    program
        .hooks
        .add(Stage::BeforeFreeze, || -> std::future::Ready<_> {
            panic!("on purpose")
        });
    let running = serve(FakeRuntimeApi::builder(), program).await;
    for number in 0..3 {
        assert!(
            running
                .api
                .invoke(Event::json(json!(number)))
                .await
                .response()
                .is_some()
        );
    }
    assert_eq!(running.api.connections(), 1);
    running.end().await;
}

#[tokio::test]
async fn without_an_address_the_variable_is_named() {
    let error = AwsLambda::new()
        .serve(echo())
        .await
        .expect_err("no address");
    assert_eq!(error.kind(), ErrorKind::NotConfigured);
    assert!(error.message().contains("AWS_LAMBDA_RUNTIME_API"));
}

#[tokio::test]
async fn the_extension_is_registered_only_for_a_shutdown_hook() {
    for hooks in [&[Stage::Shutdown][..], &[]] {
        let (program, notes) = noting(hooks);
        let running = serve(FakeRuntimeApi::builder(), program).await;
        assert!(
            running
                .api
                .invoke(Event::json(json!(1)))
                .await
                .response()
                .is_some()
        );
        let observed = running.api.observe();
        assert_eq!(observed.extensions.len(), hooks.len());
        assert!(
            observed
                .extensions
                .iter()
                .all(|extension| extension.events.is_empty())
        );
        running.end().await;
        assert_eq!(*notes.lock().expect("the notes"), hooks);
    }
}

#[tokio::test]
async fn hooks_follow_freeze_and_thaw() {
    let (program, notes) = noting(&[Stage::Init, Stage::BeforeFreeze, Stage::OnThaw]);
    let clock = Arc::new(ManualClock::new());
    let adapter = AwsLambda::with_clock(Arc::clone(&clock));
    let running = serve_as(adapter, FakeRuntimeApi::builder(), program).await;
    let invoke = async || {
        assert!(
            running
                .api
                .invoke(Event::json(json!(1)))
                .await
                .response()
                .is_some()
        );
        running.api.wait_idle_next(1).await.expect("it polls again");
    };
    invoke().await;
    invoke().await;
    // All clocks run through the freeze …
    clock.advance(Duration::from_secs(31));
    invoke().await;
    // … or the monotonic one stands still.
    clock.step(
        Duration::ZERO,
        Duration::from_secs(2),
        Duration::from_secs(2),
    );
    invoke().await;
    let (freeze, thaw) = (Stage::BeforeFreeze, Stage::OnThaw);
    let expected = [Stage::Init, freeze, freeze, thaw, freeze, thaw, freeze];
    assert_eq!(*notes.lock().expect("the notes"), expected);
    running.end().await;
}

#[tokio::test]
async fn work_spawned_by_a_handler_is_done_before_the_next_poll() {
    let done = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&done);
    let program = super::program(move |invocation: faas_sdk_core::Invocation| {
        let done = Arc::clone(&seen);
        drop(invocation.scope.spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            done.fetch_add(1, Ordering::SeqCst);
        }));
        std::future::ready(Ok(faas_sdk_core::Reply::empty()))
    });
    let running = serve(FakeRuntimeApi::builder(), program).await;
    for number in 1..=3 {
        assert!(
            running
                .api
                .invoke(Event::json(json!(1)))
                .await
                .response()
                .is_some()
        );
        running.api.wait_idle_next(1).await.expect("it polls again");
        assert_eq!(done.load(Ordering::SeqCst), number);
    }
    running.end().await;
}
