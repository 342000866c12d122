//! How many commands calls are made of.

use super::servers::{cli, open, start};
use super::{HOUR, write};
use faas_sdk_cache::store::{CacheStore, Fill, LeaseRequest, Read, Token};
use faas_sdk_test_servers::RedisServer;
use std::collections::BTreeMap;

/// The commands since the last look.
async fn commands(server: &RedisServer) -> BTreeMap<String, u64> {
    let stats = cli(server, &["INFO", "commandstats"]).await;
    cli(server, &["CONFIG", "RESETSTAT"]).await;
    let count = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let calls = rest.split(',').next()?.parse().ok()?;
        Some((name.to_owned(), calls))
    };
    let ours = |(name, _): &(String, u64)| {
        !matches!(&name[..], "info" | "config|resetstat" | "command" | "hello")
    };
    stats.lines().filter_map(count).filter(ours).collect()
}

fn expected(commands: &[(&str, u64)]) -> BTreeMap<String, u64> {
    commands
        .iter()
        .map(|(name, calls)| ((*name).to_owned(), *calls))
        .collect()
}

#[tokio::test]
async fn reads_are_as_few_commands_as_can_be() {
    let server = start(&[]).await;
    let store = open(&server);
    let start = Read {
        log: Some(None),
        tag_log: Some(None),
        names: &["a"],
        ..Read::default()
    };
    let start = store.read(start).await.expect("it answers");
    let (log, tag_log) = (
        start.log.expect("asked for"),
        start.tag_log.expect("asked for"),
    );
    commands(&server).await;

    let read = Read {
        keys: &[b"key"],
        ..Read::default()
    };
    store.read(read).await.expect("it answers");
    assert_eq!(commands(&server).await, expected(&[("get", 1)]));

    let read = Read {
        keys: &[b"a", b"b", b"c"],
        ..Read::default()
    };
    store.read(read).await.expect("it answers");
    assert_eq!(commands(&server).await, expected(&[("mget", 1)]));

    let read = Read {
        keys: &[b"a", b"b"],
        log: Some(Some(log.position)),
        tag_log: Some(Some(tag_log.position)),
        names: &["a", "b"],
        log_limit: 100,
        ..Read::default()
    };
    store.read(read).await.expect("it answers");
    let all = [
        ("xrange", 2),
        ("xrevrange", 2),
        ("time", 1),
        ("hmget", 1),
        ("mget", 1),
    ];
    assert_eq!(commands(&server).await, expected(&all));

    assert!(store.read(Read::default()).await.is_ok());
    assert!(commands(&server).await.is_empty());
}

#[tokio::test]
async fn changes_are_one_script() {
    let server = start(&[]).await;
    let store = open(&server);
    let request = |key| LeaseRequest {
        key,
        token: Token([1; 16]),
        ttl: HOUR,
        rejected: None,
    };
    let fill = |key| Fill {
        key,
        token: Token([1; 16]),
        envelope: super::envelope("value"),
        physical: HOUR,
    };
    for _warm in 0..2 {
        commands(&server).await;
        store
            .lease(0, &[request(b"a"), request(b"b")])
            .await
            .expect("it answers");
        store
            .fill(0, &[fill(b"a"), fill(b"b")])
            .await
            .expect("it answers");
        store
            .write(0, &[write(b"a", "1"), write(b"b", "2")])
            .await
            .expect("it answers");
    }
    assert_eq!(commands(&server).await.get("evalsha"), Some(&3));
}
