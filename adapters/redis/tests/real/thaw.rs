use super::ask::{built, get, ms, set};
use faas_sdk_redis::{Redis, Retry};
use faas_sdk_scope::Instance;
use faas_sdk_test_servers::{Proxy, RedisServer};
use std::time::Instant;

#[tokio::test]
async fn the_first_command_after_a_thaw_goes_over_a_new_link() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let instance = Instance::new();
    let builder = Redis::builder()
        .url(server.url_at(proxy.port()))
        .instance(&instance);
    let redis = built(builder);
    set(&redis, "key", "value").await;
    proxy.hold_replies();
    let lost = tokio::spawn({
        let redis = redis.clone();
        async move { super::ask::ask(&redis, &["GET", "key"], Retry::Never).await }
    });
    tokio::time::sleep(ms(50)).await;
    // Only what the old link answers is held; the new one is let through.
    instance.mark_thawed();
    let direct = tokio::spawn({
        let redis = redis.clone();
        async move { get(&redis, "key").await }
    });
    tokio::time::sleep(ms(20)).await;
    assert_eq!(proxy.accepted(), 2, "a new connection is made at once");
    let started = Instant::now();
    proxy.release();
    assert!(
        direct
            .await
            .expect("it ends")
            .expect("it answers")
            .is_some()
    );
    assert!(started.elapsed() < ms(500));
    assert!(
        lost.await.expect("it ends").is_ok(),
        "the old answer is still taken"
    );
    assert_eq!((redis.status().opened, redis.status().replaced), (2, 1));
    tokio::time::sleep(ms(50)).await;
    assert_eq!(proxy.connections(), 1, "the old link is closed");
}

#[tokio::test]
async fn a_black_hole_ends_with_the_thaw() {
    let server = RedisServer::start().await.expect("a server");
    let proxy = Proxy::start(server.address()).await.expect("a proxy");
    let instance = Instance::new();
    let builder = Redis::builder()
        .url(server.url_at(proxy.port()))
        .instance(&instance);
    let redis = built(builder);
    set(&redis, "key", "value").await;
    proxy.black_hole();
    assert!(get(&redis, "key").await.is_err());
    tokio::time::sleep(ms(600)).await;
    assert!(get(&redis, "key").await.is_err());
    assert!(
        redis.status().failures > 0,
        "connecting failed, and is not tried for a while"
    );
    proxy.drop_connections().await;
    proxy.pass();
    instance.mark_thawed();
    let started = Instant::now();
    assert!(get(&redis, "key").await.expect("it answers").is_some());
    assert!(started.elapsed() < ms(200), "{:?}", started.elapsed());
}
