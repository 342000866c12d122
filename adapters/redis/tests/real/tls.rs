use super::ask::{ask, built, get, set};
use faas_sdk_redis::{ErrorKind, Redis, Retry};
use faas_sdk_test_servers::RedisServer;

#[tokio::test]
async fn certificates_are_checked() {
    let server = RedisServer::builder()
        .tls()
        .password("hunter2")
        .start()
        .await;
    let server = server.expect("a server");
    let other = RedisServer::builder()
        .tls()
        .start()
        .await
        .expect("another server");
    let ca = server.ca_pem().expect("it has an authority");
    let redis = built(Redis::builder().url(server.url()).tls_ca(ca));
    set(&redis, "key", "value").await;
    assert_eq!(
        get(&redis, "key").await.expect("it answers").as_deref(),
        Some("value")
    );

    let wrong = Redis::builder()
        .url(server.url())
        .tls_ca(other.ca_pem().expect("another"));
    for untrusting in [wrong, Redis::builder().url(server.url())] {
        let redis = built(untrusting);
        let error = ask(&redis, &["PING"], Retry::Once)
            .await
            .expect_err("not trusted");
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        assert!(error.to_string().contains("`tls_ca`"), "{error}");
        assert!(!format!("{error:?} {redis:?}").contains("hunter2"));
    }
    let plain = built(Redis::builder().url(server.url().replace("rediss", "redis")));
    assert!(ask(&plain, &["PING"], Retry::Once).await.is_err());
}
