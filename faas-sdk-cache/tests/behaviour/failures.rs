use crate::support::*;
use faas_sdk_cache::{ErrorKind, Source};

#[tokio::test]
async fn without_the_remote_level_there_is_this_one_and_the_loader() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    let loads = Loads::default();
    store.down(true);
    assert_eq!(load(&cache, "a", "one", &loads).await, "one");
    assert_eq!(load(&cache, "a", "two", &loads).await, "one");
    cache.set(&NOTE, "b", "set".into()).await.expect("no error");
    assert_eq!(load(&cache, "b", "never", &loads).await, "set");
    cache.remove(&NOTE, "a").await.expect("no error");
    assert_eq!(load(&cache, "a", "three", &loads).await, "three");
    assert!(cache.stats().remote_errors > 0);
    let strict = cache
        .remove(&NOTE, "a")
        .strict()
        .await
        .expect_err("asked for");
    assert_eq!(strict.kind(), ErrorKind::Remote);
}

#[tokio::test]
async fn what_cannot_be_verified_is_served_as_stale() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    load(&cache, "a", "x", &Loads::default()).await;
    store.down(true);
    world.clock.advance(SECOND * 2);
    let got = cache
        .get(&NOTE, "a")
        .await
        .expect("no error")
        .expect("a value");
    assert_eq!((got.source(), got.is_stale()), (Source::L1, true));
    store.down(false);
    world.clock.advance(SECOND * 60);
    assert!(cache.get(&NOTE, "a").await.expect("no error").is_none());
}

// R11.
#[tokio::test]
async fn a_removal_that_failed_is_made_up_for() {
    for losing in [false, true] {
        let world = World::new();
        let (store, cache) = world.unreliable();
        cache.set(&NOTE, "a", "old".into()).await.expect("no error");
        if losing {
            store.lose_answers(true);
        } else {
            store.down(true);
        }
        cache.remove(&NOTE, "a").await.expect("no error");
        store.down(false);
        store.lose_answers(false);
        let loads = Loads::default();
        assert_eq!(
            load(&cache, "a", "new", &loads).await,
            "new",
            "the remote level's word does not count"
        );
        tokio::task::yield_now().await;
        assert!(cache.flush().await);
        let other = world.cache();
        assert_ne!(load(&other, "a", "newer", &loads).await, "old");
    }
}

#[tokio::test]
async fn a_value_that_could_not_be_written_ends_the_old_one() {
    for removed_elsewhere in [false, true] {
        let world = World::new();
        let (store, cache) = world.unreliable();
        cache.set(&NOTE, "a", "old".into()).await.expect("no error");
        store.down(true);
        cache
            .set(&NOTE, "a", "mine".into())
            .await
            .expect("no error");
        assert_eq!(load(&cache, "a", "never", &Loads::default()).await, "mine");
        store.down(false);
        world.clock.advance(SECOND);
        if removed_elsewhere {
            world.cache().remove(&NOTE, "a").await.expect("no error");
        }
        assert!(cache.flush().await);
        let other = load(&world.cache(), "a", "loaded", &Loads::default()).await;
        assert_eq!(
            other, "loaded",
            "neither the old value nor one that may be old by now"
        );
    }
}

#[tokio::test]
async fn a_tag_removed_while_the_remote_level_is_down_stays_removed() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    cache
        .set(&NOTE, "a", "old".into())
        .tag("t")
        .await
        .expect("no error");
    assert!(cache.contains(&NOTE, "a").await.expect("no error"));
    store.down(true);
    cache.remove_by_tag("t").await.expect("no error");
    assert!(!cache.contains(&NOTE, "a").await.expect("no error"));
    store.down(false);
    assert!(
        !cache.contains(&NOTE, "a").await.expect("no error"),
        "not before it is told"
    );
    assert!(cache.flush().await);
    assert!(!cache.contains(&NOTE, "a").await.expect("no error"));
    assert!(!world.cache().contains(&NOTE, "a").await.expect("no error"));
    cache
        .set(&NOTE, "a", "new".into())
        .tag("t")
        .await
        .expect("no error");
    assert!(world.cache().contains(&NOTE, "a").await.expect("no error"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_costs_its_timeout_and_then_nothing() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    let loads = Loads::default();
    store.hang(true);
    let start = tokio::time::Instant::now();
    for key in 0..100_u32 {
        let got = cache
            .get(&NOTE, &key)
            .or_load(|_| async { Ok("x".to_owned()) });
        got.await.expect("a value");
    }
    let cost = start.elapsed();
    assert!(cost <= SECOND * 3, "{cost:?}");
    store.hang(false);
    world.clock.advance(SECOND * 60);
    load(&cache, "a", "x", &loads).await;
    assert!(
        world.cache().contains(&NOTE, "a").await.expect("no error"),
        "the circuit closes again"
    );
}

#[tokio::test]
async fn a_fill_whose_answer_is_lost_is_no_harm() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    let gate = store.hold("fill");
    let loads = Loads::default();
    let loading = tokio::spawn({
        let (cache, loads) = (cache.clone(), loads.clone());
        async move { load(&cache, "a", "x", &loads).await }
    });
    gate.arrival().await;
    store.lose_answers(true);
    gate.open();
    assert_eq!(loading.await.expect("no panic"), "x");
    store.lose_answers(false);
    assert_eq!(load(&cache, "a", "never", &loads).await, "x");
    assert_eq!(load(&world.cache(), "a", "never", &loads).await, "x");
}

// R8.
#[tokio::test]
async fn one_reads_ones_own_writes_while_the_remote_level_fails() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    cache.set(&NOTE, "a", "old".into()).await.expect("no error");
    store.down(true);
    cache
        .set(&NOTE, "a", "mine".into())
        .await
        .expect("no error");
    for _ in 0..3 {
        let got = cache.get(&NOTE, "a").await.expect("no error");
        assert_eq!(&**got.expect("a value"), "mine");
        world.clock.advance(SECOND * 2);
    }
    store.down(false);
    for _ in 0..3 {
        assert_ne!(load(&cache, "a", "loaded", &Loads::default()).await, "old");
        world.clock.advance(SECOND * 2);
    }
}
