//! Threads that log at their very end.

use crate::support::{builder, child, json};
use faas_sdk_log::{Profile, json as structured};
use std::cell::RefCell;

/// Logs when it is dropped.
#[derive(Debug)]
struct Last(&'static str);

impl Drop for Last {
    fn drop(&mut self) {
        let name = self.0;
        tracing::info!(debug = ?self, tree = structured(&[name]), name, "{name}");
    }
}

thread_local! {
    static EARLY: RefCell<Option<Last>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<Last>> = const { RefCell::new(None) };
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn threads_end() {
    builder(Profile::V1).stderr().init().expect("no subscriber");
    for logs in [true, false] {
        let ends = move || {
            // Dropped after everything that is first used later.
            EARLY.set(Some(Last("early")));
            if logs {
                let span = tracing::info_span!("span", debug = ?1).entered();
                tracing::info!(debug = ?1, tree = structured(&1), "middle");
                drop(span);
            }
            LATE.set(Some(Last("late")));
        };
        std::thread::spawn(ends).join().expect("no panic");
    }
    tracing::info!("after");
}

#[test]
fn lines_of_threads_at_their_end_are_whole() {
    let ended = child::run("exit::threads_end", &[]);
    assert!(ended.status.success(), "{ended:?}");
    let lines: Vec<_> = ended.errors.split_inclusive('\n').map(json::line).collect();
    let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(
        messages,
        ["middle", "late", "early", "late", "early", "after"]
    );
    for line in &lines[1..5] {
        let name = line["message"].as_str().expect("a message");
        assert_eq!(
            line["fields"],
            serde_json::json!({"debug": format!("Last({name:?})"), "tree": [name], "name": name})
        );
    }
}
