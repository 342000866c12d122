//! A function that logs all it does, for the tests that read the lines of whole processes. Each of
//! its own lines says which invocation wrote it, so that a line with another's facts is found out.

use faas_sdk::log::{err, json};
use faas_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use tracing::Instrument;

#[derive(Clone, Deserialize, Serialize)]
struct Tale {
    /// How it ends: well, or with an error.
    ends: Ends,
    password: String,
}

#[derive(Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Ends {
    Well,
    Badly,
}

struct Narrate {
    /// As many invocations as are to be under way at once before any goes on.
    together: Arc<Barrier>,
}

impl Handler<Tale> for Narrate {
    type Output = &'static str;

    async fn call(&self, tale: Tale, cx: Context) -> Result<&'static str> {
        let own = cx.request_id();
        tracing::info!(own, tale = json(&tale), "begins");
        tracing::debug!(own, "only told of failures");
        let ending = own.to_owned();
        cx.on_end("epilogue", |_| async move {
            tracing::info!(own = ending, "the epilogue");
        });
        self.together.wait().await;
        cx.metrics().count("chapters", 2);
        let chapter = tracing::info_span!("chapter", number = 1, own);
        tell(own).instrument(chapter).await;
        let teller = cx.clone();
        let spawned = cx.spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            tracing::info!(own = teller.request_id(), "told beside it");
        });
        self.together.wait().await;
        spawned.await?;
        if tale.ends == Ends::Badly {
            let error = "the end".parse::<u32>().expect_err("no number");
            tracing::warn!(own, error = err(&error), "it gets worse");
            return Err(Error::unavailable("the narrator is gone").with_source(error));
        }
        tracing::info!(own, long = "é\n\"".repeat(2000), "ends");
        Ok("told")
    }
}

async fn tell(own: &str) {
    for sentence in 0..3 {
        tracing::info!(own, sentence, "once upon a time");
        tokio::task::yield_now().await;
    }
}

fn main() {
    let together = std::env::var("NARRATE_TOGETHER").ok();
    let together = together.and_then(|text| text.parse().ok()).unwrap_or(1);
    faas_sdk::start(App::new().function(
        "narrate",
        Narrate {
            together: Arc::new(Barrier::new(together)),
        },
    ));
}
