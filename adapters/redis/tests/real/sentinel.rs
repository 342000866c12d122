use super::ask::{built, get, ms, set, until_answered};
use faas_sdk_redis::redis::Value;
use faas_sdk_redis::{ErrorKind, Redis};
use faas_sdk_test_servers::RedisSentinels;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_primary_is_found_after_a_failover() {
    let sentinels = RedisSentinels::start().await.expect("sentinels");
    let redis = built(Redis::builder().sentinel(sentinels.urls(), sentinels.service()));
    set(&redis, "key", "value").await;
    let unknown = built(Redis::builder().sentinel(sentinels.urls(), "nobody"));
    let error = get(&unknown, "key").await.expect_err("nobody is known");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("`service`"), "{error}");

    let before = redis.status().opened;
    sentinels.failover().await.expect("a failover");
    let written = until_answered(&redis, &["SET", "key", "new"], ms(4000)).await;
    assert_eq!(written, Value::Okay);
    assert!(redis.status().opened > before && redis.status().replaced > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_primary_is_left() {
    let sentinels = RedisSentinels::start().await.expect("sentinels");
    let redis = built(Redis::builder().sentinel(sentinels.urls(), sentinels.service()));
    set(&redis, "key", "value").await;
    let sentinel = &sentinels.urls()[0];
    let asked = built(Redis::builder().url(sentinel.clone()));
    let words = ["SENTINEL", "FAILOVER", sentinels.service()];
    assert_eq!(until_answered(&asked, &words, ms(4000)).await, Value::Okay);
    let old = sentinels.servers()[0].port();
    let started = std::time::Instant::now();
    while sentinels
        .primary_port()
        .await
        .ok()
        .is_none_or(|port| port == old)
    {
        assert!(started.elapsed() < ms(15_000), "no failover");
        tokio::time::sleep(ms(50)).await;
    }
    // The link to the old one still works, and says READONLY once it follows the new one.
    loop {
        let written = until_answered(&redis, &["SET", "key", "new"], ms(4000)).await;
        assert_eq!(written, Value::Okay);
        let primary = sentinels.primary().await.expect("they agree");
        if primary.cli(&["GET", "key"]).await.expect("it answers") == "new" {
            break;
        }
        assert!(
            started.elapsed() < ms(15_000),
            "it still writes to the old one"
        );
        tokio::time::sleep(ms(50)).await;
    }
}
