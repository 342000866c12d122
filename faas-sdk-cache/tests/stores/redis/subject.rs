//! The suite.

use super::servers::{cli, connect, connect_cluster, keys, start};
use super::write;
use async_trait::async_trait;
use faas_sdk_cache::store::suite::{self, Subject};
use faas_sdk_cache::store::{CacheStore, Read, RedisStore};
use faas_sdk_redis::Redis;
use faas_sdk_test_servers::{RedisCluster, RedisServer};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

struct Tested<'a> {
    redis: Redis,
    nodes: &'a [RedisServer],
    opened: AtomicUsize,
}

#[async_trait]
impl Subject for Tested<'_> {
    async fn open(&self) -> Arc<dyn CacheStore> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let store = RedisStore::new(self.redis.clone(), &format!("suite:{number}"));
        Arc::new(store.expect("a valid namespace"))
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn flush(&self) {
        for node in self.nodes {
            cli(node, &["FLUSHALL"]).await;
            cli(node, &["SCRIPT", "FLUSH"]).await;
        }
    }

    async fn trim_logs(&self) {
        for node in self.nodes {
            for log in keys(node, "*:log").await {
                cli(node, &["XTRIM", &log, "MAXLEN", "0"]).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server_behaves() {
    let server = start(&[]).await;
    let redis = connect(server.url());
    let tested = Tested {
        redis,
        nodes: std::slice::from_ref(&server),
        opened: AtomicUsize::new(0),
    };
    assert_eq!(tested.open().await.shards(), 1);
    suite::run(&tested).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_behaves() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let redis = connect_cluster(&cluster);
    let tested = Tested {
        redis,
        nodes: cluster.nodes(),
        opened: AtomicUsize::new(0),
    };
    assert_eq!(tested.open().await.shards(), 64);
    suite::run(&tested).await;
}

#[tokio::test]
async fn shards_are_spread_over_a_cluster() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let redis = connect_cluster(&cluster);
    let store = RedisStore::new(redis, "ns").expect("valid");
    for shard in 0..store.shards() {
        let key = shard.to_le_bytes();
        store
            .write(shard, &[write(&key, "value")])
            .await
            .expect("it answers");
        let read = Read {
            shard,
            keys: &[&key, b"other"],
            log: Some(None),
            tag_log: Some(None),
            names: &["tag"],
            ..Read::default()
        };
        let answer = store.read(read).await.expect("it answers");
        assert!(matches!(answer.values[..], [Some(_), None]));
    }
    for node in cluster.nodes() {
        let values = keys(node, "{ns:*}:v:*").await.len();
        assert!(values >= 8, "{values} of 64 are on one of three nodes");
    }
}
