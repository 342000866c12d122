//! A function that does what it is told, also what a function should not do. The tests of whole
//! processes run it; it is of no use as a pattern.

use faas_sdk::prelude::*;
use faas_sdk::{Scope, Stage};
use serde::Deserialize;
use std::time::{Duration, Instant};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Do {
    Answer,
    Panic,
    /// Waits for ever, as a handler may that can be cancelled.
    Wait,
    /// Computes for ever, which nothing can cancel.
    Spin,
    /// Ends after about this time.
    Sleep(u64),
}

async fn misbehave(what: Do, cx: Context) -> Result<&'static str> {
    match what {
        Do::Answer => Ok("answer"),
        Do::Panic => panic!("on purpose"),
        Do::Wait => {
            note("waiting", cx.scope());
            std::future::pending().await
        }
        Do::Spin => {
            tracing::debug!("about to spin");
            note("spinning", cx.scope());
            let forever = Instant::now() + Duration::from_secs(600);
            while Instant::now() < forever {
                std::hint::spin_loop();
            }
            Ok("spun")
        }
        Do::Sleep(milliseconds) => {
            note("sleeping", cx.scope());
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            Ok("slept")
        }
    }
}

/// Says something that the test waits for.
#[allow(clippy::print_stdout, reason = "the test reads it")]
fn note(what: &str, scope: &Scope) {
    println!("{what} remaining={:?}", scope.remaining());
}

#[allow(clippy::print_stdout, reason = "the test reads it")]
fn main() {
    let mut app = App::new().function("misbehave", misbehave);
    if let Some(how) = std::env::var_os("MISBEHAVE_INIT") {
        let panics = how == "panic";
        app = app.hook(Stage::Init, move || async move {
            assert!(!panics, "on purpose");
            Err(Error::unavailable("no store to start with"))
        });
    }
    if std::env::var_os("MISBEHAVE_SHUTDOWN").is_some() {
        app = app.hook(Stage::Shutdown, || async {
            println!("shutdown hook");
            Ok(())
        });
    }
    faas_sdk::start(app);
}
