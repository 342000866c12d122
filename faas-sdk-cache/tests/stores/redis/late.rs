//! What arrives after its caller has given up, and servers that do not answer in time.

use super::servers::{cli, open, open_at, start};
use super::{HOUR, write};
use faas_sdk_cache::store::{
    CacheStore, Invalidation, Lease, LeaseRequest, Read, RedisStore, StoreError, Token,
};
use faas_sdk_test_servers::{Proxy, RedisServer};
use std::time::Duration;

const BRIEF: Duration = Duration::from_millis(100);

/// How many scripts the server has been asked for.
async fn scripts(server: &RedisServer) -> u64 {
    let stats = cli(server, &["INFO", "commandstats"]).await;
    let calls = stats.lines().filter_map(|line| {
        let calls = line.strip_prefix("cmdstat_evalsha:calls=")?;
        calls.split(',').next()?.parse::<u64>().ok()
    });
    calls.sum()
}

/// Two stores of the same data; one of them has a proxy in between.
struct Apart {
    server: RedisServer,
    proxy: Proxy,
    far: RedisStore,
    near: RedisStore,
}

impl Apart {
    async fn start() -> Self {
        let server = start(&[]).await;
        let proxy = Proxy::start(server.address()).await.expect("a proxy");
        let far = open_at(server.url_at(proxy.port())).timeout(BRIEF);
        let near = open(&server);
        // The far store learns the time, and the server the scripts.
        far.write(0, &[write(b"other", "value")])
            .await
            .expect("it answers");
        far.lease(0, &[lease(b"other", 1)])
            .await
            .expect("it answers");
        Self {
            server,
            proxy,
            far,
            near,
        }
    }

    /// Lets through what was kept back, and waits until the server has seen so many more scripts.
    async fn deliver(&self, before: u64) {
        self.proxy.pass();
        while scripts(&self.server).await <= before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn lease(key: &[u8], token: u8) -> LeaseRequest<'_> {
    LeaseRequest {
        key,
        token: Token([token; 16]),
        ttl: HOUR,
        rejected: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_was_given_up_is_void() {
    let apart = Apart::start().await;
    apart.proxy.black_hole();
    let lost = apart.far.write(0, &[write(b"key", "old")]).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    let written = apart
        .near
        .write(0, &[write(b"key", "new")])
        .await
        .expect("it answers");
    apart.deliver(scripts(&apart.server).await).await;

    let read = Read {
        keys: &[b"key"],
        ..Read::default()
    };
    let found = apart
        .near
        .read(read)
        .await
        .expect("it answers")
        .values
        .remove(0);
    let found = found.expect("it was written");
    assert_eq!(&found[28..], b"new");
    assert_eq!(
        Some(found[4..12].to_vec()),
        written[0].map(|version| version.to_le_bytes().to_vec())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_was_given_up_is_void() {
    let apart = Apart::start().await;
    apart.proxy.black_hole();
    let lost = apart.far.lease(0, &[lease(b"key", 7)]).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    apart.deliver(scripts(&apart.server).await).await;
    let granted = apart
        .near
        .lease(0, &[lease(b"key", 8)])
        .await
        .expect("it answers");
    assert!(matches!(granted[..], [Lease::Granted]), "{granted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalidation_that_was_given_up_may_come_late() {
    let apart = Apart::start().await;
    apart
        .far
        .invalidate(0, &[b"other"], Invalidation::Remove)
        .await
        .expect("it answers");
    apart
        .near
        .write(0, &[write(b"key", "value")])
        .await
        .expect("it answers");
    apart.proxy.black_hole();
    let lost = apart
        .far
        .invalidate(0, &[b"key"], Invalidation::Remove)
        .await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    apart.deliver(scripts(&apart.server).await).await;
    let read = Read {
        keys: &[b"key"],
        ..Read::default()
    };
    assert_eq!(
        apart.near.read(read).await.expect("it answers").values,
        [None]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_unavailable_and_comes_back() {
    let server = start(&[]).await;
    let store = open(&server).timeout(BRIEF);
    store
        .write(0, &[write(b"key", "old")])
        .await
        .expect("it answers");
    server.pause().expect("it stops");
    let read = Read {
        keys: &[b"key"],
        ..Read::default()
    };
    let lost = store.read(read).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    let lost = store
        .read(Read {
            log: Some(None),
            ..read
        })
        .await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    let lost = store.write(0, &[write(b"key", "late")]).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    server.resume().expect("it goes on");

    let store = store.timeout(Duration::from_secs(10));
    let value = store.read(read).await.expect("it answers").values.remove(0);
    assert_eq!(
        value.as_deref().map(|value| &value[28..]),
        Some(&b"old"[..])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_restarted_has_a_gap() {
    let server = start(&[]).await;
    let store = open(&server);
    let end = Read {
        log: Some(None),
        tag_log: Some(None),
        names: &["tag"],
        ..Read::default()
    };
    let before = store.read(end).await.expect("it answers");
    let (log, tag_log) = (
        before.log.expect("asked for"),
        before.tag_log.expect("asked for"),
    );
    server.restart_empty().await.expect("it restarts");
    let read = Read {
        log: Some(Some(log.position)),
        tag_log: Some(Some(tag_log.position)),
        log_limit: 10,
        ..end
    };
    let after = store.read(read).await.expect("it answers");
    assert!(
        after
            .log
            .is_some_and(|after| after.gap && after.position > log.position)
    );
    assert!(
        after
            .tag_log
            .is_some_and(|after| after.gap && after.position > tag_log.position)
    );
    assert!(after.generations[0] > before.generations[0]);
}
