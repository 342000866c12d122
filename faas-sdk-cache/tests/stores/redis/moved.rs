//! A shard that moves to another node of a cluster.

use super::servers::{cli, connect_cluster};
use super::write;
use faas_sdk_cache::store::{CacheStore, Invalidation, LogAnswer, Read, RedisStore, Version};
use faas_sdk_cache::store::{Change, StoreError};
use faas_sdk_test_servers::RedisCluster;
use std::time::Duration;
use tokio::time::timeout;

const SHARD: u16 = 5;
const KEYS: [&[u8]; 3] = [b"a", b"b", b"c"];

async fn read(
    store: &RedisStore,
    after: Option<Version>,
) -> Result<(LogAnswer<Change>, Vec<Option<Version>>), StoreError> {
    let read = Read {
        shard: SHARD,
        keys: &KEYS,
        log: Some(after),
        tag_log: Some(None),
        names: &["tag"],
        log_limit: 1_000,
    };
    let answer = store.read(read).await?;
    let version = |value: &[u8]| u64::from_le_bytes(value[4..12].try_into().expect("eight bytes"));
    let versions = answer
        .values
        .iter()
        .map(|value| value.as_deref().map(version))
        .collect();
    Ok((answer.log.expect("asked for"), versions))
}

/// While it moves, calls may fail. Those that succeed tell the truth, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_moves_forgets_nothing() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let store = RedisStore::new(connect_cluster(&cluster), "ns").expect("valid");
    let (log, _) = read(&store, None).await.expect("it answers");
    let start = log.position;
    let mut changed: Vec<Version> = Vec::new();

    let change = async |changed: &mut Vec<Version>| {
        let patience = Duration::from_millis(100);
        for key in KEYS {
            let (writes, keys) = ([write(key, "value")], [key]);
            let written = store.write(SHARD, &writes);
            if let Ok(Ok(versions)) = timeout(patience, written).await {
                changed.extend(versions.iter().flatten());
            }
            let removed = store.invalidate(SHARD, &keys, Invalidation::Remove);
            if let Ok(Ok(version)) = timeout(patience, removed).await {
                changed.push(version);
            }
        }
        if let Ok(Ok((log, _))) = timeout(patience, read(&store, Some(start))).await {
            let logged: Vec<Version> = log.entries.iter().map(|change| change.version).collect();
            assert!(!log.gap && changed.iter().all(|version| logged.contains(version)));
        }
    };

    let from = cluster.node_of("{ns:5}:log").await.expect("a node has it");
    let to = (from + 1) % 3;
    change(&mut changed).await;
    assert_eq!(changed.len(), 6);
    let moving = cluster
        .begin_move_of("{ns:5}:log", to)
        .await
        .expect("it begins");
    change(&mut changed).await;
    // The log goes ahead of the rest, and then the counter.
    let port = cluster.nodes()[to].port().to_string();
    for key in ["{ns:5}:log", "{ns:5}:ver"] {
        let migrate = ["MIGRATE", "127.0.0.1", &port, key, "0", "5000"];
        cli(&cluster.nodes()[from], &migrate).await;
        change(&mut changed).await;
    }
    moving.move_keys().await.expect("they move");
    change(&mut changed).await;
    moving.finish().await.expect("it ends");
    let before = changed.len();
    change(&mut changed).await;
    assert_eq!(changed.len() - before, 6);
    assert!(changed.is_sorted_by(|a, b| a < b), "{changed:?}");
    let (log, values) = read(&store, Some(start)).await.expect("it answers");
    let logged: Vec<Version> = log.entries.iter().map(|change| change.version).collect();
    assert!(!log.gap && changed.iter().all(|version| logged.contains(version)));
    assert_eq!(values, [None; 3]);
}
