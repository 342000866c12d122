use super::Subject;
use super::probe::{A, MINUTE, OWN, Probe, SOON, created_of, envelope, state_of, version_of};
use crate::store::{Invalidation, Lease, Read, StoreError, Write};
use bytes::Bytes;
use std::time::Duration;

pub(super) async fn nothing_at_first(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    assert_eq!(probe.get(b"key").await, None);
    let read = Read {
        keys: &[b"a", b"b"],
        ..Read::default()
    };
    assert_eq!(probe.read(read).await.values, [None, None]);
    probe.remove(b"key").await;
    probe.invalidate(&[b"key"], Invalidation::Expire).await;
    assert_eq!(probe.get(b"key").await, None);
}

pub(super) async fn written_values_come_back(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let (mut last, mut created) = (0, 0);
    for rest in ["first", "second", ""] {
        let given = envelope(MINUTE, rest);
        let version = probe.put(b"key", given.clone()).await;
        let found = probe.get(b"key").await.expect("it was written");
        assert_eq!(found[OWN..], given[OWN..]);
        assert_eq!((state_of(&found), version_of(&found)), (0, version));
        assert!(version > last, "{version} after {last}");
        assert!(created_of(&found) >= created && created_of(&found) <= version);
        (last, created) = (version, created_of(&found));
    }
    let read = Read {
        keys: &[b"key"],
        log: Some(None),
        ..Read::default()
    };
    let answer = probe.read(read).await;
    let time = answer.time.expect("the log was asked for");
    assert!(
        time >= created && time - created < 60_000_000,
        "{time} after {created}"
    );
}

pub(super) async fn several_keys(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let keys: Vec<Vec<u8>> = (0..250).map(|n| format!("key {n}").into_bytes()).collect();
    let write = |key| Write {
        key,
        envelope: envelope(MINUTE, key),
        physical: MINUTE,
        unless_after: None,
    };
    let written: Vec<Write<'_>> = keys.iter().step_by(2).map(|key| write(key)).collect();
    let versions = probe.write(&written).await;
    assert!(versions.iter().all(Option::is_some));
    assert!(versions.is_sorted_by(|a, b| a < b), "one after the other");

    let keys: Vec<&[u8]> = keys.iter().rev().map(Vec::as_slice).collect();
    let values = probe
        .read(Read {
            keys: &keys,
            ..Read::default()
        })
        .await
        .values;
    for (index, (key, value)) in keys.iter().zip(&values).enumerate() {
        let rest = value.as_ref().map(|value| &value[28..]);
        assert_eq!(rest, (index % 2 == 1).then_some(*key));
    }

    probe.invalidate(&keys[100..], Invalidation::Remove).await;
    let values = probe
        .read(Read {
            keys: &keys,
            ..Read::default()
        })
        .await
        .values;
    assert!(values[..100].iter().step_by(2).all(Option::is_none));
    assert_eq!(values.iter().flatten().count(), 50);
}

pub(super) async fn any_bytes_are_a_key(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let long = [0xFF; 1024];
    let keys: [&[u8]; 10] = [
        b"",
        b"\0",
        b"\0\0",
        b"a\r\nb",
        b"{a}b",
        b"}{",
        b"\xFF\xFE",
        b"%s %d",
        b"'\"\\",
        &long,
    ];
    let before = probe.end_if_logged().await;
    for key in keys {
        probe.put(key, envelope(MINUTE, key)).await;
    }
    let values = probe
        .read(Read {
            keys: &keys,
            ..Read::default()
        })
        .await
        .values;
    for (key, value) in keys.iter().zip(values) {
        assert_eq!(
            value.as_ref().map(|value| &value[28..]),
            Some(*key),
            "{key:?}"
        );
        assert_eq!(probe.get(key).await, value, "{key:?}");
    }
    if let Some(before) = before {
        let changes = probe.since(before).await;
        assert!(changes.iter().map(|change| &change.key[..]).eq(keys));
    }
}

pub(super) async fn large_values(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let given = envelope(MINUTE, vec![0xAB; 2 << 20]);
    let version = probe.put(b"key", given.clone()).await;
    let found = probe.get(b"key").await.expect("it was written");
    assert!(found[OWN..] == given[OWN..] && version_of(&found) == version);
}

pub(super) async fn foreign_bytes_stay_as_they_are(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    // The last one is like a fresh value, but for the magic.
    let foreign: [&'static [u8]; 7] = [
        b"",
        b"text",
        b"\xFC",
        b"\xFC\xE5",
        b"\x80\x01 more than the length of a head",
        &[0xFF; 64],
        b"\xFC\xE6\x01\0 version created is late",
    ];
    for bytes in foreign {
        probe.put(b"key", Bytes::from_static(bytes)).await;
        assert_eq!(probe.get(b"key").await.as_deref(), Some(bytes));
        probe.invalidate(&[b"key"], Invalidation::Expire).await;
        assert_eq!(probe.get(b"key").await.as_deref(), Some(bytes));
        if probe.store.guarantees().leases {
            let lease = probe.lease(b"key", A, None).await;
            assert!(
                matches!(lease, Lease::Granted),
                "{bytes:?} is not fresh: {lease:?}"
            );
            let version = probe.fill(b"key", A, envelope(MINUTE, "ours")).await;
            assert!(version.is_some());
        }
        // What cannot be of a later version gives way.
        probe.put(b"key", Bytes::from_static(bytes)).await;
        let write = Write {
            key: b"key",
            envelope: envelope(MINUTE, "ours"),
            physical: MINUTE,
            unless_after: Some(1),
        };
        assert!(probe.write(&[write]).await[0].is_some());
    }
}

pub(super) async fn gone_after_their_time(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let write = |key, physical| Write {
        key,
        envelope: envelope(MINUTE, "value"),
        physical,
        unless_after: None,
    };
    probe
        .write(&[write(b"short", SOON), write(b"long", MINUTE)])
        .await;
    subject.pass(SOON * 2).await;
    assert_eq!(probe.get(b"short").await, None);
    assert!(probe.get(b"long").await.is_some());
}

pub(super) async fn removed(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    probe.put(b"key", envelope(MINUTE, "value")).await;
    probe.put(b"other", envelope(MINUTE, "value")).await;
    probe.remove(b"key").await;
    assert_eq!(probe.get(b"key").await, None);
    assert!(probe.get(b"other").await.is_some());
}

pub(super) async fn expired_in_place(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let write = |key, physical| Write {
        key,
        envelope: envelope(MINUTE, "\x02 flags and all"),
        physical,
        unless_after: None,
    };
    probe
        .write(&[write(b"short", SOON), write(b"long", MINUTE)])
        .await;
    let before = probe.get(b"long").await.expect("it was written");
    for _repeated in 0..2 {
        probe
            .invalidate(&[b"long", b"short", b"absent"], Invalidation::Expire)
            .await;
        let after = probe.get(b"long").await.expect("it is a fallback");
        assert_eq!(state_of(&after), 1);
        assert_eq!((&after[..3], &after[4..]), (&before[..3], &before[4..]));
        assert_eq!(probe.get(b"absent").await, None);
    }
    subject.pass(SOON * 2).await;
    assert_eq!(probe.get(b"short").await, None, "it keeps its end");
    assert!(probe.get(b"long").await.is_some());
    probe.put(b"long", envelope(MINUTE, "new")).await;
    assert_eq!(
        probe.get(b"long").await.map(|value| state_of(&value)),
        Some(0)
    );
}

pub(super) async fn unless_a_later_value_is_there(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let write = async |rest: &str, unless_after| {
        let envelope = envelope(MINUTE, rest);
        let write = Write {
            key: b"key",
            envelope,
            physical: MINUTE,
            unless_after,
        };
        probe.write(&[write]).await[0]
    };
    let rest = async || probe.get(b"key").await.map(|value| value[28..].to_vec());

    let first = write("first", Some(1)).await.expect("nothing is there");
    let second = write("second", Some(first))
        .await
        .expect("nothing later is there");
    assert!(second > first);
    assert_eq!(write("late", Some(first)).await, None);
    assert_eq!(rest().await.as_deref(), Some(&b"second"[..]));
    assert_eq!(
        write("second", Some(first)).await,
        Some(second),
        "it was written before"
    );
    probe.invalidate(&[b"key"], Invalidation::Expire).await;
    assert_eq!(
        write("second", Some(first)).await,
        None,
        "what was written has been expired"
    );
    assert!(write("third", Some(u64::MAX)).await.is_some());
    assert_eq!(rest().await.as_deref(), Some(&b"third"[..]));
    if probe.store.guarantees().leases {
        probe.remove(b"key").await;
        let stale = probe.put(b"key", envelope(Duration::ZERO, "stale")).await;
        probe.grant(b"key", A).await;
        assert_eq!(write("late", Some(stale - 1)).await, None);
        assert!(
            probe
                .fill(b"key", A, envelope(MINUTE, "loaded"))
                .await
                .is_some()
        );
    }
}

pub(super) async fn shards_are_apart(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let shards = probe.store.shards();
    assert!(shards > 0);
    for shard in [0, shards / 2, shards - 1] {
        let name = shard.to_string();
        probe.shard(shard).put(b"key", envelope(MINUTE, name)).await;
    }
    for shard in [0, shards / 2, shards - 1] {
        let value = probe
            .shard(shard)
            .get(b"key")
            .await
            .expect("it was written");
        assert_eq!(value[28..], *shard.to_string().as_bytes());
    }
    if shards > 1 {
        probe.shard(shards - 1).remove(b"key").await;
        assert!(probe.get(b"key").await.is_some());
    }
}

pub(super) async fn no_such_shard(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let shard = probe.store.shards();
    let read = Read {
        shard,
        keys: &[b"key"],
        ..Read::default()
    };
    let refused = probe.store.read(read).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let refused = probe
        .store
        .invalidate(shard, &[b"key"], Invalidation::Remove)
        .await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
}

pub(super) async fn calls_for_nothing(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let answer = probe.read(Read::default()).await;
    assert!(answer.values.is_empty() && answer.time.is_none());
    assert!(probe.write(&[]).await.is_empty());
    assert_eq!(probe.invalidate(&[], Invalidation::Remove).await, 0);
    let guarantees = probe.store.guarantees();
    if guarantees.leases {
        assert!(probe.leases(&[]).await.is_empty());
        assert!(
            probe
                .store
                .fill(0, &[])
                .await
                .is_ok_and(|versions| versions.is_empty())
        );
        assert!(probe.store.release(0, &[]).await.is_ok());
    }
    if guarantees.generations {
        assert_eq!(probe.advance(&[]).await, 0);
    }
}

pub(super) async fn extreme_times(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let write = |key, physical| Write {
        key,
        envelope: envelope(Duration::MAX, "value"),
        physical,
        unless_after: None,
    };
    let writes = [
        write(b"forever", Duration::MAX),
        write(b"hardly", Duration::ZERO),
    ];
    assert!(probe.write(&writes).await.iter().all(Option::is_some));
    assert!(probe.get(b"forever").await.is_some());
    if probe.store.guarantees().leases {
        let lease = probe.lease(b"forever", A, None).await;
        assert!(matches!(lease, Lease::Value(_)), "{lease:?}");
    }
    subject.pass(SOON).await;
    assert_eq!(probe.get(b"hardly").await, None);
}
