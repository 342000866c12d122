//! What the sharing costs.
#![allow(clippy::print_stderr, reason = "a measurement is for reading")]

use super::ask::{SECOND, built, set};
use faas_sdk_redis::redis::{Client, Cmd, cmd};
use faas_sdk_redis::{Redis, Retry};
use faas_sdk_scope::Instance;
use faas_sdk_test_servers::RedisServer;
use std::time::{Duration, Instant};

const TASKS: usize = 64;
const ROUNDS: usize = 41;
const ROUND: Duration = Duration::from_millis(100);

/// Calls per second of many tasks, each with a clone of its own.
macro_rules! throughput {
    ($subject:expr, |$clone:ident| $call:expr) => {{
        let started = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                #[allow(unused_mut, reason = "one of both has to be")]
                let mut $clone = $subject.clone();
                tokio::spawn(async move {
                    let mut calls = 0_u32;
                    while started.elapsed() < ROUND {
                        for _ in 0..16 {
                            assert!($call.await.is_ok());
                            calls += 1;
                        }
                    }
                    calls
                })
            })
            .collect();
        let mut calls = 0;
        for task in tasks {
            calls += task.await.expect("it ends well");
        }
        f64::from(calls) / started.elapsed().as_secs_f64()
    }};
}

/// Time that the process has had on processors, in hundredths of a second.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum()
}

/// Run it alone on an idle machine:
/// `cargo test --release -p faas-sdk-redis --test real -- --ignored --nocapture speed`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_of_a_get_with_64_tasks() {
    let server = RedisServer::start().await.expect("a server");
    let instance = Instance::new();
    let redis = built(Redis::builder().url(server.url()).instance(&instance));
    set(&redis, "key", "value").await;
    let client = Client::open(server.url()).expect("a URL");
    let bare = client.get_multiplexed_async_connection().await;
    let bare = bare.expect("a connection");
    let get: &'static Cmd = Box::leak(Box::new(cmd("GET").arg("key").to_owned()));
    let mut ratios = Vec::new();
    let (mut work, mut work_bare) = (0.0, 0.0);
    let (mut best, mut best_bare) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        let before = cpu();
        let ours = throughput!(redis, |redis| redis.query(get, Retry::Once, SECOND));
        let between = cpu();
        let theirs = throughput!(bare, |bare| bare.send_packed_command(get));
        work += (between - before) / ours;
        work_bare += (cpu() - between) / theirs;
        ratios.push(ours / theirs);
        (best, best_bare) = (best.max(ours), best_bare.max(theirs));
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    eprintln!(
        "ratio {median:.3} (quarters {:.3} and {:.3}); best of both {best:.0}/s and {best_bare:.0}/s",
        ratios[ROUNDS / 4],
        ratios[3 * ROUNDS / 4]
    );
    eprintln!("ratio by time of the processor: {:.3}", work_bare / work);
    assert!(median >= 0.95, "too slow");
}
