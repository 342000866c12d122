//! Private servers, and what is told them past the store.

use faas_sdk_cache::store::RedisStore;
use faas_sdk_redis::Redis;
use faas_sdk_test_servers::{RedisCluster, RedisServer};
use std::time::Duration;

/// A server with these lines in its configuration.
pub(super) async fn start(lines: &[&str]) -> RedisServer {
    let mut builder = RedisServer::builder();
    for line in lines {
        builder = builder.config(*line);
    }
    builder.start().await.expect("a server")
}

/// Long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn connect(url: String) -> Redis {
    let redis = Redis::builder().url(url).command_timeout(PATIENCE);
    redis.build().expect("valid settings")
}

pub(super) fn connect_cluster(cluster: &RedisCluster) -> Redis {
    let redis = Redis::builder().cluster(cluster.urls());
    redis
        .command_timeout(PATIENCE)
        .build()
        .expect("valid settings")
}

/// A store in the namespace `ns`.
pub(super) fn open(server: &RedisServer) -> RedisStore {
    open_at(server.url())
}

pub(super) fn open_at(url: String) -> RedisStore {
    let store = RedisStore::new(connect(url), "ns").expect("valid");
    store.timeout(PATIENCE)
}

/// What the server answers to a command.
pub(super) async fn cli(server: &RedisServer, command: &[&str]) -> String {
    server.cli(command).await.expect("the command succeeds")
}

pub(super) async fn keys(server: &RedisServer, pattern: &str) -> Vec<String> {
    let keys = cli(server, &["KEYS", pattern]).await;
    keys.lines()
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
        .collect()
}
