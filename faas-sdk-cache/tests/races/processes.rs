use crate::checker::{BOUND, Process, race_time};
use crate::world::World;
use faas_sdk_cache::store::RedisStore;
use faas_sdk_cache::{Cache, Region};
use faas_sdk_redis::redis::{Cmd, FromRedisValue, cmd};
use faas_sdk_redis::{Redis, Retry};
use faas_sdk_test_servers::RedisServer;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What is true stands in a Redis of its own, which nobody disturbs.
struct Truth(Redis);

impl Truth {
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let answer = self
            .0
            .query(command, Retry::Never, Duration::from_secs(20))
            .await;
        T::from_redis_value(answer.expect("the truth")).expect("an answer of this form")
    }
}

impl World for Truth {
    async fn truth(&self, key: u64) -> u64 {
        self.ask::<Option<u64>>(cmd("GET").arg(format!("truth:{key}")))
            .await
            .unwrap_or_default()
    }

    async fn advance(&self, key: u64) -> u64 {
        self.ask(cmd("INCR").arg(format!("truth:{key}"))).await
    }

    async fn commit(&self, key: u64, version: u64) {
        let _: i64 = self
            .ask(
                cmd("ZADD")
                    .arg(format!("done:{key}"))
                    .arg(micros())
                    .arg(version),
            )
            .await;
    }

    async fn committed(&self, key: u64, ago: Duration) -> u64 {
        let until = micros() - i64::try_from(ago.as_micros()).expect("a short time");
        let mut range = cmd("ZREVRANGEBYSCORE");
        range
            .arg(format!("done:{key}"))
            .arg(until)
            .arg("-inf")
            .arg(&["LIMIT", "0", "4"]);
        let done: Vec<u64> = self.ask(&range).await;
        done.into_iter().max().unwrap_or_default()
    }
}

/// The machine's clock, which all processes share.
fn micros() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    i64::try_from(now.as_micros()).expect("a time of this age")
}

/// Not a test of its own: one of the processes that race.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the races between processes"]
async fn child() {
    let variable = |name: &str| std::env::var(name).expect("set by the parent");
    let connect = |url: String| {
        let short = Duration::from_millis(60);
        Redis::builder()
            .url(url)
            .command_timeout(Duration::from_secs(20))
            .backoff(short / 6, short)
            .build()
    };
    let redis = connect(variable("FAAS_TEST_RACE_CACHE")).expect("a configuration");
    let truth = connect(variable("FAAS_TEST_RACE_TRUTH")).expect("a configuration");
    let store = RedisStore::new(redis, "race").expect("a namespace");
    let cache = Cache::builder()
        .store(store)
        .verify_after(BOUND)
        .remote_timeout(Duration::from_millis(150))
        .circuit(5, Duration::from_millis(20))
        .build();
    let process = Process::new(cache, Arc::new(Truth(truth)));
    let reads = process
        .race(8, variable("FAAS_TEST_RACE_SETTER") == "yes", race_time())
        .await;
    let stats = process.cache.stats();
    assert!(
        reads > 50 && stats.l1_hits > 0 && stats.l2_hits > 0,
        "{stats:?}"
    );
}

/// Not a test of its own: one of the processes whose callers want the same cold key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the stampede"]
async fn caller() {
    let variable = |name: &str| std::env::var(name).expect("set by the parent");
    let connect = |url: String| Redis::builder().url(url).build().expect("a configuration");
    let store = RedisStore::new(connect(variable("FAAS_TEST_RACE_CACHE")), "race");
    let cache = Cache::builder().store(store.expect("a namespace")).build();
    let truth = Arc::new(Truth(connect(variable("FAAS_TEST_RACE_TRUTH"))));
    truth.advance(1).await;
    while truth.truth(1).await < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let callers: Vec<_> = (0..2500)
        .map(|_| {
            let (cache, truth) = (cache.clone(), Arc::clone(&truth));
            tokio::spawn(async move {
                let got = cache.get(&COLD, "key").or_load(move |_| async move {
                    let loads = truth.advance(0).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Ok(loads)
                });
                assert_eq!(*got.await.expect("a value"), 1, "it was loaded once");
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller");
    }
}

const COLD: Region<u64> = Region::new("cold");

#[tokio::test]
async fn ten_thousand_callers_in_four_processes_are_one_load() {
    let (cache, truth) = servers().await;
    let callers = (0..4)
        .map(|_| start("caller", &cache, &truth, "no", Duration::ZERO))
        .collect();
    end(callers);
    assert_eq!(
        truth.cli(&["GET", "truth:0"]).await.expect("an answer"),
        "1"
    );
}

async fn servers() -> (RedisServer, RedisServer) {
    let start = async || RedisServer::start().await.expect("a server");
    (start().await, start().await)
}

fn start(
    test: &str,
    cache: &RedisServer,
    truth: &RedisServer,
    setter: &str,
    time: Duration,
) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            &format!("processes::{test}"),
            "--ignored",
            "--nocapture",
        ])
        .env("FAAS_TEST_RACE_CACHE", cache.url())
        .env("FAAS_TEST_RACE_TRUTH", truth.url())
        .env("FAAS_TEST_RACE_SETTER", setter)
        .env("FAAS_TEST_RACE_MS", time.as_millis().to_string())
        .spawn()
        .expect("a process")
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
}

fn end(mut children: Vec<Child>) {
    for child in &mut children {
        assert!(
            child.wait().expect("a process").success(),
            "a process has seen what it must not"
        );
    }
}

#[tokio::test]
async fn two_processes() {
    let (cache, truth) = servers().await;
    let time = race_time();
    end(vec![
        start("child", &cache, &truth, "yes", time),
        start("child", &cache, &truth, "no", time),
    ]);
}

#[tokio::test]
async fn two_processes_while_they_and_the_server_are_frozen_and_killed() {
    frozen_and_killed(race_time()).await;
}

#[tokio::test]
#[ignore = "a long race"]
async fn soak_processes_and_server_frozen_and_killed() {
    frozen_and_killed(Duration::from_secs(20)).await;
}

async fn frozen_and_killed(time: Duration) {
    let (cache, truth) = servers().await;
    let children = vec![
        start("child", &cache, &truth, "yes", time),
        start("child", &cache, &truth, "no", time),
    ];
    let until = Instant::now() + time.saturating_sub(Duration::from_millis(300));
    let pause = async |millis| tokio::time::sleep(Duration::from_millis(millis)).await;
    pause(150).await;
    for round in 0_u32.. {
        if Instant::now() >= until {
            break;
        }
        match round % 4 {
            0 | 2 => {
                let child = &children[usize::from(round % 4 == 2)];
                signal(child, "-STOP");
                pause(60).await;
                signal(child, "-CONT");
            }
            1 => {
                cache.pause().expect("a server");
                pause(u64::from(round % 3) * 100 + 20).await;
                cache.resume().expect("a server");
            }
            _ => {
                cache.kill().expect("a server");
                pause(20).await;
                cache.restart_empty().await.expect("a server");
            }
        }
        pause(70).await;
    }
    end(children);
}
