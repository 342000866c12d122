use super::Subject;
use super::probe::{A, B, MINUTE, OWN, Probe, SOON, envelope, version_of};
use crate::store::{Fill, Invalidation, Lease, LeaseRequest, Token, Write};
use std::time::Duration;

pub(super) async fn one_holder(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    probe.grant(b"key", A).await;
    probe.held(b"key", B).await;
    probe.grant(b"key", A).await;
    probe.grant(b"other", B).await;

    probe.release(b"key", B).await;
    probe.held(b"key", B).await;
    for _repeated in 0..2 {
        probe.release(b"key", A).await;
    }
    probe.grant(b"key", B).await;
    probe.held(b"key", A).await;
    probe.release(b"absent", A).await;
}

pub(super) async fn ends_with_its_time(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let request = LeaseRequest {
        key: b"key",
        token: A,
        ttl: SOON,
        rejected: None,
    };
    let lease = probe.leases(&[request]).await.remove(0);
    assert!(matches!(lease, Lease::Granted), "{lease:?}");
    subject.pass(SOON * 2).await;
    assert_eq!(probe.fill(b"key", A, envelope(MINUTE, "late")).await, None);
    probe.grant(b"key", B).await;
    assert_eq!(probe.fill(b"key", A, envelope(MINUTE, "late")).await, None);
    assert_eq!(probe.get(b"key").await, None);
    assert!(
        probe
            .fill(b"key", B, envelope(MINUTE, "in time"))
            .await
            .is_some()
    );

    // Neither the shortest nor the longest is an error.
    for ttl in [Duration::ZERO, Duration::MAX] {
        let request = LeaseRequest {
            key: b"extreme",
            token: A,
            ttl,
            rejected: None,
        };
        let lease = probe.leases(&[request]).await.remove(0);
        assert!(matches!(lease, Lease::Granted), "{ttl:?}: {lease:?}");
    }
    let lease = probe.lease(b"extreme", B, None).await;
    assert!(matches!(lease, Lease::Held { .. }), "{lease:?}");
}

pub(super) async fn fills_need_it(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let given = envelope(MINUTE, "value");
    assert_eq!(probe.fill(b"key", A, given.clone()).await, None);
    probe.grant(b"key", A).await;
    assert_eq!(probe.fill(b"key", B, given.clone()).await, None);
    assert_eq!(probe.get(b"key").await, None);

    let version = probe
        .fill(b"key", A, given.clone())
        .await
        .expect("it holds the lease");
    let found = probe.get(b"key").await.expect("it was filled");
    assert_eq!(
        (version_of(&found), &found[OWN..]),
        (version, &given[OWN..])
    );
    let lease = probe.lease(b"key", B, Some(version)).await;
    assert!(
        matches!(lease, Lease::Granted),
        "a fill ends the lease: {lease:?}"
    );
    let later = probe
        .fill(b"key", B, given)
        .await
        .expect("it holds the lease");
    assert!(later > version);
}

pub(super) async fn voided_by_changes(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    for how in [Invalidation::Remove, Invalidation::Expire] {
        probe.grant(b"key", A).await;
        probe.invalidate(&[b"other", b"key"], how).await;
        assert_eq!(probe.fill(b"key", A, envelope(MINUTE, "stale")).await, None);
        assert_eq!(probe.get(b"key").await, None);
        probe.grant(b"key", B).await;
        assert_eq!(probe.fill(b"key", A, envelope(MINUTE, "stale")).await, None);
        probe.release(b"key", B).await;
    }
    probe.grant(b"key", A).await;
    let version = probe.put(b"key", envelope(MINUTE, "new")).await;
    assert_eq!(probe.fill(b"key", A, envelope(MINUTE, "stale")).await, None);
    assert_eq!(
        probe.get(b"key").await.map(|value| version_of(&value)),
        Some(version)
    );
}

pub(super) async fn fresh_values_first(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let version = probe.put(b"key", envelope(MINUTE, "value")).await;
    for rejected in [
        None,
        Some(0),
        Some(version - 1),
        Some(version + 1),
        Some(u64::MAX),
    ] {
        let lease = probe.lease(b"key", A, rejected).await;
        let Lease::Value(value) = lease else {
            panic!("{rejected:?}: {lease:?}")
        };
        assert_eq!(Some(value), probe.get(b"key").await);
    }
    // It was not given, so it is not held.
    assert_eq!(probe.fill(b"key", A, envelope(MINUTE, "other")).await, None);
}

pub(super) async fn stale_values_are_loaded(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    probe
        .put(b"never fresh", envelope(Duration::ZERO, "value"))
        .await;
    probe.put(b"expires", envelope(SOON, "value")).await;
    probe.put(b"expired", envelope(MINUTE, "value")).await;
    probe.invalidate(&[b"expired"], Invalidation::Expire).await;
    subject.pass(SOON * 2).await;
    for key in [&b"never fresh"[..], b"expires", b"expired"] {
        assert!(probe.get(key).await.is_some(), "{key:?} is a fallback");
        probe.grant(key, A).await;
        probe.held(key, B).await;
        assert!(probe.fill(key, A, envelope(MINUTE, "new")).await.is_some());
        let lease = probe.lease(key, B, None).await;
        assert!(matches!(lease, Lease::Value(_)), "{key:?}: {lease:?}");
    }
}

pub(super) async fn rejected_values_are_loaded(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let version = probe.put(b"key", envelope(MINUTE, "value")).await;
    let lease = probe.lease(b"key", A, Some(version)).await;
    assert!(matches!(lease, Lease::Granted), "{lease:?}");
    let lease = probe.lease(b"key", B, Some(version)).await;
    assert!(matches!(lease, Lease::Held { .. }), "{lease:?}");
    let lease = probe.lease(b"key", B, None).await;
    assert!(
        matches!(lease, Lease::Value(_)),
        "others may take it: {lease:?}"
    );
    let new = probe
        .fill(b"key", A, envelope(MINUTE, "new"))
        .await
        .expect("it holds the lease");
    let lease = probe.lease(b"key", B, Some(version)).await;
    assert!(matches!(lease, Lease::Value(value) if version_of(&value) == new));
}

pub(super) async fn repeated_fills(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let given = envelope(MINUTE, "value");
    probe.grant(b"key", A).await;
    let version = probe.fill(b"key", A, given.clone()).await;
    assert!(version.is_some());
    for _repeated in 0..2 {
        assert_eq!(probe.fill(b"key", A, given.clone()).await, version);
    }
    assert_eq!(probe.fill(b"key", A, envelope(MINUTE, "other")).await, None);
    assert_eq!(probe.fill(b"key", A, envelope(SOON, "value")).await, None);

    probe.invalidate(&[b"key"], Invalidation::Expire).await;
    assert_eq!(
        probe.fill(b"key", A, given.clone()).await,
        None,
        "it has been expired since"
    );
    probe.remove(b"key").await;
    assert_eq!(
        probe.fill(b"key", A, given).await,
        None,
        "it has been removed since"
    );
    assert_eq!(probe.get(b"key").await, None);
}

pub(super) async fn several_at_once(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    probe.put(b"fresh", envelope(MINUTE, "value")).await;
    let seen = probe.put(b"rejected", envelope(MINUTE, "value")).await;
    probe.grant(b"held", B).await;
    let request = |key, n, rejected| LeaseRequest {
        key,
        token: Token([n; 16]),
        ttl: MINUTE,
        rejected,
    };
    let requests = [
        request(b"held", 1, None),
        request(b"absent", 2, None),
        request(b"fresh", 3, None),
        request(b"rejected", 4, Some(seen)),
    ];
    let leases = probe.leases(&requests).await;
    assert!(
        matches!(
            leases[..],
            [
                Lease::Held { .. },
                Lease::Granted,
                Lease::Value(_),
                Lease::Granted
            ]
        ),
        "{leases:?}"
    );

    let fill = |key, n| Fill {
        key,
        token: Token([n; 16]),
        envelope: envelope(MINUTE, [n]),
        physical: MINUTE,
    };
    let fills = [
        fill(b"held", 1),
        fill(b"absent", 2),
        fill(b"fresh", 3),
        fill(b"rejected", 4),
    ];
    let versions = probe.store.fill(0, &fills).await.expect("fills succeed");
    let [None, Some(first), None, Some(second)] = versions[..] else {
        panic!("{versions:?}")
    };
    assert!(seen < first && first < second);

    let write = |key| Write {
        key,
        envelope: envelope(MINUTE, "x"),
        physical: MINUTE,
        unless_after: Some(first),
    };
    let versions = probe
        .write(&[write(b"absent"), write(b"rejected"), write(b"held")])
        .await;
    assert!(
        matches!(versions[..], [Some(_), None, Some(_)]),
        "{versions:?}"
    );
    assert_eq!(
        probe.fill(b"held", B, envelope(MINUTE, "stale")).await,
        None
    );

    probe.grant(b"one", A).await;
    probe.grant(b"two", A).await;
    let released = probe
        .store
        .release(0, &[(b"two", A), (b"one", B), (b"three", A)])
        .await;
    assert!(released.is_ok());
    probe.grant(b"two", B).await;
    probe.held(b"one", B).await;
}
