use crate::support::*;
use faas_sdk_cache::Source;
use std::time::Duration;

#[tokio::test]
async fn a_change_elsewhere_is_noticed_within_the_bound() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    load(&first, "a", "old", &loads).await;
    assert_eq!(load(&second, "a", "never", &loads).await, "old");
    first.set(&NOTE, "a", "new".into()).await.expect("no error");
    world.clock.advance(Duration::from_millis(900));
    assert_eq!(
        load(&second, "a", "never", &loads).await,
        "old",
        "within the bound"
    );
    world.clock.advance(Duration::from_millis(200));
    assert_eq!(load(&second, "a", "never", &loads).await, "new");
    first.remove(&NOTE, "a").await.expect("no error");
    world.clock.advance(SECOND * 2);
    assert_eq!(load(&second, "a", "newest", &loads).await, "newest");
}

#[tokio::test]
async fn the_log_costs_one_read_and_keeps_what_has_not_changed() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    let loads = Loads::default();
    load(&cache, "a", "x", &loads).await;
    store.calls();
    for _ in 0..10 {
        load(&cache, "a", "x", &loads).await;
    }
    assert!(store.calls().is_empty());
    world.clock.advance(SECOND * 2);
    for _ in 0..10 {
        let got = cache
            .get(&NOTE, "a")
            .await
            .expect("no error")
            .expect("a value");
        assert_eq!(got.source(), Source::L1);
    }
    assert_eq!(store.calls(), ["read"]);
    assert_eq!(loads.get(), 1);
}

#[tokio::test]
async fn many_hits_ask_for_the_log_once() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    load(&cache, "a", "x", &Loads::default()).await;
    world.clock.advance(SECOND * 2);
    store.calls();
    let gate = store.hold("read");
    let hits: Vec<_> = (0..50)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { load(&cache, "a", "x", &Loads::default()).await })
        })
        .collect();
    gate.arrival().await;
    gate.open();
    for hit in hits {
        assert_eq!(hit.await.expect("no panic"), "x");
    }
    assert_eq!(store.calls().len(), 1);
}

#[tokio::test]
async fn ones_own_changes_do_not_cost_ones_own_values() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    cache.set(&NOTE, "a", "x".into()).await.expect("no error");
    world.clock.advance(SECOND * 2);
    let got = cache
        .get(&NOTE, "a")
        .await
        .expect("no error")
        .expect("a value");
    assert_eq!(got.source(), Source::L1, "{:?}", store.calls());
}

#[tokio::test]
async fn a_gap_of_any_kind_voids_what_is_here() {
    let cut: [fn(&World); 3] = [
        |world| world.memory.trim_log(),
        |world| world.memory.flush(),
        // More changes than are taken one by one.
        |_| {},
    ];
    for (index, cut) in cut.into_iter().enumerate() {
        let world = World::new();
        let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
        load(&first, "a", "old", &loads).await;
        load(&second, "a", "old", &loads).await;
        first.set(&NOTE, "a", "new".into()).await.expect("no error");
        if index == 2 {
            for key in 0..1500_u32 {
                first.remove(&NOTE, &key).await.expect("no error");
            }
        }
        cut(&world);
        world.clock.advance(SECOND * 2);
        assert_ne!(
            load(&second, "a", "loaded", &loads).await,
            "old",
            "cut {index}"
        );
        assert!(second.stats().gaps > 0, "cut {index}");
    }
}

#[tokio::test]
async fn after_a_thaw_nothing_is_served_unverified() {
    let world = World::new();
    let instance = world.instance();
    let cache = faas_sdk_cache::Cache::builder()
        .instance(&instance)
        .store(world.memory.clone())
        .build();
    let (other, loads) = (world.cache(), Loads::default());
    load(&cache, "a", "old", &loads).await;
    other.set(&NOTE, "a", "new".into()).await.expect("no error");
    instance.mark_thawed();
    assert_eq!(load(&cache, "a", "never", &loads).await, "new");
}

#[tokio::test]
async fn instances_with_clocks_an_hour_apart_agree() {
    use faas_sdk_scope::{Instance, ManualClock};
    use std::sync::Arc;
    let world = World::new();
    let ahead = Arc::new(ManualClock::new());
    ahead.advance(SECOND * 3600);
    let instance = Instance::builder().clock(Arc::clone(&ahead)).build();
    let other = faas_sdk_cache::Cache::builder()
        .instance(&instance)
        .store(world.memory.clone())
        .build();
    let (cache, loads) = (world.cache(), Loads::default());
    for round in 0..3 {
        load(&cache, "a", &format!("here {round}"), &loads).await;
        let got = other
            .get(&NOTE, "a")
            .await
            .expect("no error")
            .expect("fresh for both");
        assert_eq!(
            (&**got, got.age()),
            (format!("here {round}").as_str(), Duration::ZERO)
        );
        // R13: the later write wins, whoever's clock is ahead.
        other
            .set(&NOTE, "a", "ahead".into())
            .await
            .expect("no error");
        cache
            .set(&NOTE, "a", "behind".into())
            .await
            .expect("no error");
        world.clock.advance(SECOND * 2);
        ahead.advance(SECOND * 2);
        assert_eq!(load(&other, "a", "never", &loads).await, "behind");
        cache.remove(&NOTE, "a").await.expect("no error");
        world.clock.advance(SECOND * 2);
        ahead.advance(SECOND * 2);
        assert!(other.get(&NOTE, "a").await.expect("no error").is_none());
    }
}
