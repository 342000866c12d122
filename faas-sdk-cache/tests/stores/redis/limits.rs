//! Servers that are full, that may not be written to, or that are gone; and large calls.

use super::servers::{cli, connect, keys, open, start};
use super::{HOUR, envelope, write};
use faas_sdk_cache::store::{
    CacheStore, Fill, InvalidNamespace, Invalidation, Lease, LeaseRequest, Read, RedisStore,
    StoreError, Token,
};
use std::time::Duration;

#[tokio::test]
async fn a_full_server_invalidates() {
    let server = start(&["maxmemory-policy noeviction"]).await;
    let store = open(&server);
    let token = Token([1; 16]);
    let lease = |key| LeaseRequest {
        key,
        token,
        ttl: HOUR,
        rejected: None,
    };
    store
        .write(0, &[write(b"a", "1"), write(b"b", "2")])
        .await
        .expect("it answers");
    store.lease(0, &[lease(b"c")]).await.expect("it answers");
    cli(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;

    // Also what has not been there before is created.
    let read = Read {
        tag_log: Some(None),
        names: &["tag"],
        log: Some(None),
        ..Read::default()
    };
    let before = store.read(read).await.expect("it answers");

    let refused = |error: StoreError| assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    refused(
        store
            .lease(0, &[lease(b"d")])
            .await
            .expect_err("it is full"),
    );
    refused(
        store
            .write(0, &[write(b"a", "3")])
            .await
            .expect_err("it is full"),
    );
    let fill = Fill {
        key: b"c",
        token,
        envelope: envelope("4"),
        physical: HOUR,
    };
    refused(
        store
            .fill(0, std::slice::from_ref(&fill))
            .await
            .expect_err("it is full"),
    );

    store
        .invalidate(0, &[b"a"], Invalidation::Remove)
        .await
        .expect("it answers");
    store
        .invalidate(0, &[b"b"], Invalidation::Expire)
        .await
        .expect("it answers");
    store
        .release(0, &[(b"c", token)])
        .await
        .expect("it answers");
    let generation = store.advance(&["tag"]).await.expect("it answers");
    let (log, tag_log) = (
        before.log.expect("asked for"),
        before.tag_log.expect("asked for"),
    );
    let read = Read {
        keys: &[b"a", b"b"],
        log: Some(Some(log.position)),
        tag_log: Some(Some(tag_log.position)),
        names: &["tag"],
        log_limit: 10,
        ..Read::default()
    };
    let after = store.read(read).await.expect("it answers");
    assert!(matches!(&after.values[..], [None, Some(value)] if value[3] == 1));
    assert_eq!(after.generations, [generation]);
    let (log, tag_log) = (
        after.log.expect("asked for"),
        after.tag_log.expect("asked for"),
    );
    assert_eq!((log.entries.len(), tag_log.entries.len()), (2, 1));
    assert!(!log.gap && !tag_log.gap);

    cli(&server, &["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(
        store.fill(0, &[fill]).await.expect("it answers"),
        [None],
        "it was released"
    );
}

#[tokio::test]
async fn a_full_server_can_be_started_with() {
    let server = start(&["maxmemory-policy noeviction", "maxmemory 1"]).await;
    let store = open(&server);
    let read = Read {
        log: Some(None),
        tag_log: Some(None),
        names: &["tag"],
        ..Read::default()
    };
    store.read(read).await.expect("it answers");
    cli(&server, &["FLUSHALL"]).await;
    let advanced = store.advance(&["tag"]).await.expect("it answers");
    let removed = store
        .invalidate(0, &[b"a"], Invalidation::Remove)
        .await
        .expect("it answers");
    assert!(advanced > 0 && removed > 0);
}

#[tokio::test]
async fn a_replica_is_read_and_refuses_the_rest() {
    let primary = start(&[]).await;
    let store = open(&primary);
    store
        .write(0, &[write(b"key", "value")])
        .await
        .expect("it answers");
    let port = primary.port().to_string();
    let replica = start(&[&format!("replicaof 127.0.0.1 {port}")]).await;
    while keys(&replica, "*").await.len() < keys(&primary, "*").await.len() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let store = open(&replica);
    let read = Read {
        keys: &[b"key"],
        log: Some(None),
        ..Read::default()
    };
    let answer = store.read(read).await.expect("it answers");
    assert!(answer.values[0].is_some());
    let read = Read {
        names: &["tag"],
        ..Read::default()
    };
    assert!(
        store.read(read).await.is_err(),
        "it would have to create a base"
    );
    let token = Token([1; 16]);
    let request = LeaseRequest {
        key: b"other",
        token,
        ttl: HOUR,
        rejected: None,
    };
    assert!(store.lease(0, &[request]).await.is_err());
    let fresh = LeaseRequest {
        key: b"key",
        ..request
    };
    let lease = store.lease(0, &[fresh]).await.expect("it answers");
    assert!(matches!(lease[..], [Lease::Value(_)]), "{lease:?}");
    assert!(store.write(0, &[write(b"key", "new")]).await.is_err());
    assert!(
        store
            .invalidate(0, &[b"key"], Invalidation::Remove)
            .await
            .is_err()
    );
    assert!(store.advance(&["tag"]).await.is_err());
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable() {
    let server = start(&[]).await;
    let store = open(&server);
    store
        .write(0, &[write(b"key", "value")])
        .await
        .expect("it answers");
    server.kill().expect("it ends");
    let read = Read {
        keys: &[b"key"],
        ..Read::default()
    };
    let gone = store.read(read).await;
    assert!(matches!(gone, Err(StoreError::Unavailable(_))), "{gone:?}");
    let gone = store
        .read(Read {
            log: Some(None),
            ..read
        })
        .await;
    assert!(matches!(gone, Err(StoreError::Unavailable(_))), "{gone:?}");
    let gone = store.invalidate(0, &[b"key"], Invalidation::Remove).await;
    assert!(matches!(gone, Err(StoreError::Unavailable(_))), "{gone:?}");
}

#[tokio::test]
async fn too_many_names_make_everything_stale_once() {
    let server = start(&[]).await;
    let store = open(&server).max_names(3);
    let generations = async || {
        let read = Read {
            names: &["a", "b", "c", "d", "e"],
            ..Read::default()
        };
        store.read(read).await.expect("it answers").generations
    };
    let base = generations().await[4];
    let kept = store.advance(&["a", "b", "c"]).await.expect("it answers");
    assert_eq!(generations().await, [kept, kept, kept, base, base]);
    let again = store.advance(&["a"]).await.expect("it answers");
    assert_eq!(generations().await, [again, kept, kept, base, base]);

    let all = store.advance(&["d"]).await.expect("it answers");
    assert_eq!(generations().await, [all; 5]);
    for (position, gap) in [(kept, true), (again, true), (all, false)] {
        let read = Read {
            tag_log: Some(Some(position)),
            log_limit: 9,
            ..Read::default()
        };
        let answer = store
            .read(read)
            .await
            .expect("it answers")
            .tag_log
            .expect("asked for");
        assert_eq!((answer.gap, answer.position), (gap, all));
    }
    let next = store.advance(&["a"]).await.expect("it answers");
    assert_eq!(generations().await, [next, all, all, all, all]);
}

#[tokio::test]
async fn thousands_at_once() {
    let server = start(&[]).await;
    let store = open(&server);
    let start = Read {
        log: Some(None),
        tag_log: Some(None),
        ..Read::default()
    };
    let start = store.read(start).await.expect("it answers");
    let (log, tag_log) = (
        start.log.expect("asked for"),
        start.tag_log.expect("asked for"),
    );
    let texts: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
    let keys: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let names: Vec<&str> = texts.iter().map(String::as_str).collect();
    let writes: Vec<_> = keys.iter().map(|key| write(key, "value")).collect();
    let written = store.write(0, &writes).await.expect("it answers");
    assert_eq!(written.iter().flatten().count(), 5_000);
    store
        .invalidate(0, &keys, Invalidation::Expire)
        .await
        .expect("it answers");
    store
        .invalidate(0, &keys, Invalidation::Remove)
        .await
        .expect("it answers");
    let generation = store.advance(&names).await.expect("it answers");

    let read = Read {
        keys: &keys,
        log: Some(Some(log.position)),
        tag_log: Some(Some(tag_log.position)),
        names: &names,
        log_limit: 20_000,
        ..Read::default()
    };
    let answer = store.read(read).await.expect("it answers");
    let (log, tag_log) = (
        answer.log.expect("asked for"),
        answer.tag_log.expect("asked for"),
    );
    assert!(log.gap, "more than the log keeps");
    assert_eq!((tag_log.gap, tag_log.position), (false, generation));
    assert!(tag_log.entries.iter().map(|new| &new.name).eq(&texts));
    assert!(answer.values.iter().all(Option::is_none));
    assert!(answer.generations.iter().all(|each| *each == generation));
    let read = Read {
        tag_log: Some(Some(generation)),
        log_limit: 1,
        ..Read::default()
    };
    let answer = store
        .read(read)
        .await
        .expect("it answers")
        .tag_log
        .expect("asked for");
    assert_eq!((answer.entries.len(), answer.position), (0, generation));
}

#[tokio::test]
async fn namespaces_are_apart() {
    let server = start(&[]).await;
    let redis = connect(server.url());
    let first = RedisStore::new(redis.clone(), "a").expect("valid");
    let second = RedisStore::new(redis.clone(), "b").expect("valid");
    first
        .write(0, &[write(b"key", "value")])
        .await
        .expect("it answers");
    let read = Read {
        keys: &[b"key"],
        ..Read::default()
    };
    assert_eq!(second.read(read).await.expect("it answers").values, [None]);
    for namespace in ["", "a b", "{a}", &"a".repeat(65)] {
        assert_eq!(
            RedisStore::new(redis.clone(), namespace).err(),
            Some(InvalidNamespace)
        );
    }
}
