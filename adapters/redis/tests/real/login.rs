//! Users, passwords, databases, and a plain server.

use super::ask::{ask, built, get, set};
use faas_sdk_redis::redis::{Pipeline, Value};
use faas_sdk_redis::{ErrorKind, Redis, Retry};
use faas_sdk_test_servers::RedisServer;
use std::time::Duration;

#[tokio::test]
async fn a_single_server_answers() {
    let server = RedisServer::start().await.expect("a server");
    let redis = built(Redis::builder().url(server.url()));
    assert!(!redis.is_cluster());
    assert_eq!(redis.status().opened, 0, "nothing is connected yet");
    assert_eq!(get(&redis, "key").await.expect("it answers"), None);
    set(&redis, "key", "value").await;
    let mut pipeline = Pipeline::new();
    pipeline.cmd("SET").arg("other").arg(1).ignore();
    pipeline.cmd("MGET").arg("key").arg("other");
    pipeline.cmd("INCR").arg("other");
    let replies = redis.pipeline(&pipeline, Retry::Never, Duration::from_secs(1));
    let text = |text: &str| Value::BulkString(text.into());
    assert_eq!(
        replies.await.expect("it answers"),
        [Value::Array(vec![text("value"), text("1")]), Value::Int(2)]
    );
    let error = ask(&redis, &["LPUSH", "key", "x"], Retry::Once).await;
    let error = error.expect_err("not a list");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Refused, Some("WRONGTYPE"))
    );
    let mut pipeline = Pipeline::new();
    pipeline
        .cmd("GET")
        .arg("key")
        .cmd("LPUSH")
        .arg("key")
        .arg("x");
    let error = redis
        .pipeline(&pipeline, Retry::Once, Duration::from_secs(1))
        .await;
    assert_eq!(error.expect_err("not a list").code(), Some("WRONGTYPE"));
    let status = redis.status();
    assert_eq!((status.opened, status.replaced, status.failures), (1, 0, 0));
}

#[tokio::test]
async fn users_have_rights_and_wrong_passwords_are_not_told() {
    let server = RedisServer::builder()
        .config("user shop on >hunter2 ~shop:* +get +set +ping")
        .start()
        .await
        .expect("a server");
    let redis = built(
        Redis::builder()
            .url(server.url())
            .username("shop")
            .password("hunter2"),
    );
    set(&redis, "shop:key", "value").await;
    let error = get(&redis, "other").await.expect_err("not allowed");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Refused, Some("NOPERM"))
    );

    let by_url = format!("redis://shop:hunter2@127.0.0.1:{}", server.port());
    let redis = built(Redis::builder().url(by_url));
    assert_eq!(
        get(&redis, "shop:key").await.expect("allowed").as_deref(),
        Some("value")
    );
    let redis = built(
        Redis::builder()
            .url(server.url())
            .username("shop")
            .password("swordfish"),
    );
    let error = get(&redis, "shop:key").await.expect_err("a wrong password");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Refused, Some("WRONGPASS"))
    );
    let again = get(&redis, "shop:key")
        .await
        .expect_err("it is not tried again at once");
    for text in [
        format!("{error} {error:?}"),
        format!("{again} {again:?}"),
        format!("{redis:?}"),
    ] {
        assert!(!text.contains("swordfish"), "{text}");
    }
    assert!(error.to_string().contains("`password`"), "{error}");
    assert!(again.to_string().contains("not tried again"), "{again}");
    assert_eq!(redis.status().failures, 1);
}

#[tokio::test]
async fn databases_are_apart() {
    let server = RedisServer::start().await.expect("a server");
    let first = built(Redis::builder().url(format!("{}/1", server.url())));
    let second = built(
        Redis::builder()
            .url(format!("{}/1", server.url()))
            .database(2),
    );
    set(&first, "key", "first").await;
    set(&second, "key", "second").await;
    for (number, value) in [("1", "first"), ("2", "second")] {
        let told = server.cli(&["-n", number, "GET", "key"]).await;
        assert_eq!(told.expect("it answers"), value);
    }
    let none = built(Redis::builder().url(server.url()).database(99));
    let error = get(&none, "key").await.expect_err("there are 16");
    assert!(error.to_string().contains("`database`"), "{error}");
}
