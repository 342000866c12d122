use super::Subject;
use super::probe::{MANY, MINUTE, Probe, envelope, version_of};
use crate::store::{Change, Invalidation, Lease, Read, Token, Version};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;

const TASKS: u8 = 32;

pub(super) async fn one_grant_of_many(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    for round in 0..4_u8 {
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let probe = probe.clone();
            tasks.spawn(async move { probe.lease(&[round], Token([task; 16]), None).await });
        }
        let leases = tasks.join_all().await;
        let granted = leases
            .iter()
            .filter(|lease| matches!(lease, Lease::Granted))
            .count();
        let held = leases
            .iter()
            .filter(|lease| matches!(lease, Lease::Held { .. }))
            .count();
        assert_eq!((granted, held), (1, usize::from(TASKS) - 1));
    }
}

/// Every change of many tasks is logged once, in the order of the versions they were told.
pub(super) async fn changes_of_many(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let start = probe.end().await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let probe = probe.clone();
        tasks.spawn(async move {
            let mut versions = Vec::new();
            for change in 0..8_u8 {
                let key = [task, change];
                versions.push(match change % 3 {
                    0 => probe.put(&key, envelope(MINUTE, key)).await,
                    1 => probe.remove(&key).await,
                    _ => probe.invalidate(&[&key], Invalidation::Expire).await,
                });
            }
            assert!(versions.is_sorted_by(|a, b| a < b));
            (0..8)
                .map(move |change| [task, change])
                .zip(versions)
                .collect::<Vec<_>>()
        });
    }
    let mut told: Vec<([u8; 2], Version)> = tasks.join_all().await.into_iter().flatten().collect();
    told.sort_by_key(|(_, version)| *version);
    let logged = probe.since(start).await;
    assert!(
        logged
            .iter()
            .map(|Change { key, version, .. }| (&key[..], *version))
            .eq(told.iter().map(|(key, version)| (&key[..], *version)))
    );
}

/// A value is at least as new as the log that was read with it.
pub(super) async fn values_are_not_older_than_the_log(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let mut position = probe.end().await;
    probe.put(b"key", envelope(MINUTE, "first")).await;
    let over = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (probe, over) = (probe.clone(), Arc::clone(&over));
        async move {
            for _write in 0..300 {
                probe.put(b"key", envelope(MINUTE, "value")).await;
            }
            over.store(true, Ordering::Release);
        }
    });
    let mut logged = 0;
    loop {
        let last = over.load(Ordering::Acquire);
        let read = Read {
            keys: &[b"key"],
            log: Some(Some(position)),
            log_limit: MANY,
            ..Read::default()
        };
        let answer = probe.read(read).await;
        let log = answer.log.expect("it was asked for");
        assert!(!log.gap);
        logged += log.entries.len();
        position = log.position;
        let version = answer.values[0].as_ref().map(|value| version_of(value));
        assert!(version >= Some(position), "{version:?} at {position}");
        if last {
            break;
        }
        // A store that never waits would keep the others from running.
        tokio::task::yield_now().await;
    }
    writer.await.expect("the writer ends");
    assert_eq!(logged, 301);
}

/// A generation is at least as new as the log that was read with it.
pub(super) async fn generations_are_not_older_than_the_log(subject: &dyn Subject) {
    let probe = Probe::open(subject).await;
    let mut position = probe.tag_log(None, MANY).await.position;
    let over = Arc::new(AtomicBool::new(false));
    let advancer = tokio::spawn({
        let (probe, over) = (probe.clone(), Arc::clone(&over));
        async move {
            for round in 0..300 {
                probe.advance(&[["a", "b", "c"][round % 3]]).await;
            }
            over.store(true, Ordering::Release);
        }
    });
    let mut known: HashMap<String, Version> = HashMap::new();
    let mut logged = 0;
    loop {
        let last = over.load(Ordering::Acquire);
        let names = ["a", "b", "c"];
        let read = Read {
            names: &names,
            tag_log: Some(Some(position)),
            log_limit: MANY,
            ..Read::default()
        };
        let answer = probe.read(read).await;
        let log = answer.tag_log.expect("it was asked for");
        assert!(!log.gap);
        logged += log.entries.len();
        position = log.position;
        for new in log.entries {
            let before = known.insert(new.name, new.generation);
            assert!(before < Some(new.generation));
        }
        for (name, generation) in names.iter().zip(&answer.generations) {
            assert!(
                known.get(*name).is_none_or(|known| generation >= known),
                "{name}"
            );
        }
        if last {
            break;
        }
        // A store that never waits would keep the others from running.
        tokio::task::yield_now().await;
    }
    advancer.await.expect("it ends");
    assert_eq!(logged, 300);
}
