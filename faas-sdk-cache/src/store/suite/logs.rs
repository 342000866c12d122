use super::Subject;
use super::probe::{A, MANY, MINUTE, Probe, envelope, version_of};
use crate::store::{Change, ChangeKind, Invalidation, Read, Version};
use bytes::Bytes;

fn change(version: Version, key: &'static [u8], kind: ChangeKind) -> Change {
    Change {
        version,
        key: Bytes::from_static(key),
        kind,
    }
}

pub(super) async fn an_end_at_first(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let end = probe.end().await;
    assert!(end > 0);
    assert_eq!(probe.end().await, end);
    assert_eq!(probe.since(end).await, []);
}

pub(super) async fn changes_in_order(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let start = probe.end().await;
    let written = probe.put(b"a", envelope(MINUTE, "value")).await;
    let expired = probe.invalidate(&[b"a", b"b"], Invalidation::Expire).await;
    let removed = probe.remove(b"c").await;
    assert!(start < written && written < expired && expired < removed);

    let changes = probe.since(start).await;
    let first = changes[1].version;
    assert!(written < first && first <= expired);
    let expected = [
        change(written, b"a", ChangeKind::Replaced),
        change(first, b"a", ChangeKind::Expired),
        change(expired, b"b", ChangeKind::Expired),
        change(removed, b"c", ChangeKind::Replaced),
    ];
    assert_eq!(changes, expected);
    assert_eq!(probe.since(written).await, expected[1..]);
    assert_eq!(probe.since(removed).await, []);
    assert_eq!(probe.end().await, removed);

    let read = Read {
        keys: &[b"a", b"c"],
        log: Some(Some(start)),
        log_limit: MANY,
        ..Read::default()
    };
    let answer = probe.read(read).await;
    assert_eq!(answer.log.map(|log| log.entries.len()), Some(4));
    assert!(answer.time.is_some());
    assert!(matches!(&answer.values[..], [Some(value), None] if version_of(value) == written));
}

pub(super) async fn fills_are_not_logged(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    if !probe.store.guarantees().leases {
        return;
    }
    let start = probe.end().await;
    probe.grant(b"key", A).await;
    let version = probe
        .fill(b"key", A, envelope(MINUTE, "value"))
        .await
        .expect("it is held");
    assert_eq!(probe.since(start).await, []);
    assert!(
        probe.remove(b"key").await > version,
        "changes are numbered with the fills"
    );
}

pub(super) async fn repeated_changes(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let start = probe.end().await;
    let mut last = start;
    for _repeated in 0..2 {
        for how in [Invalidation::Remove, Invalidation::Expire] {
            let version = probe.invalidate(&[b"key"], how).await;
            assert!(version > last);
            last = version;
        }
        let version = probe.put(b"key", envelope(MINUTE, "value")).await;
        assert!(version > last);
        last = version;
    }
    assert_eq!(probe.since(start).await.len(), 6);
}

pub(super) async fn limited_by_number(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let start = probe.end().await;
    let mut last = start;
    for _change in 0..5 {
        last = probe.remove(b"key").await;
    }
    let answer = probe.log(Some(start), 5).await;
    assert_eq!(
        (answer.entries.len(), answer.gap, answer.position),
        (5, false, last)
    );
    for limit in [4, 1, 0] {
        let answer = probe.log(Some(start), limit).await;
        assert_eq!(
            (answer.entries.len(), answer.gap, answer.position),
            (0, true, last),
            "{limit}"
        );
    }
    let answer = probe.log(Some(last), 0).await;
    assert_eq!((answer.gap, answer.position), (false, last));
    let answer = probe.log(Some(start), usize::MAX).await;
    assert_eq!((answer.entries.len(), answer.gap), (5, false));
}

pub(super) async fn trimmed_logs_are_gaps(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let start = probe.end().await;
    let version = probe.put(b"key", envelope(MINUTE, "value")).await;
    subject.trim_logs().await;
    let read = Read {
        keys: &[b"key"],
        log: Some(Some(start)),
        log_limit: MANY,
        ..Read::default()
    };
    let answer = probe.read(read).await;
    let log = answer.log.expect("it was asked for");
    assert!(log.gap && log.entries.is_empty());
    assert_eq!(
        answer.values[0].as_ref().map(|value| version_of(value)),
        Some(version)
    );
    let removed = probe.remove(b"key").await;
    assert!(removed > log.position && log.position >= version);
    assert_eq!(
        probe.since(log.position).await,
        [change(removed, b"key", ChangeKind::Replaced)]
    );
}

pub(super) async fn lost_logs_are_gaps(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let position = probe.put(b"key", envelope(MINUTE, "value")).await;
    assert_eq!(probe.end().await, position);
    subject.flush().await;
    let answer = probe.log(Some(position), MANY).await;
    assert!(answer.gap && answer.entries.is_empty());
    assert_eq!(probe.since(answer.position).await, []);
    assert_eq!(probe.get(b"key").await, None);

    // The loss shows even if changes were logged before anyone looks.
    let position = answer.position;
    subject.flush().await;
    probe.remove(b"key").await;
    assert!(probe.log(Some(position), MANY).await.gap);
}

pub(super) async fn unknown_positions_are_gaps(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    probe.end().await;
    let position = probe.remove(b"key").await;
    for unknown in [0, 1, position + 1, 1 << 53, u64::MAX] {
        let answer = probe.log(Some(unknown), MANY).await;
        assert!(answer.gap && answer.entries.is_empty(), "{unknown}");
        assert_eq!(answer.position, position, "{unknown}");
    }
}

pub(super) async fn versions_rise_through_a_loss(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let mut last = 0;
    for round in 0..4 {
        let position = probe.end().await;
        assert!(position >= last, "{position} after {last} in round {round}");
        let version = probe.put(b"key", envelope(MINUTE, "value")).await;
        let removed = probe.remove(b"key").await;
        assert!(position < version && version < removed);
        last = removed;
        match round % 2 {
            0 => subject.flush().await,
            _ => subject.trim_logs().await,
        }
    }
}

pub(super) async fn each_shard_has_its_own(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let shards = probe.store.shards();
    if shards < 2 {
        return;
    }
    let (first, last) = (probe.shard(0), probe.shard(shards - 1));
    let (start, other) = (first.end().await, last.end().await);
    let version = last.remove(b"key").await;
    assert_eq!(first.since(start).await, []);
    assert_eq!(
        last.since(other).await,
        [change(version, b"key", ChangeKind::Replaced)]
    );
}
