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

pub(super) async fn connect(server: &RedisServer) -> Redis {
    Redis::open(&server.url()).await
}

pub(super) async fn connect_cluster(cluster: &RedisCluster) -> Redis {
    Redis::cluster(cluster.urls()).await
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
