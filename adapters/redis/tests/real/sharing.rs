//! One link for many tasks.

use super::ask::{SECOND, built, command, get, ms, set};
use faas_sdk_redis::redis::Value;
use faas_sdk_redis::{Redis, Retry};
use faas_sdk_test_servers::{Proxy, RedisServer};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_users_open_one_connection() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let redis = built(Redis::builder().url(server.url_at(proxy.port())));
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let redis = redis.clone();
            tokio::spawn(async move {
                let ping = command(&["ECHO", &number.to_string()]);
                let echo = redis.query(&ping, Retry::Never, SECOND).await;
                assert_eq!(
                    echo.expect("it answers"),
                    Value::BulkString(number.to_string().into())
                );
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it ends well");
    }
    assert_eq!((redis.status().opened, proxy.accepted()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_links_are_used_in_turn() {
    let server = RedisServer::start().await.expect("a server");
    let redis = built(Redis::builder().url(server.url()).links(3));
    for _ in 0..9 {
        get(&redis, "key").await.expect("it answers");
    }
    assert_eq!(redis.status().opened, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_calls_harm_nobody() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let redis = built(Redis::builder().url(server.url_at(proxy.port())));
    // The first one begins to connect and goes away.
    let echo = command(&["ECHO", "x"]);
    let first = tokio::time::timeout(Duration::ZERO, redis.query(&echo, Retry::Never, SECOND));
    assert!(first.await.is_err());
    set(&redis, "key", "value").await;
    proxy.delay(ms(1));
    let mut random: u64 = 1;
    let mut tasks = Vec::new();
    for number in 0..500_u64 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let patience = Duration::from_micros((random >> 33) % 2500);
        let redis = redis.clone();
        tasks.push(tokio::spawn(async move {
            let echo = command(&["ECHO", &number.to_string()]);
            let call = redis.query(&echo, Retry::Once, SECOND);
            if let Ok(echo) = tokio::time::timeout(patience, call).await {
                let expected = Value::BulkString(number.to_string().into());
                assert_eq!(
                    echo.expect("it answers"),
                    expected,
                    "answers are not mixed up"
                );
            }
        }));
        if number % 50 == 0 {
            tokio::time::sleep(ms(1)).await;
        }
    }
    for task in tasks {
        task.await.expect("it ends well");
    }
    assert_eq!(
        get(&redis, "key").await.expect("it answers").as_deref(),
        Some("value")
    );
    assert_eq!((redis.status().opened, redis.status().replaced), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_idle_links_are_noticed_before_a_command_that_must_not_be_repeated() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let redis = built(Redis::builder().url(server.url_at(proxy.port())));
    set(&redis, "key", "value").await;
    tokio::time::sleep(ms(2100)).await;
    proxy.drop_connections().await;
    set(&redis, "key", "other").await;
    assert_eq!((redis.status().opened, redis.status().replaced), (2, 1));
}
