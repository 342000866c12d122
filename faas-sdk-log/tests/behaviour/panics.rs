//! Panics of a program whose subscriber is ours.

use crate::support::json::Line;
use crate::support::{builder, child, json};
use faas_sdk_log::Profile;

fn init() {
    builder(Profile::V1).stderr().init().expect("no subscriber");
}

fn lines(ended: &child::Ended) -> Vec<Line> {
    let lines = ended.errors.split_inclusive('\n');
    lines
        .filter(|line| line.starts_with('{'))
        .map(json::line)
        .collect()
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn a_thread_panics() {
    init();
    let span = crate::support::invocation("id");
    let thread = std::thread::Builder::new().name("worker".into());
    let worker = thread.spawn(move || {
        let _entered = span.enter();
        panic!("to x://user:s3cret@host")
    });
    worker.expect("a thread").join().expect_err("a panic");
    tracing::info!("after");
}

#[test]
fn a_panic_is_one_error_line_with_its_place() {
    for backtrace in ["0", "1"] {
        let ended = child::run("panics::a_thread_panics", &[("RUST_BACKTRACE", backtrace)]);
        assert!(ended.status.success(), "{ended:?}");
        let lines = lines(&ended);
        assert_eq!(lines.len(), 2, "{ended:?}");
        assert_eq!(ended.errors.lines().count(), 2, "{ended:?}");
        let line = &lines[0];
        assert_eq!(line["level"], "ERROR");
        assert_eq!(line["event"], "panic");
        assert_eq!(line["message"], "panicked: to x://[redacted]@host");
        assert_eq!(line["request_id"], "id");
        assert_eq!(line["fields"]["thread"], "worker");
        let code = line["code"].as_str().expect("a place");
        let (file, place) = code.split_once("panics.rs:").expect(code);
        assert!(
            file.ends_with('/') && place.split(':').count() == 2,
            "{code}"
        );
        let text = line["fields"].get("backtrace");
        assert_eq!(text.is_some(), backtrace == "1");
        assert_eq!(lines[1]["message"], "after");
    }
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn a_value_panics_while_it_is_logged() {
    struct Panics;
    impl std::fmt::Debug for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("on purpose")
        }
    }
    init();
    let logged =
        std::panic::catch_unwind(|| tracing::info!(before = 1, value = ?Panics, "message"));
    logged.expect_err("a panic");
    tracing::info!(key = 1, "after");
}

#[test]
fn a_panic_within_a_line_is_a_line() {
    let ended = child::run("panics::a_value_panics_while_it_is_logged", &[]);
    let lines = lines(&ended);
    assert_eq!(lines.len(), 2, "{ended:?}");
    assert_eq!(lines[0]["message"], "panicked: on purpose");
    assert_eq!(lines[1]["message"], "after");
    assert_eq!(lines[1]["fields"], serde_json::json!({"key": 1}));
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn a_panic_is_filtered_out() {
    init();
    faas_sdk_log::set_filter("off,behaviour=info").expect("a filter");
    std::panic::catch_unwind(|| panic!("on purpose")).expect_err("a panic");
    tracing::info!("after");
}

#[test]
fn a_panic_that_the_filter_hides_is_printed() {
    let ended = child::run("panics::a_panic_is_filtered_out", &[]);
    assert_eq!(lines(&ended).len(), 1, "{ended:?}");
    assert!(ended.errors.contains("on purpose"), "{ended:?}");
}
