//! Private servers, and what is told them past the store.

use faas_sdk_redis::Redis;
use faas_sdk_test_servers::{RedisCluster, RedisServer};

/// A server with these lines in its configuration.
pub(super) async fn start(lines: &[&str]) -> RedisServer {
    let mut builder = RedisServer::builder();
    for line in lines {
        builder = builder.config(*line);
    }
    builder.start().await.expect("a server")
}

pub(super) fn connect(server: &RedisServer) -> Redis {
    let redis = Redis::builder().url(server.url()).build();
    redis.expect("valid settings")
}

pub(super) fn connect_cluster(cluster: &RedisCluster) -> Redis {
    let redis = Redis::builder().cluster(cluster.urls()).build();
    redis.expect("valid settings")
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
