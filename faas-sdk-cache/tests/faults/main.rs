//! A cache over real servers that are killed, paused, cut off, full, read-only, failed over and
//! resharded.
#![cfg(feature = "redis")]

use faas_sdk_cache::store::RedisStore;
use faas_sdk_cache::{Cache, CacheBuilder, Region, Source};
use faas_sdk_redis::{Redis, RedisBuilder};
use faas_sdk_scope::Instance;
use faas_sdk_test_servers::{Proxy, RedisCluster, RedisSentinels, RedisServer};
use std::time::{Duration, Instant};

const NOTE: Region<String> = Region::new("note").ttl(Duration::from_secs(60)).jitter(0.0);
const BOUND: Duration = Duration::from_millis(50);

fn redis(url: String) -> RedisBuilder {
    let short = Duration::from_millis(20);
    Redis::builder()
        .url(url)
        .command_timeout(Duration::from_millis(300))
        .backoff(short, short * 4)
}

fn over(redis: RedisBuilder) -> CacheBuilder {
    let store =
        RedisStore::new(redis.build().expect("a configuration"), "faults").expect("a namespace");
    Cache::builder()
        .store(store)
        .verify_after(BOUND)
        .remote_timeout(Duration::from_millis(600))
        .circuit(3, Duration::from_millis(50))
}

async fn load(cache: &Cache, key: &str, text: &str) -> (String, Source, bool) {
    let text = text.to_owned();
    let got = cache
        .get(&NOTE, key)
        .or_load(|_| async { Ok(text) })
        .await
        .expect("never an error");
    (got.to_string(), got.source(), got.is_stale())
}

async fn set(cache: &Cache, key: &str, text: &str) {
    cache
        .set(&NOTE, key, text.to_owned())
        .await
        .expect("never an error");
}

async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Sets `key` through `cache` until the remote level has it, as a new instance sees it.
async fn until_stored(redis: impl Fn() -> RedisBuilder, cache: &Cache, key: &str, text: &str) {
    for _ in 0..200 {
        set(cache, key, text).await;
        cache.flush().await;
        let other = over(redis()).build();
        if other
            .get(&NOTE, key)
            .await
            .expect("never an error")
            .is_some_and(|got| *got == *text)
        {
            return;
        }
        pause(Duration::from_millis(20)).await;
    }
    panic!("the remote level has not got {key} = {text}: {cache:?}");
}

#[tokio::test]
async fn a_killed_server_and_one_that_was_restarted_empty() {
    let server = RedisServer::start().await.expect("a server");
    let connect = || redis(server.url());
    let (cache, other) = (over(connect()).build(), over(connect()).build());
    set(&cache, "a", "old").await;
    assert_eq!(load(&other, "a", "never").await.1, Source::L2);
    server.kill().expect("a server");
    pause(BOUND * 2).await;
    assert_eq!(
        load(&other, "a", "never").await,
        ("old".into(), Source::L1, true)
    );
    assert_eq!(load(&cache, "b", "loaded").await.0, "loaded");
    cache.remove(&NOTE, "a").await.expect("never an error");
    assert_eq!(load(&cache, "a", "new").await.0, "new");
    server.restart_empty().await.expect("a server");
    pause(BOUND * 3).await;
    until_stored(connect, &other, "c", "x").await;
    assert_ne!(
        load(&other, "a", "newer").await.0,
        "old",
        "the log is gone, and what hung on it"
    );
    assert!(other.stats().gaps > 0);
}

#[tokio::test]
async fn a_paused_server_is_waited_for_within_bounds() {
    let server = RedisServer::start().await.expect("a server");
    let cache = over(redis(server.url())).build();
    set(&cache, "a", "x").await;
    server.pause().expect("a server");
    let start = Instant::now();
    for key in ["b", "c", "d", "e", "f", "g", "h"] {
        assert_eq!(load(&cache, key, "loaded").await.0, "loaded");
    }
    assert!(
        start.elapsed() < Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
    server.resume().expect("a server");
    pause(Duration::from_millis(200)).await;
    until_stored(|| redis(server.url()), &cache, "z", "x").await;
}

#[tokio::test]
async fn a_slow_server_is_only_slow() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let cache = over(redis(server.url_at(proxy.port()))).build();
    set(&cache, "a", "x").await;
    proxy.delay(Duration::from_millis(60));
    assert_eq!(
        load(&cache, "b", "y").await,
        ("y".into(), Source::Loader, false)
    );
    let other = over(redis(server.url_at(proxy.port()))).build();
    assert_eq!(
        load(&other, "b", "never").await,
        ("y".into(), Source::L2, false)
    );
    assert_eq!(cache.stats().remote_errors + other.stats().remote_errors, 0);
}

#[tokio::test]
async fn the_first_call_after_a_thaw_with_dead_sockets_takes_less_than_a_second() {
    let server = RedisServer::start().await.expect("a server");
    let other = over(redis(server.url())).build();
    set(&other, "a", "new").await;
    let dead = Proxy::start(server.address()).await.expect("a proxy");
    let frozen = Instance::new();
    let through_dead = || redis(server.url_at(dead.port())).instance(&frozen);
    let thawed = over(through_dead()).instance(&frozen).build();
    assert_eq!(load(&thawed, "a", "never").await.0, "new");
    set(&other, "a", "newest").await;
    // The socket dies without a word, and new ones work: what a frozen instance finds.
    dead.strand_connections();
    frozen.mark_thawed();
    let start = Instant::now();
    assert_eq!(load(&thawed, "a", "never").await.0, "newest");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn behind_a_black_hole_there_is_this_process_and_the_loader() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let cache = over(redis(server.url_at(proxy.port()))).build();
    set(&cache, "a", "x").await;
    proxy.black_hole();
    pause(BOUND * 2).await;
    let start = Instant::now();
    assert_eq!(
        load(&cache, "a", "never").await,
        ("x".into(), Source::L1, true)
    );
    assert_eq!(load(&cache, "b", "loaded").await.0, "loaded");
    assert!(start.elapsed() < Duration::from_secs(3));
    proxy.pass();
    until_stored(|| redis(server.url()), &cache, "z", "x").await;
}

#[tokio::test]
async fn a_full_server_refuses_values_and_takes_invalidations() {
    let server = RedisServer::builder()
        .maxmemory(4 << 20)
        .config("maxmemory-policy noeviction")
        .start();
    let server = server.await.expect("a server");
    let cache = over(redis(server.url())).circuit(1000, BOUND).build();
    let other = over(redis(server.url())).circuit(1000, BOUND).build();
    set(&cache, "a", "old").await;
    assert_eq!(load(&other, "a", "never").await.0, "old");
    let large = "x".repeat(65_536);
    let mut fillers = 0..200;
    let full = loop {
        let Some(filler) = fillers.next() else {
            break false;
        };
        let key = format!("filler:{filler}");
        if server.cli(&["SET", &key, &large]).await.is_err() {
            break true;
        }
    };
    assert!(full);
    assert_eq!(load(&cache, "b", "loaded").await.0, "loaded");
    assert_eq!(load(&cache, "b", "never").await.0, "loaded");
    cache
        .remove(&NOTE, "a")
        .strict()
        .await
        .expect("room is not needed");
    pause(BOUND * 2).await;
    assert_eq!(load(&other, "a", "new").await.0, "new");
}

#[tokio::test]
async fn a_read_only_server_is_read() {
    let server = RedisServer::start().await.expect("a server");
    let replica = RedisServer::builder()
        .config(format!("replicaof 127.0.0.1 {}", server.port()))
        .start()
        .await
        .expect("a server");
    let writer = over(redis(server.url())).build();
    set(&writer, "a", "x").await;
    for _ in 0..200 {
        if replica.cli(&["DBSIZE"]).await.expect("an answer") != "0" {
            break;
        }
        pause(Duration::from_millis(20)).await;
    }
    pause(Duration::from_millis(50)).await;
    let cache = over(redis(replica.url())).build();
    assert_eq!(load(&cache, "a", "never").await.0, "x");
    assert_eq!(load(&cache, "b", "loaded").await.0, "loaded");
    assert_eq!(load(&cache, "b", "never").await.0, "loaded");
}

#[tokio::test]
async fn a_failover_loses_no_correctness() {
    let sentinels = RedisSentinels::start().await.expect("servers");
    let connect = || {
        let short = Duration::from_millis(20);
        Redis::builder()
            .sentinel(sentinels.urls(), sentinels.service())
            .command_timeout(Duration::from_millis(300))
            .backoff(short, short * 4)
    };
    let (cache, other) = (over(connect()).build(), over(connect()).build());
    set(&cache, "a", "old").await;
    assert_eq!(load(&other, "a", "never").await.0, "old");
    sentinels.failover().await.expect("a new primary");
    pause(BOUND).await;
    until_stored(connect, &cache, "b", "x").await;
    set(&cache, "a", "new").await;
    cache.flush().await;
    pause(BOUND * 2).await;
    assert_eq!(load(&other, "a", "never").await.0, "new");
}

#[tokio::test]
async fn a_cluster_that_is_resharded() {
    let cluster = RedisCluster::start().await.expect("servers");
    let connect = || {
        Redis::builder()
            .cluster(cluster.urls())
            .command_timeout(Duration::from_millis(500))
    };
    let (cache, other) = (over(connect()).build(), over(connect()).build());
    let keys: Vec<String> = (0..100).map(|key| format!("k{key}")).collect();
    for key in &keys {
        set(&cache, key, "old").await;
        assert_eq!(load(&other, key, "never").await.1, Source::L2);
    }
    for shard in 0..64 {
        let key = format!("{{faults:{shard}}}:log");
        let to = (cluster.node_of(&key).await.expect("a node") + 1) % cluster.nodes().len();
        if shard % 8 == 0 {
            cluster.move_slot_of(&key, to).await.expect("a moved slot");
        }
    }
    for key in &keys {
        set(&cache, key, "new").await;
    }
    let found = cache
        .get_many(&NOTE, keys.clone())
        .await
        .expect("never an error");
    assert_eq!(found.iter().flatten().count(), 100);
    pause(BOUND * 2).await;
    for key in &keys {
        assert_eq!(load(&other, key, "never").await.0, "new", "{key}");
    }
    cache.clear(&NOTE).await.expect("never an error");
    pause(BOUND * 2).await;
    assert_eq!(load(&other, "k1", "loaded").await.0, "loaded");
}

#[tokio::test]
async fn foreign_bytes_under_our_keys_are_misses() {
    let server = RedisServer::start().await.expect("a server");
    let cache = over(redis(server.url())).build();
    for (key, garbage) in [("a", ""), ("b", "garbage"), ("c", "\u{fc}\u{e5}\u{1}")] {
        let stored = format!("{{faults:0}}:v:note:{key}");
        server
            .cli(&["SET", &stored, garbage])
            .await
            .expect("an answer");
        assert_eq!(load(&cache, key, "loaded").await.0, "loaded");
        assert_eq!(
            load(&over(redis(server.url())).build(), key, "never")
                .await
                .0,
            "loaded"
        );
    }
    server
        .cli(&["DEL", "{faults:0}:v:note:d"])
        .await
        .expect("an answer");
    server
        .cli(&["LPUSH", "{faults:0}:v:note:d", "x"])
        .await
        .expect("an answer");
    assert_eq!(load(&cache, "d", "loaded").await.0, "loaded");
    assert!(cache.stats().invalid >= 3);
}

#[tokio::test]
async fn times_may_be_as_long_or_as_short_as_they_can_be() {
    let server = RedisServer::start().await.expect("a server");
    let (cache, other) = (
        over(redis(server.url())).build(),
        over(redis(server.url())).build(),
    );
    for (key, time, kept) in [("a", Duration::MAX, true), ("b", Duration::ZERO, false)] {
        let set = cache.set(&NOTE, key, "x".to_owned()).ttl(time);
        set.strict().await.expect("it is taken");
        assert_eq!(
            other.contains(&NOTE, key).await.expect("never an error"),
            kept
        );
        cache.remove(&NOTE, key).await.expect("never an error");
        pause(BOUND * 2).await;
        let got = other.get(&NOTE, key).ttl(time).lease(Duration::MAX);
        let got = got
            .or_load(|_| async { Ok("y".to_owned()) })
            .await
            .expect("never an error");
        assert_eq!(&**got, "y");
    }
    assert_eq!(cache.stats().remote_errors + other.stats().remote_errors, 0);
}
