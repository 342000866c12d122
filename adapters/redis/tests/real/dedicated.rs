use super::ask::{SECOND, built, command, ms, set};
use faas_sdk_redis::redis::{Pipeline, Value};
use faas_sdk_redis::{ErrorKind, Redis};
use faas_sdk_scope::Instance;
use faas_sdk_test_servers::RedisServer;
use std::time::Instant;

#[tokio::test]
async fn dedicated_connections_are_bounded_and_used_again() {
    let server = RedisServer::start().await.expect("a server");
    let redis = built(Redis::builder().url(server.url()).pool_size(2));
    let mut first = redis.dedicated(SECOND).await.expect("one");
    let second = redis.dedicated(SECOND).await.expect("two");
    set(&redis, "key", "commands need none of them").await;
    let error = redis.dedicated(ms(100)).await.expect_err("no third one");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("`pool_size`"), "{error}");

    // Longer than a command may take.
    let started = Instant::now();
    let nothing = first
        .query(&command(&["BLPOP", "list", "0.7"]), SECOND * 2)
        .await;
    assert_eq!(nothing.expect("it answers"), Value::Nil);
    assert!(started.elapsed() >= ms(700));
    let mut pipeline = Pipeline::new();
    pipeline.cmd("PING").cmd("ECHO").arg("x");
    let replies = first.pipeline(&pipeline, SECOND).await.expect("it answers");
    assert_eq!(replies.len(), 2);
    drop((first, second));
    let _again = redis.dedicated(SECOND).await.expect("one that is free");
    assert_eq!(redis.status().opened, 3, "a link and two dedicated ones");
}

#[tokio::test]
async fn an_unanswered_one_is_not_used_again() {
    let server = RedisServer::start().await.expect("a server");
    let instance = Instance::new();
    let builder = Redis::builder().url(server.url()).instance(&instance);
    let redis = built(builder.pool_size(1));
    let mut dedicated = redis.dedicated(SECOND).await.expect("one");
    let late = dedicated
        .query(&command(&["BLPOP", "list", "0"]), ms(50))
        .await;
    assert_eq!(late.expect_err("it blocks").kind(), ErrorKind::Unavailable);
    assert!(dedicated.query(&command(&["PING"]), SECOND).await.is_err());
    drop(dedicated);
    let mut dedicated = redis.dedicated(SECOND).await.expect("another");
    assert!(dedicated.query(&command(&["PING"]), SECOND).await.is_ok());
    assert_eq!(redis.status().opened, 2);

    // One who waits is given a new one after a thaw, and the old one is of no use.
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.dedicated(SECOND).await.map(drop) }
    });
    tokio::time::sleep(ms(50)).await;
    instance.mark_thawed();
    let mut new = redis.dedicated(SECOND).await.expect("a new one");
    assert!(new.query(&command(&["PING"]), SECOND).await.is_ok());
    assert!(dedicated.query(&command(&["PING"]), SECOND).await.is_err());
    drop(new);
    waiting.await.expect("it ends").expect("it is given one");
    assert_eq!(redis.status().opened, 3);
}
