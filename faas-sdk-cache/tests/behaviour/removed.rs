//! What was removed does not come back.

use crate::support::*;
use faas_sdk_cache::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn first_position_is_a_gap() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    let (other, loads) = (world.cache(), Loads::default());
    store.down(true);
    assert_eq!(load(&cache, "a", "old", &loads).await, "old");
    store.down(false);
    other.set(&NOTE, "a", "new".into()).await.unwrap();
    world.clock.advance(SECOND * 5);
    assert_eq!(load(&cache, "a", "never", &loads).await, "new");
    world.clock.advance(SECOND * 5);
    assert_eq!(load(&cache, "a", "never", &loads).await, "new");
}

#[tokio::test]
async fn get_many_does_not_serve_what_was_removed_elsewhere() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    load(&first, "a", "old", &loads).await;
    assert_eq!(load(&second, "a", "never", &loads).await, "old");
    first.remove(&NOTE, "a").await.unwrap();
    world.clock.advance(SECOND * 2);
    let got = second
        .get_many(&NOTE, vec!["a"])
        .or_load_many(|_| async { Err::<Vec<(&str, String)>, _>(LoadError::new("gone")) })
        .await;
    assert!(got.is_err(), "{got:?}");
}

#[tokio::test]
async fn a_fallback_does_not_outlive_its_removal_elsewhere() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    safe(&first, Ok("old"), &loads).await.unwrap();
    safe(&second, Ok("never"), &loads).await.unwrap();
    world.clock.advance(SECOND * 61);
    first.remove(&SAFE, "a").await.unwrap();
    world.clock.advance(SECOND * 5);
    let got = safe(&second, Err("no"), &loads).await;
    assert!(got.is_err(), "{got:?}");
}

#[tokio::test]
async fn a_removed_value_is_not_armed_again() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    safe(&first, Ok("old"), &loads).await.unwrap();
    safe(&second, Ok("never"), &loads).await.unwrap();
    world.clock.advance(SECOND * 61);
    first.remove(&SAFE, "a").await.unwrap();
    world.clock.advance(SECOND * 5);
    let gate = Gate::new();
    let loading = tokio::spawn({
        let (first, gate) = (first.clone(), gate.clone());
        async move {
            first
                .get(&SAFE, "a")
                .or_load(move |_| async move {
                    gate.pass().await;
                    Ok("new".to_owned())
                })
                .await
        }
    });
    gate.arrival().await;
    let got =
        tokio::time::timeout(Duration::from_millis(200), safe(&second, Ok("x"), &loads)).await;
    gate.open();
    loading.await.unwrap().unwrap();
    let later = {
        world.clock.advance(SECOND * 20);
        safe(&second, Ok("never"), &loads).await.unwrap()
    };
    assert!(got.is_err() && *later == "new", "{got:?} later {later:?}");
}

#[tokio::test]
async fn not_modified_does_not_bring_a_removed_value_back() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    safe(&first, Ok("old"), &loads).await.unwrap();
    safe(&second, Ok("never"), &loads).await.unwrap();
    first.remove(&SAFE, "a").await.unwrap();
    world.clock.advance(SECOND * 70);
    let seen = Arc::new(Mutex::new(None));
    let s = seen.clone();
    let _ = second
        .get(&SAFE, "a")
        .or_load(move |l| async move {
            *s.lock().unwrap() = l.stale.map(|v| v.to_string());
            Ok("x".to_owned())
        })
        .await;
    assert_eq!(
        *seen.lock().unwrap(),
        None,
        "the loader is told of a removed value"
    );
}

#[tokio::test]
async fn a_thing_that_is_gone_leaves_no_fallback() {
    let world = World::new();
    let cache = world.cache();
    let loads = Loads::default();
    safe(&cache, Ok("old"), &loads).await.unwrap();
    world.clock.advance(SECOND * 61);
    let got = cache
        .get(&SAFE, "a")
        .or_load(|_| async { Ok(None::<String>) })
        .await;
    assert!(got.unwrap_err().is_absent());
    let got = safe(&cache, Err("down"), &loads).await;
    assert!(got.is_err(), "{got:?}");
}

#[tokio::test]
async fn ones_own_clear_voids_once() {
    let world = World::new();
    let cache = world.cache();
    let loads = Loads::default();
    load(&cache, "a", "x", &loads).await;
    cache.clear(&NOTE).await.unwrap();
    load(&cache, "a", "x", &loads).await;
    world.clock.advance(SECOND * 2);
    let got = cache.get(&NOTE, "a").await.unwrap().unwrap();
    assert_eq!(got.source(), Source::L1);
}

#[tokio::test]
async fn after_a_clear_instances_share_what_one_has_loaded() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    load(&first, "b", "x", &loads).await;
    load(&second, "b", "x", &loads).await;
    let before = loads.get();
    first.clear(&NOTE).await.unwrap();
    load(&first, "a", "new", &loads).await;
    load(&second, "a", "new", &loads).await;
    world.clock.advance(SECOND * 2);
    load(&first, "a", "new", &loads).await;
    load(&second, "a", "new", &loads).await;
    assert_eq!(loads.get() - before, 1);
}

#[tokio::test]
async fn ones_own_change_does_not_void_ones_own_large_value() {
    let world = World::new();
    let cache = world
        .builder()
        .store(world.memory.clone())
        .value_cap(1000)
        .build();
    let text: String = (0..2000).map(|_| fastrand::alphanumeric()).collect();
    cache.set(&NOTE, "a", text).await.unwrap();
    assert!(cache.contains(&NOTE, "a").await.unwrap());
    world.clock.advance(SECOND * 2);
    assert!(cache.contains(&NOTE, "a").await.unwrap());
}
