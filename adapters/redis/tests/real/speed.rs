//! What the sharing costs.

use super::ask::{SECOND, built, set};
use faas_sdk_redis::redis::{Client, Cmd, cmd};
use faas_sdk_redis::{Redis, Retry};
use faas_sdk_test_servers::RedisServer;
use std::time::{Duration, Instant};

const TASKS: usize = 64;
const ROUND: Duration = Duration::from_millis(100);

/// Run it alone: `cargo test --release -p faas-sdk-redis -- --ignored --nocapture speed`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_of_a_get_with_64_tasks() {
    let server = RedisServer::start().await.expect("a server");
    let redis = built(Redis::builder().url(server.url()));
    set(&redis, "key", "value").await;
    let client = Client::open(server.url()).expect("a URL");
    let bare = client
        .get_multiplexed_async_connection()
        .await
        .expect("a connection");
    let get: &'static Cmd = Box::leak(Box::new(cmd("GET").arg("key").to_owned()));
    let mut ratios = Vec::new();
    for _ in 0..41 {
        let ours = throughput({
            let redis = redis.clone();
            move || {
                let redis = redis.clone();
                async move { redis.query(get, Retry::Once, SECOND).await.is_ok() }
            }
        });
        let ours = ours.await;
        let theirs = throughput({
            let bare = bare.clone();
            move || {
                let mut bare = bare.clone();
                async move { bare.send_packed_command(get).await.is_ok() }
            }
        });
        let theirs = theirs.await;
        ratios.push(ours / theirs);
        eprintln!(
            "{ours:.0}/s, bare {theirs:.0}/s, ratio {:.3}",
            ours / theirs
        );
    }
    ratios.sort_by(f64::total_cmp);
    eprintln!("ratios: {:.3} {:.3} {:.3}", ratios[10], ratios[20], ratios[30]);
    assert!(ratios[20] >= 0.95, "too slow");
}

async fn throughput<F>(call: impl Fn() -> F + Clone + Send + 'static) -> f64
where
    F: Future<Output = bool> + Send,
{
    let started = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut calls = 0_u32;
                while started.elapsed() < ROUND {
                    for _ in 0..32 {
                        assert!(call().await);
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
}
