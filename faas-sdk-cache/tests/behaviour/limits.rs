//! Extremes of load and of settings.

use crate::support::*;
use faas_sdk_cache::*;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_lost_runtime_leaves_nobody_waiting() {
    let world = World::new();
    let cache = world.cache();
    let rt = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let one = rt();
    one.block_on(async {
        let mut get = cache.get(&NOTE, "a").into_future();
        let _ = poll_once(&mut get).await;
    });
    drop(one);
    let got = rt().block_on(async {
        tokio::time::timeout(
            Duration::from_secs(5),
            load(&cache, "a", "x", &Loads::default()),
        )
        .await
    });
    assert!(got.is_ok(), "hangs");
}

#[test]
fn many_sets_at_once_are_all_stored() {
    let cache = Cache::builder().capacity(64 << 20).build();
    let lost = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let threads: Vec<_> = (0..4_u64)
        .map(|t| {
            let (cache, lost) = (cache.clone(), lost.clone());
            std::thread::spawn(move || {
                let rt = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                rt.block_on(async {
                    for i in 0..40_000_u64 {
                        let key = (t * 1000) + i % 1000;
                        cache.set(&NOTE, &key, "x".into()).await.unwrap();
                        if !cache.contains(&NOTE, &key).await.unwrap() {
                            lost.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        }
                    }
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(lost.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_lease_may_be_endless() {
    let world = World::new();
    let (first, second) = (world.cache(), world.cache());
    let gate = Gate::new();
    let loading = tokio::spawn({
        let (c, g) = (first.clone(), gate.clone());
        async move {
            c.get(&NOTE, "a")
                .lease(Duration::MAX)
                .or_load(move |_| async move {
                    g.pass().await;
                    Ok("x".to_owned())
                })
                .await
        }
    });
    gate.arrival().await;
    let w = tokio::spawn(async move {
        second
            .get(&NOTE, "a")
            .lease(Duration::MAX)
            .or_load(|_| async { Ok("y".to_owned()) })
            .await
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    gate.open();
    loading.await.unwrap().unwrap();
    let got = w.await.unwrap();
    assert!(got.is_ok(), "{got:?}");
}

#[tokio::test]
async fn an_early_refresh_may_be_asked_for_in_any_way() {
    for (eager, ttl) in [(f64::NAN, SECOND), (0.0, Duration::MAX)] {
        let r = tokio::spawn(async move {
            let cache = Cache::local();
            for _ in 0..2 {
                cache
                    .get(&NOTE, "a")
                    .ttl(ttl)
                    .eager(eager)
                    .or_load(|_| async { Ok("y".to_owned()) })
                    .await
                    .unwrap();
            }
        })
        .await;
        assert!(r.is_ok(), "{eager} {ttl:?}: {r:?}");
    }
}
