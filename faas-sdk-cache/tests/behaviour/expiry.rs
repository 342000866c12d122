use crate::support::*;
use faas_sdk_cache::{Cache, ErrorKind, LoadError, Loaded, Region, Source};
use std::time::Duration;

const SAFE: Region<String> = Region::new("safe")
    .ttl(Duration::from_secs(10))
    .jitter(0.0)
    .fail_safe(Duration::from_secs(100), Duration::from_secs(5));

async fn fail(cache: &Cache, loads: &Loads) -> Result<(String, bool), faas_sdk_cache::Error> {
    let loads = loads.clone();
    let got = cache.get(&SAFE, "a").or_load(move |_| async move {
        loads.count();
        Err::<String, _>(LoadError::from("the source is down"))
    });
    got.await
        .map(|cached| (cached.to_string(), cached.is_stale()))
}

#[tokio::test]
async fn what_comes_from_afar_is_not_made_young_again() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    load(&first, "a", "one", &loads).await;
    world.clock.advance(SECOND * 50);
    let got = second
        .get(&NOTE, "a")
        .await
        .expect("no error")
        .expect("a value");
    assert_eq!((got.source(), got.age()), (Source::L2, SECOND * 50));
    world.clock.advance(SECOND * 9);
    assert!(second.contains(&NOTE, "a").await.expect("no error"));
    world.clock.advance(SECOND * 2);
    assert!(
        !second.contains(&NOTE, "a").await.expect("no error"),
        "the minute is over"
    );
}

#[tokio::test]
async fn each_clock_ages_a_value_through_a_freeze() {
    for (monotonic, boottime, realtime) in [(61, 0, 0), (0, 61, 0), (0, 0, 61)] {
        let world = World::new();
        let cache = world.builder().build();
        let loads = Loads::default();
        load(&cache, "a", "one", &loads).await;
        world
            .clock
            .step(SECOND * monotonic, SECOND * boottime, SECOND * realtime);
        assert_eq!(load(&cache, "a", "two", &loads).await, "two");
    }
}

#[tokio::test]
async fn the_level_here_may_be_shorter_lived() {
    const SHORT: Region<String> = Region::new("short")
        .ttl(Duration::from_secs(60))
        .l1_ttl(Duration::from_secs(3))
        .jitter(0.0);
    let world = World::new();
    let cache = world.cache();
    cache.set(&SHORT, "a", "x".into()).await.expect("no error");
    let source = async || {
        cache
            .get(&SHORT, "a")
            .await
            .expect("no error")
            .expect("a value")
            .source()
    };
    assert_eq!(source().await, Source::L1);
    world.clock.advance(SECOND * 4);
    assert_eq!(source().await, Source::L2);
    assert_eq!(source().await, Source::L1);
}

#[tokio::test]
async fn a_stale_value_stands_in_and_the_loader_is_left_alone_for_a_while() {
    let world = World::new();
    let (cache, loads) = (world.cache(), Loads::default());
    cache.set(&SAFE, "a", "old".into()).await.expect("no error");
    world.clock.advance(SECOND * 11);
    assert_eq!(
        fail(&cache, &loads).await.expect("a value"),
        ("old".into(), true)
    );
    assert_eq!(
        fail(&cache, &loads).await.expect("a value"),
        ("old".into(), true)
    );
    assert_eq!(loads.get(), 1, "throttled");
    world.clock.advance(SECOND * 6);
    assert_eq!(fail(&cache, &loads).await.expect("a value").0, "old");
    assert_eq!(loads.get(), 2);
    // R12: it has not been written back, so that another instance sees how old it is.
    let other = world.cache();
    assert!(other.get(&SAFE, "a").await.expect("no error").is_none());
    assert_eq!(
        fail(&other, &loads).await.expect("a value"),
        ("old".into(), true)
    );
    world.clock.advance(SECOND * 100);
    assert_eq!(
        fail(&cache, &loads).await.expect_err("too old").kind(),
        ErrorKind::Load
    );
}

#[tokio::test]
async fn an_error_is_not_cached() {
    let world = World::new();
    let (cache, loads) = (world.cache(), Loads::default());
    for _ in 0..2 {
        assert_eq!(
            fail(&cache, &loads).await.expect_err("an error").kind(),
            ErrorKind::Load
        );
    }
    assert_eq!(loads.get(), 2);
}

#[tokio::test]
async fn expire_keeps_a_fallback_everywhere_and_remove_does_not() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    first.set(&SAFE, "a", "old".into()).await.expect("no error");
    assert!(second.contains(&SAFE, "a").await.expect("no error"));
    first.expire(&SAFE, "a").await.expect("no error");
    world.clock.advance(SECOND * 2);
    for cache in [&first, &second, &world.cache()] {
        assert!(!cache.contains(&SAFE, "a").await.expect("no error"));
        assert_eq!(
            fail(cache, &loads).await.expect("a value"),
            ("old".into(), true)
        );
        let stale = cache
            .get(&SAFE, "a")
            .allow_stale()
            .await
            .expect("no error")
            .expect("a value");
        assert!(stale.is_stale());
    }
    first.remove(&SAFE, "a").await.expect("no error");
    world.clock.advance(SECOND * 2);
    for cache in [&first, &second] {
        assert!(fail(cache, &loads).await.is_err());
    }
}

#[tokio::test]
async fn a_loader_sees_what_was_there_and_may_keep_it() {
    let world = World::new();
    let cache = world.cache();
    let first = cache.get(&SAFE, "a").or_load(|load| async move {
        assert!(load.stale.is_none() && load.etag.is_none());
        Ok(Loaded::value("one".to_owned()).etag("v1"))
    });
    first.await.expect("a value");
    world.clock.advance(SECOND * 11);
    // From afar, too.
    for cache in [&world.cache(), &cache] {
        let second = cache.get(&SAFE, "a").or_load(|load| async move {
            assert_eq!(load.stale.as_deref().map(String::as_str), Some("one"));
            assert_eq!(load.etag.as_deref(), Some("v1"));
            Ok(Loaded::not_modified())
        });
        let got = second.await.expect("a value");
        assert_eq!((&**got, got.is_stale()), ("one", false));
        world.clock.advance(SECOND * 11);
    }
    let nothing = cache
        .get(&NOTE, "b")
        .or_load(|_| async { Ok(Loaded::not_modified()) });
    assert_eq!(
        nothing.await.expect_err("nothing to keep").kind(),
        ErrorKind::NothingToKeep
    );
}

#[tokio::test]
async fn a_loader_has_options_of_its_own() {
    let world = World::new();
    let (cache, loads) = (world.cache(), Loads::default());
    let short = cache
        .get(&NOTE, "a")
        .or_load(|_| async { Ok(Loaded::value("x".to_owned()).ttl(SECOND)) });
    short.await.expect("a value");
    world.clock.advance(SECOND * 2);
    assert_eq!(load(&cache, "a", "y", &loads).await, "y");
    let passing = cache
        .get(&NOTE, "b")
        .or_load(|_| async { Ok(Loaded::value("x".to_owned()).not_stored()) });
    passing.await.expect("a value");
    assert!(!cache.contains(&NOTE, "b").await.expect("no error"));
}

#[tokio::test]
async fn jitter_only_shortens() {
    const VARIED: Region<String> = Region::new("varied")
        .ttl(Duration::from_secs(100))
        .jitter(0.5);
    let world = World::new();
    let cache = world.cache();
    for key in 0..200_u32 {
        cache
            .set(&VARIED, &key, "x".into())
            .await
            .expect("no error");
    }
    let count = async || {
        let found = cache
            .get_many(&VARIED, (0..200_u32).collect())
            .await
            .expect("no error");
        found.iter().flatten().count()
    };
    world.clock.advance(SECOND * 49);
    assert_eq!(count().await, 200);
    world.clock.advance(SECOND * 26);
    assert!(
        (20..180).contains(&count().await),
        "they expire one after the other"
    );
    world.clock.advance(SECOND * 26);
    assert_eq!(count().await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_early_refresh_serves_the_present_value_meanwhile() {
    const EAGER: Region<String> = Region::new("eager")
        .ttl(Duration::from_secs(10))
        .jitter(0.0)
        .eager(0.5);
    let world = World::new();
    let (cache, loads) = (world.cache(), Loads::default());
    cache
        .set(&EAGER, "a", "old".into())
        .await
        .expect("no error");
    let get = async || {
        let loads = loads.clone();
        let got = cache.get(&EAGER, "a").or_load(move |load| async move {
            loads.count();
            assert_eq!(load.stale.as_deref().map(String::as_str), Some("old"));
            Ok("new".to_owned())
        });
        let got = got.await.expect("a value");
        (got.to_string(), got.is_stale())
    };
    world.clock.advance(SECOND * 4);
    for _ in 0..1000 {
        assert_eq!(get().await, ("old".into(), false));
    }
    assert_eq!(loads.get(), 0, "the window is not open");
    world.clock.advance(Duration::from_millis(5900));
    // A tenth of a second before the end it is as good as certain, for one of many.
    while loads.get() == 0 {
        assert_eq!(get().await, ("old".into(), false));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(get().await, ("new".into(), false));
    assert_eq!(loads.get(), 1);
}
