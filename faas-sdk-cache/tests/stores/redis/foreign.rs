//! What someone else has put under our keys.

use super::servers::{cli, open, start};
use super::{HOUR, envelope, write};
use faas_sdk_cache::store::{
    CacheStore, Fill, Invalidation, Lease, LeaseRequest, Read, StoreError, Token,
};

/// Commands that put something of every other type under a key.
fn types(key: &str) -> [Vec<&str>; 5] {
    [
        vec!["RPUSH", key, "item"],
        vec!["HSET", key, "field", "value"],
        vec!["SADD", key, "member"],
        vec!["ZADD", key, "1", "member"],
        vec!["XADD", key, "*", "field", "value"],
    ]
}

#[tokio::test]
async fn values_of_other_types_are_misses() {
    let server = start(&[]).await;
    let store = open(&server);
    for foreign in types("{ns:0}:v:key") {
        let put = async || {
            cli(&server, &["DEL", "{ns:0}:v:key"]).await;
            cli(&server, &foreign).await;
        };
        put().await;
        for keys in [&[&b"key"[..]][..], &[b"key", b"other"]] {
            for log in [None, Some(None)] {
                let read = Read {
                    keys,
                    log,
                    ..Read::default()
                };
                let answer = store.read(read).await.expect("it answers");
                assert!(answer.values.iter().all(Option::is_none));
            }
        }
        let expired = store.invalidate(0, &[b"key"], Invalidation::Expire).await;
        assert!(expired.is_ok(), "{expired:?}");
        let token = Token([7; 16]);
        let request = LeaseRequest {
            key: b"key",
            token,
            ttl: HOUR,
            rejected: None,
        };
        let lease = store.lease(0, &[request]).await.expect("it answers");
        assert!(matches!(lease[..], [Lease::Granted]), "{lease:?}");
        let other = Fill {
            key: b"key",
            token: Token([8; 16]),
            envelope: envelope("x"),
            physical: HOUR,
        };
        assert_eq!(store.fill(0, &[other]).await.expect("it answers"), [None]);
        let fill = Fill {
            key: b"key",
            token,
            envelope: envelope("value"),
            physical: HOUR,
        };
        assert!(store.fill(0, &[fill]).await.expect("it answers")[0].is_some());
        put().await;
        let mut late = write(b"key", "value");
        late.unless_after = Some(1);
        assert!(store.write(0, &[late]).await.expect("it answers")[0].is_some());
        put().await;
        assert!(
            store
                .invalidate(0, &[b"key"], Invalidation::Remove)
                .await
                .is_ok()
        );
        assert_eq!(cli(&server, &["EXISTS", "{ns:0}:v:key"]).await, "0");
    }
}

#[tokio::test]
async fn what_is_no_lease_holds_nobody_up() {
    let server = start(&[]).await;
    let store = open(&server);
    let mut foreign = types("{ns:0}:l:key").to_vec();
    foreign.push(vec!["SET", "{ns:0}:l:key", "text without an end"]);
    for foreign in foreign {
        cli(&server, &["DEL", "{ns:0}:l:key"]).await;
        cli(&server, &foreign).await;
        let token = Token([7; 16]);
        let request = LeaseRequest {
            key: b"key",
            token,
            ttl: HOUR,
            rejected: None,
        };
        assert!(store.release(0, &[(b"key", token)]).await.is_ok());
        let lease = store.lease(0, &[request]).await.expect("it answers");
        assert!(
            matches!(lease[..], [Lease::Granted]),
            "{foreign:?}: {lease:?}"
        );
    }
}

#[tokio::test]
async fn counters_of_other_types_are_replaced() {
    let server = start(&[]).await;
    let store = open(&server);
    let mut foreign = types("{ns:0}:ver").to_vec();
    let texts = [
        "",
        "-5",
        "1e300",
        "0x10",
        "nan",
        "inf",
        "9999999999999999999999",
        " 1",
    ];
    foreign.extend(texts.map(|text| vec!["SET", "{ns:0}:ver", text]));
    let mut last = 0;
    for foreign in foreign {
        cli(&server, &["DEL", "{ns:0}:ver"]).await;
        cli(&server, &foreign).await;
        let version = store.invalidate(0, &[b"key"], Invalidation::Remove).await;
        let version = version.expect("it answers");
        assert!(
            version > last && version < 1 << 53,
            "{foreign:?}: {version} after {last}"
        );
        last = version;
    }
}

#[tokio::test]
async fn logs_of_other_types_are_errors() {
    let server = start(&[]).await;
    let store = open(&server);
    let refused = |error: StoreError| assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    for (log, tag_log) in types("{ns:0}:log")
        .iter()
        .zip(&types("{ns:tags}:log"))
        .take(4)
    {
        store
            .write(0, &[write(b"key", "value")])
            .await
            .expect("it answers");
        cli(&server, &["DEL", "{ns:0}:log", "{ns:tags}:log"]).await;
        cli(&server, log).await;
        cli(&server, tag_log).await;
        for after in [None, Some(5)] {
            let read = Read {
                log: Some(after),
                ..Read::default()
            };
            refused(store.read(read).await.expect_err("it is no log"));
            let read = Read {
                tag_log: Some(after),
                ..Read::default()
            };
            refused(store.read(read).await.expect_err("it is no log"));
        }
        refused(store.advance(&["tag"]).await.expect_err("it is no log"));
        let removed = store.invalidate(0, &[b"key"], Invalidation::Remove).await;
        refused(removed.expect_err("it is no log"));
        assert_eq!(
            cli(&server, &["EXISTS", "{ns:0}:v:key"]).await,
            "0",
            "it is removed all the same"
        );
        cli(&server, &["DEL", "{ns:0}:log", "{ns:tags}:log"]).await;
    }
    for foreign in types("{ns:tags}:gen")
        .iter()
        .filter(|command| command[0] != "HSET")
    {
        cli(&server, &["DEL", "{ns:tags}:gen"]).await;
        cli(&server, foreign).await;
        refused(store.advance(&["tag"]).await.expect_err("it is no hash"));
        let read = Read {
            names: &["tag"],
            ..Read::default()
        };
        refused(store.read(read).await.expect_err("it is no hash"));
    }
}

#[tokio::test]
async fn entries_that_are_not_understood_are_gaps() {
    let server = start(&[]).await;
    let store = open(&server);
    for fields in [&["later", "key"][..], &["r", "a", "later", "b"]] {
        let read = Read {
            log: Some(None),
            tag_log: Some(None),
            ..Read::default()
        };
        let answer = store.read(read).await.expect("it answers");
        let (log, tag_log) = (
            answer.log.expect("asked for"),
            answer.tag_log.expect("asked for"),
        );
        for key in ["{ns:0}:log", "{ns:tags}:log"] {
            let mut command = vec!["XADD", key, "1999999999999999-5"];
            command.extend(fields);
            cli(&server, &command).await;
        }
        let read = Read {
            log: Some(Some(log.position)),
            tag_log: Some(Some(tag_log.position)),
            log_limit: 100,
            ..Read::default()
        };
        let answer = store.read(read).await.expect("it answers");
        let (log, tag_log) = (
            answer.log.expect("asked for"),
            answer.tag_log.expect("asked for"),
        );
        assert!(log.gap && tag_log.gap);
        assert_eq!(
            (log.position, tag_log.position),
            (1_999_999_999_999_999, 1_999_999_999_999_999)
        );
        cli(&server, &["FLUSHALL"]).await;
    }
}

#[tokio::test]
async fn generations_that_are_no_numbers_are_errors() {
    let server = start(&[]).await;
    let store = open(&server);
    let read = Read {
        names: &["tag"],
        ..Read::default()
    };
    store.read(read).await.expect("it answers");
    for text in ["", "-5", "1e5", "99999999999999999999", "tag"] {
        cli(&server, &["HSET", "{ns:tags}:gen", "=tag", text]).await;
        let answer = store.read(read).await;
        assert!(
            matches!(answer, Err(StoreError::Garbled(_))),
            "{text:?}: {answer:?}"
        );
    }
    store.advance(&["tag"]).await.expect("it answers");
    assert!(store.read(read).await.is_ok());
}
