//! Servers that die, stop or cannot be reached.

use super::ask::{SECOND, ask, built, get, ms, set, until_answered};
use faas_sdk_redis::redis::Value;
use faas_sdk_redis::{ErrorKind, Redis, Retry};
use faas_sdk_test_servers::{Proxy, RedisServer};
use std::time::Instant;

#[tokio::test]
async fn a_killed_server_is_found_again() {
    let server = RedisServer::start().await.expect("a server");
    let builder = Redis::builder().url(server.url()).backoff(ms(50), ms(200));
    let redis = built(builder);
    set(&redis, "key", "value").await;
    server.kill().expect("it dies");
    let error = get(&redis, "key").await.expect_err("it is dead");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let failures = redis.status().failures;
    let started = Instant::now();
    let error = get(&redis, "key").await.expect_err("it is dead");
    assert!(started.elapsed() < ms(20), "it fails at once");
    assert!(error.to_string().contains("not tried again"), "{error}");
    assert_eq!(redis.status().failures, failures);
    server.restart_empty().await.expect("it starts");
    let value = until_answered(&redis, &["GET", "key"], SECOND).await;
    assert_eq!(value, Value::Nil);
    // A restart that nobody noticed costs a repetition at most.
    server.restart_empty().await.expect("it starts");
    assert_eq!(get(&redis, "key").await.expect("it answers"), None);
}

#[tokio::test]
async fn a_paused_server_delays_nobody_longer_than_allowed() {
    let server = RedisServer::start().await.expect("a server");
    let redis = built(Redis::builder().url(server.url()).command_timeout(ms(300)));
    set(&redis, "key", "value").await;
    server.pause().expect("it stops");
    let get_key = super::ask::command(&["GET", "key"]);
    for (within, limit) in [(ms(60), ms(60)), (ms(200), ms(200)), (SECOND, SECOND)] {
        for retry in [Retry::Never, Retry::Once] {
            let started = Instant::now();
            let error = redis
                .query(&get_key, retry, within)
                .await
                .expect_err("no answer");
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(
                started.elapsed() < limit + ms(60),
                "{:?}",
                started.elapsed()
            );
        }
    }
    server.resume().expect("it goes on");
    let value = until_answered(&redis, &["GET", "key"], SECOND).await;
    assert_eq!(value, Value::BulkString(b"value".into()));
}

#[tokio::test]
async fn short_waits_do_not_make_a_slow_server_slower() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let redis = built(Redis::builder().url(server.url_at(proxy.port())));
    set(&redis, "key", "value").await;
    proxy.delay(ms(20));
    let get_key = super::ask::command(&["GET", "key"]);
    for _ in 0..4 {
        assert!(redis.query(&get_key, Retry::Never, ms(5)).await.is_err());
        assert!(get(&redis, "key").await.is_ok());
    }
    assert_eq!(redis.status().replaced, 0);
    proxy.black_hole();
    for _ in 0..11 {
        assert!(redis.query(&get_key, Retry::Never, ms(5)).await.is_err());
    }
    assert_eq!(
        redis.status().replaced,
        1,
        "but a dead link is left in the end"
    );
}

#[tokio::test]
async fn a_silent_link_is_repeated_over_a_fresh_one() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let redis = built(Redis::builder().url(server.url_at(proxy.port())));
    set(&redis, "key", "value").await;
    proxy.black_hole();
    let question = tokio::spawn({
        let redis = redis.clone();
        async move { get(&redis, "key").await }
    });
    tokio::time::sleep(ms(100)).await;
    proxy.drop_connections().await;
    proxy.pass();
    assert!(
        question
            .await
            .expect("it ends")
            .expect("it answers")
            .is_some()
    );
    let error = ask(&redis, &["SET", "key"], Retry::Once).await;
    assert_eq!(error.expect_err("no value").code(), Some("ERR"));
    assert_eq!((redis.status().opened, redis.status().replaced), (2, 1));
}
