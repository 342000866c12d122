//! Settings that cannot be used are found before anything connects.

use crate::config::RedisConfig;
use crate::error::Error;
use std::time::Duration;

const LINKS: std::ops::RangeInclusive<usize> = 1..=4;
const POOL: std::ops::RangeInclusive<usize> = 1..=1024;
const TIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(3600);

pub(crate) fn check(config: &RedisConfig) -> Result<(), Error> {
    if !LINKS.contains(&config.links) {
        return Err(Error::config("`links` has to be 1 to 4"));
    }
    if !POOL.contains(&config.pool_size) {
        return Err(Error::config("`pool_size` has to be 1 to 1024"));
    }
    for (name, time) in [
        ("connect_timeout", config.connect_timeout),
        ("command_timeout", config.command_timeout),
        ("backoff_limit", config.backoff_limit),
    ] {
        if !TIMES.contains(&time) {
            return Err(Error::config(format!("`{name}` has to be 1 ms to 1 hour")));
        }
    }
    if config.backoff > config.backoff_limit {
        return Err(Error::config("`backoff` has to be at most `backoff_limit`"));
    }
    Ok(())
}
