//! Keys that the server has evicted, and logs that it has trimmed.

use super::servers::{cli, open, start};
use super::{HOUR, envelope, write};
use faas_sdk_cache::store::{
    CacheStore, Fill, Invalidation, LeaseRequest, LogAnswer, Read, RedisStore, Token, Version,
};
use faas_sdk_cache::store::{Change, NewGeneration};
use std::time::{Duration, SystemTime};

async fn log(store: &RedisStore, after: Option<Version>) -> LogAnswer<Change> {
    let read = Read {
        log: Some(after),
        log_limit: 1_000,
        ..Read::default()
    };
    store
        .read(read)
        .await
        .expect("it answers")
        .log
        .expect("asked for")
}

async fn tag_log(store: &RedisStore, after: Option<Version>) -> LogAnswer<NewGeneration> {
    let read = Read {
        tag_log: Some(after),
        log_limit: 1_000,
        ..Read::default()
    };
    store
        .read(read)
        .await
        .expect("it answers")
        .tag_log
        .expect("asked for")
}

async fn generations(store: &RedisStore, names: &[&str]) -> Vec<Version> {
    let read = Read {
        names,
        ..Read::default()
    };
    store.read(read).await.expect("it answers").generations
}

/// A version of another server, whose clock was ahead.
fn ahead() -> Version {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after the epoch");
    u64::try_from((now + Duration::from_secs(3_600)).as_micros()).expect("not that late")
}

#[tokio::test]
async fn versions_go_on_above_the_last() {
    let server = start(&[]).await;
    let store = open(&server);
    let mut last = ahead();
    cli(&server, &["SET", "{ns:0}:ver", &last.to_string()]).await;
    let position = log(&store, None).await.position;
    assert_eq!(position, last + 1);

    for round in 0..3 {
        let keys: [&[u8]; 3] = [b"a", b"b", b"c"];
        for how in [Invalidation::Remove, Invalidation::Expire] {
            let version = store.invalidate(0, &keys, how).await.expect("it answers");
            assert!(
                version >= last + 3,
                "{version} after {last} in round {round}"
            );
            last = version;
        }
        let written = store.write(0, &[write(b"a", "1"), write(b"b", "2")]).await;
        let [Some(first), Some(second)] = written.expect("it answers")[..] else {
            panic!("both are written");
        };
        assert!(first > last && second > first);
        let request = LeaseRequest {
            key: b"c",
            token: Token([1; 16]),
            ttl: HOUR,
            rejected: None,
        };
        store.lease(0, &[request]).await.expect("it answers");
        let fill = Fill {
            key: b"c",
            token: Token([1; 16]),
            envelope: envelope("3"),
            physical: HOUR,
        };
        let filled = store.fill(0, &[fill]).await.expect("it answers")[0].expect("granted");
        assert!(filled > second);

        // The log is still ahead of the clock when the counter is gone.
        cli(&server, &["DEL", "{ns:0}:ver"]).await;
        match round {
            0 => {}
            1 => _ = cli(&server, &["XTRIM", "{ns:0}:log", "MAXLEN", "0"]).await,
            _ => _ = cli(&server, &["SET", "{ns:0}:ver", "nonsense"]).await,
        }
        // The fill was not logged, so that only what was is exceeded.
        last = second;
    }
}

#[tokio::test]
async fn a_lost_log_is_a_gap_and_nothing_else() {
    let server = start(&[]).await;
    let store = open(&server);
    store
        .write(0, &[write(b"key", "value")])
        .await
        .expect("it answers");
    let position = log(&store, None).await.position;
    cli(&server, &["DEL", "{ns:0}:log"]).await;
    let answer = log(&store, Some(position)).await;
    assert!(answer.gap && answer.position > position);
    let read = Read {
        keys: &[b"key"],
        ..Read::default()
    };
    assert!(store.read(read).await.expect("it answers").values[0].is_some());

    let advanced = store.advance(&["tag"]).await.expect("it answers");
    cli(&server, &["DEL", "{ns:tags}:log"]).await;
    assert!(tag_log(&store, Some(advanced)).await.gap);
    assert_eq!(generations(&store, &["tag"]).await, [advanced]);
}

#[tokio::test]
async fn lost_generations_make_everything_newer() {
    let server = start(&[]).await;
    let store = open(&server);
    let mut last = ahead();
    cli(
        &server,
        &[
            "HSET",
            "{ns:tags}:gen",
            "last",
            &last.to_string(),
            "base",
            "7",
        ],
    )
    .await;
    assert_eq!(generations(&store, &["a"]).await, [7]);
    for round in 0..2 {
        let advanced = store.advance(&["a"]).await.expect("it answers");
        assert_eq!(advanced, last + 1, "round {round}");
        cli(&server, &["DEL", "{ns:tags}:gen"]).await;
        let after = generations(&store, &["a", "b"]).await;
        assert!(
            after[0] > advanced && after[0] == after[1],
            "{after:?} after {advanced}"
        );
        assert!(
            !tag_log(&store, Some(advanced)).await.gap,
            "the log is complete"
        );
        last = after[0];
    }
    // A base that is set anew holds for all names.
    cli(
        &server,
        &[
            "HSET",
            "{ns:tags}:gen",
            "base",
            &(last + 100).to_string(),
            "=a",
            "9",
        ],
    )
    .await;
    assert_eq!(generations(&store, &["a", "b"]).await, [last + 100; 2]);
    cli(&server, &["HSET", "{ns:tags}:gen", "base", "nonsense"]).await;
    let healed = generations(&store, &["b"]).await;
    assert!(healed[0] > last, "{healed:?}");
}

#[tokio::test]
async fn old_entries_are_trimmed() {
    let server = start(&[]).await;
    let store = open(&server).log_length(100);
    let (start, tag_start) = (
        log(&store, None).await.position,
        tag_log(&store, None).await.position,
    );
    let mut last = 0;
    for _change in 0..400 {
        last = store
            .invalidate(0, &[b"key"], Invalidation::Remove)
            .await
            .expect("it answers");
        store.advance(&["tag"]).await.expect("it answers");
    }
    let answer = log(&store, Some(start)).await;
    assert!(answer.gap && answer.position == last);
    assert!(tag_log(&store, Some(tag_start)).await.gap);
    for log in ["{ns:0}:log", "{ns:tags}:log"] {
        let length: usize = cli(&server, &["XLEN", log])
            .await
            .parse()
            .expect("a number");
        assert!((100..=300).contains(&length), "{log} has {length}");
    }
}

#[tokio::test]
async fn an_evicting_server_does_not_break() {
    let server = start(&["maxmemory-policy allkeys-lru"]).await;
    let store = open(&server);
    log(&store, None).await;
    cli(&server, &["CONFIG", "SET", "maxmemory", "3mb"]).await;
    let large = "x".repeat(10_000);
    let mut last = 0;
    for round in 0..1_000_u32 {
        let key = round.to_le_bytes();
        let written = store
            .write(0, &[write(&key, &large)])
            .await
            .expect("it answers");
        let removed = store.invalidate(0, &[b"key"], Invalidation::Remove).await;
        let (written, removed) = (
            written[0].expect("nothing is there"),
            removed.expect("it answers"),
        );
        assert!(last < written && written < removed);
        last = removed;
        let advanced = store.advance(&["tag"]).await.expect("it answers");
        assert!(generations(&store, &["tag"]).await[0] >= advanced);
    }
    let evicted = cli(&server, &["INFO", "stats"]).await;
    assert!(!evicted.contains("evicted_keys:0\r"), "{evicted}");
}
