use super::ask::{SECOND, built, ms};
use faas_sdk_redis::redis::Value;
use faas_sdk_redis::{Redis, Retry, Script};
use faas_sdk_test_servers::RedisServer;

#[tokio::test]
async fn scripts_survive_a_flush() {
    let server = RedisServer::start().await.expect("a server");
    let redis = built(Redis::builder().url(server.url()));
    let script = Script::new("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}");
    for number in 1..=4 {
        let value = redis
            .script(&script, &["key"], &[b"\x00\xFF"], Retry::Never, SECOND)
            .await;
        let words = [b"key".to_vec(), b"\x00\xFF".to_vec()].map(Value::BulkString);
        let expected = [&words[..], &[Value::Int(number)]].concat();
        assert_eq!(value.expect("it runs"), Value::Array(expected));
        if number == 2 {
            server.cli(&["SCRIPT", "FLUSH"]).await.expect("it flushes");
        }
    }
    let failing = Script::new("return redis.error_reply('OOM no')");
    let error = redis
        .script::<&str, &str>(&failing, &[], &[], Retry::Once, ms(500))
        .await;
    assert_eq!(error.expect_err("it fails").code(), Some("OOM"));
}
