//! What tests ask.

use faas_sdk_redis::redis::{Cmd, Value, cmd};
use faas_sdk_redis::{Error, Redis, RedisBuilder, Retry};
use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

pub(super) fn built(builder: RedisBuilder) -> Redis {
    builder.build().expect("valid settings")
}

pub(super) fn command(words: &[&str]) -> Cmd {
    let mut command = cmd(words[0]);
    for word in &words[1..] {
        command.arg(*word);
    }
    command
}

pub(super) async fn ask(redis: &Redis, words: &[&str], retry: Retry) -> Result<Value, Error> {
    redis.query(&command(words), retry, SECOND).await
}

pub(super) async fn set(redis: &Redis, key: &str, value: &str) {
    let reply = ask(redis, &["SET", key, value], Retry::Never).await;
    assert_eq!(reply.expect("it is set"), Value::Okay);
}

pub(super) async fn get(redis: &Redis, key: &str) -> Result<Option<String>, Error> {
    Ok(match ask(redis, &["GET", key], Retry::Once).await? {
        Value::BulkString(bytes) => Some(String::from_utf8(bytes).expect("a text")),
        _ => None,
    })
}

/// Repeats a question until it is answered.
pub(super) async fn until_answered(redis: &Redis, words: &[&str], limit: Duration) -> Value {
    let started = std::time::Instant::now();
    loop {
        match ask(redis, words, Retry::Once).await {
            Ok(value) => return value,
            Err(error) => assert!(started.elapsed() < limit, "still {error:?}"),
        }
        tokio::time::sleep(ms(20)).await;
    }
}
