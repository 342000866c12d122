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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let refused = |change: fn(&mut RedisConfig), name: &str| {
            let mut config = RedisConfig::default();
            change(&mut config);
            let error = check(&config).expect_err(name);
            assert!(error.to_string().contains(name), "{error}");
        };
        assert!(check(&RedisConfig::default()).is_ok());
        refused(|config| config.links = 0, "`links`");
        refused(|config| config.links = 5, "`links`");
        refused(|config| config.pool_size = 0, "`pool_size`");
        refused(
            |config| config.connect_timeout = Duration::ZERO,
            "`connect_timeout`",
        );
        refused(
            |config| config.command_timeout = Duration::MAX,
            "`command_timeout`",
        );
        refused(
            |config| config.backoff_limit = Duration::MAX,
            "`backoff_limit`",
        );
        refused(
            |config| config.backoff = Duration::from_secs(3),
            "`backoff`",
        );
    }
}
