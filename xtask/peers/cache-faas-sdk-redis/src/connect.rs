//! The cache before a server.

use cache_loop::Error;
use faas_sdk_cache::Cache;
use faas_sdk_cache::store::RedisStore;
use faas_sdk_redis::{Redis, RedisConfig, Topology};
use std::time::Duration;

/// Longer than any neighbour on the machine may keep a command from being answered.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn redis(url: &str) -> Result<Redis, Error> {
    let mut config = RedisConfig::default();
    config.topology = Topology::single(url);
    config.command_timeout = PATIENCE;
    Ok(Redis::new(config)?)
}

/// Its namespace is the same in all processes.
pub(crate) fn cache(redis: Redis) -> Result<Cache, Error> {
    let store = RedisStore::new(redis, "bench")?.timeout(PATIENCE);
    Ok(Cache::builder()
        .store(store)
        .remote_timeout(PATIENCE)
        .build())
}
