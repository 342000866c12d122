//! Changes that the remote level did not take.

use crate::late_store::Late;
use crate::support::*;
use faas_sdk_cache::store::*;
use faas_sdk_cache::*;
use std::time::Duration;

#[tokio::test]
async fn a_failed_write_does_not_bring_a_removed_key_back() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    let other = world.cache();
    assert!(!cache.contains(&NOTE, "b").await.unwrap());
    store.down(true);
    cache.set(&NOTE, "a", "mine".into()).await.unwrap();
    store.down(false);
    world.clock.advance(SECOND);
    other.remove(&NOTE, "a").await.unwrap();
    world.clock.advance(SECOND * 5);
    assert!(!cache.contains(&NOTE, "zz").await.unwrap(), "reads the log");
    cache.flush().await;
    let got = world.cache().get(&NOTE, "a").await.unwrap();
    assert!(got.is_none(), "{got:?}");
}

#[tokio::test]
async fn a_failed_write_gets_no_new_life() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    assert!(!cache.contains(&NOTE, "b").await.unwrap());
    store.down(true);
    cache.set(&NOTE, "a", "mine".into()).await.unwrap();
    world.clock.advance(SECOND * 3600);
    store.down(false);
    cache.flush().await;
    let got = world.cache().get(&NOTE, "a").await.unwrap();
    assert!(got.is_none(), "{got:?}");
}

#[tokio::test]
async fn an_earlier_call_does_not_settle_a_later_debt_of_a_tag() {
    let world = World::new();
    let (unreliable, _) = world.unreliable();
    let late = Late::over(unreliable.clone());
    let cache = world.cache_over(late.clone());
    let other = world.cache();
    let g = late.hold("advance");
    let one = tokio::spawn({
        let c = cache.clone();
        async move { c.remove_by_tag("t").await }
    });
    g.arrival().await;
    // Applied at the store. Someone loads what is true now.
    other.set(&NOTE, "a", "old".into()).tag("t").await.unwrap();
    // The source changes, and the tag is removed again, which fails.
    unreliable.down(true);
    cache.remove_by_tag("t").await.unwrap();
    unreliable.down(false);
    g.open();
    one.await.unwrap().unwrap();
    assert!(cache.flush().await);
    world.clock.advance(SECOND * 5);
    for c in [&cache, &other] {
        let got = c.get(&NOTE, "a").await.unwrap();
        assert!(got.is_none(), "{got:?}");
    }
}

#[tokio::test]
async fn an_earlier_call_does_not_settle_a_later_debt_of_a_key() {
    let world = World::new();
    let (unreliable, _) = world.unreliable();
    let late = Late::over(unreliable.clone());
    let cache = world.cache_over(late.clone());
    let other = world.cache();
    let g = late.hold("invalidate");
    let one = tokio::spawn({
        let c = cache.clone();
        async move { c.remove(&NOTE, "a").await }
    });
    g.arrival().await;
    other.set(&NOTE, "a", "old".into()).await.unwrap();
    unreliable.down(true);
    cache.remove(&NOTE, "a").await.unwrap();
    unreliable.down(false);
    g.open();
    one.await.unwrap().unwrap();
    assert!(cache.flush().await);
    world.clock.advance(SECOND * 5);
    for c in [&cache, &other] {
        let got = c.get(&NOTE, "a").await.unwrap();
        assert!(got.is_none(), "{got:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_removal_is_owed() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    cache.set(&NOTE, "a", "old".into()).await.unwrap();
    store.hang(true);
    let removing = tokio::time::timeout(Duration::from_millis(100), async {
        cache.remove(&NOTE, "a").await
    })
    .await;
    assert!(removing.is_err());
    store.hang(false);
    let got = cache.get(&NOTE, "a").await.unwrap();
    assert!(got.is_none(), "{got:?}");
}

#[tokio::test]
async fn a_tag_removed_while_down_is_removed() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    store.down(true);
    cache.set(&NOTE, "a", "old".into()).tag("t").await.unwrap();
    assert!(cache.contains(&NOTE, "a").await.unwrap());
    cache.remove_by_tag("t").await.unwrap();
    let got = cache.get(&NOTE, "a").await.unwrap();
    assert!(got.is_none(), "{got:?}");
}

#[tokio::test]
async fn a_tag_of_the_loader_removed_while_down_counts() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    store.down(true);
    let gate = Gate::new();
    let loading = tokio::spawn({
        let (c, g) = (cache.clone(), gate.clone());
        async move {
            c.get(&NOTE, "a")
                .or_load(move |_| async move {
                    g.pass().await;
                    Ok(Loaded::value("old".to_owned()).tag("t"))
                })
                .await
        }
    });
    gate.arrival().await;
    cache.remove_by_tag("t").await.unwrap();
    gate.open();
    loading.await.unwrap().unwrap();
    let got = cache.get(&NOTE, "a").await.unwrap();
    assert!(got.is_none(), "{got:?}");
}

#[tokio::test]
async fn ones_own_pending_write_outlives_its_time_here() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    store.down(true);
    cache
        .set(&NOTE, "a", "mine".into())
        .l1_ttl(SECOND * 5)
        .await
        .unwrap();
    world.clock.advance(SECOND * 6);
    let many = cache.get_many(&NOTE, vec!["a"]).await.unwrap();
    let got = cache.get(&NOTE, "a").await.unwrap();
    assert!(
        got.is_some() && many[0].is_some(),
        "get {got:?} get_many {many:?}"
    );
}

#[tokio::test]
async fn what_is_loaded_while_down_takes_the_place_of_what_was_stale() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    let loads = Loads::default();
    safe(&cache, Ok("old"), &loads).await.unwrap();
    world.clock.advance(SECOND * 61);
    store.down(true);
    for _ in 0..10 {
        assert_eq!(*safe(&cache, Ok("new"), &loads).await.unwrap(), "new");
    }
    assert_eq!(loads.get(), 2);
}

#[tokio::test]
async fn errors_are_counted_once() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    store.down(true);
    let _ = cache.get(&NOTE, "a").await;
    assert_eq!(store.calls(), ["read"]);
    assert_eq!(cache.stats().remote_errors, 1);
}

#[tokio::test]
async fn a_failover_to_a_lagging_replica_is_a_gap_once() {
    let world = World::new();
    let replica = World {
        clock: world.clock.clone(),
        memory: MemoryStore::builder().clock(world.clock.clone()).build(),
    };
    let c = replica.cache(); // its log starts here, and ends here
    c.set(&NOTE, "z", "z".into()).await.unwrap();
    world.clock.advance(SECOND);
    let (u1, u2) = (world.unreliable().0, replica.unreliable().0);
    let late = Late::over(u1);
    let cache = world.cache_over(late.clone());
    cache.set(&NOTE, "a", "x".into()).await.unwrap();
    assert!(cache.contains(&NOTE, "b").await.is_ok());
    world.clock.advance(SECOND * 2);
    assert!(cache.contains(&NOTE, "a").await.unwrap());
    late.swap(u2);
    let loads = Loads::default();
    for _ in 0..20 {
        world.clock.advance(SECOND * 2);
        load(&cache, "a", "x", &loads).await;
    }
    assert!(cache.stats().gaps <= 2, "{:?}", cache.stats());
}
