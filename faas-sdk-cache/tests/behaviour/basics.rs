use crate::support::*;
use faas_sdk_cache::{Cache, ErrorKind, Loaded, Region, Source};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    name: String,
    price: u64,
}

const ITEM: Region<Item> = Region::new("item").schema(2);

fn tea() -> Item {
    Item {
        name: "tea".into(),
        price: 250,
    }
}

#[tokio::test]
async fn a_value_comes_from_the_loader_then_from_here_then_from_afar() {
    let world = World::new();
    let (first, second) = (world.cache(), world.cache());
    let got = first
        .get(&ITEM, &42_u64)
        .or_load(|_| async { Ok(tea()) })
        .await
        .expect("a value");
    assert_eq!(
        (&*got, got.source(), got.is_stale()),
        (&tea(), Source::Loader, false)
    );
    let here = first
        .get(&ITEM, &42_u64)
        .or_load(|_| async { Ok(tea()) })
        .await
        .expect("a value");
    assert_eq!(here.source(), Source::L1);
    assert!(
        Arc::ptr_eq(got.value(), here.value()),
        "nothing is decoded or copied"
    );
    let afar = second
        .get(&ITEM, &42_u64)
        .await
        .expect("no error")
        .expect("a value");
    assert_eq!((&*afar, afar.source()), (&tea(), Source::L2));
    assert_eq!(
        second
            .get(&ITEM, &42_u64)
            .await
            .expect("no error")
            .expect("a value")
            .source(),
        Source::L1
    );
    let stats = second.stats();
    assert_eq!((stats.l1_hits, stats.l2_hits, stats.loads), (1, 1, 0));
}

#[tokio::test]
async fn a_cache_works_without_a_remote_level() {
    let (cache, loads) = (Cache::local(), Loads::default());
    assert_eq!(load(&cache, "a", "one", &loads).await, "one");
    assert_eq!(load(&cache, "a", "two", &loads).await, "one");
    cache.remove(&NOTE, "a").await.expect("no error");
    assert_eq!(load(&cache, "a", "three", &loads).await, "three");
    cache
        .set(&NOTE, "a", "four".into())
        .await
        .expect("no error");
    assert_eq!(load(&cache, "a", "five", &loads).await, "four");
    assert_eq!(loads.get(), 2);
}

#[tokio::test]
async fn what_is_set_is_found_everywhere_until_it_is_removed() {
    let world = World::new();
    let (first, second) = (world.cache(), world.cache());
    first.set(&NOTE, "a", "one".into()).await.expect("no error");
    assert!(first.contains(&NOTE, "a").await.expect("no error"));
    assert!(second.contains(&NOTE, "a").await.expect("no error"));
    first.remove(&NOTE, "a").await.expect("no error");
    assert!(!first.contains(&NOTE, "a").await.expect("no error"));
    world.clock.advance(SECOND * 2);
    assert!(!second.contains(&NOTE, "a").await.expect("no error"));
}

#[tokio::test]
async fn there_is_no_such_thing() {
    const GONE: Region<String> = Region::new("gone")
        .negative_ttl(Duration::from_secs(10))
        .jitter(0.0);
    let world = World::new();
    let (first, second) = (world.cache(), world.cache());
    let loads = Loads::default();
    let absent = async |cache: &Cache| {
        let loads = loads.clone();
        cache
            .get(&GONE, "x")
            .or_load(move |_| async move {
                loads.count();
                Ok(None)
            })
            .await
            .expect_err("nothing")
    };
    assert!(absent(&first).await.is_absent());
    assert!(absent(&first).await.is_absent());
    assert!(absent(&second).await.is_absent());
    assert_eq!(loads.get(), 1, "it is remembered that there is none");
    world.clock.advance(SECOND * 11);
    assert!(absent(&second).await.is_absent());
    assert_eq!(loads.get(), 2);
    let once = first
        .get(&NOTE, "y")
        .or_load(|_| async { Ok(Loaded::absent()) });
    assert_eq!(once.await.expect_err("nothing").kind(), ErrorKind::Absent);
    assert_eq!(
        load(&first, "y", "there", &loads).await,
        "there",
        "absence is not kept by default"
    );
}

#[tokio::test]
async fn a_region_may_stay_at_one_level() {
    const HERE: Region<String> = Region::new("here").l1_only();
    const AFAR: Region<String> = Region::new("afar").l2_only();
    const OPAQUE: Region<std::thread::ThreadId> = Region::local("opaque");
    let world = World::new();
    let (first, second) = (world.cache(), world.cache());
    first.set(&HERE, "a", "x".into()).await.expect("no error");
    assert!(first.contains(&HERE, "a").await.expect("no error"));
    assert!(!second.contains(&HERE, "a").await.expect("no error"));
    first.set(&AFAR, "a", "x".into()).await.expect("no error");
    for cache in [&first, &second] {
        let got = cache
            .get(&AFAR, "a")
            .await
            .expect("no error")
            .expect("a value");
        assert_eq!(got.source(), Source::L2);
    }
    let id = std::thread::current().id();
    first.set(&OPAQUE, "a", id).await.expect("no error");
    assert_eq!(
        *first
            .get(&OPAQUE, "a")
            .await
            .expect("no error")
            .expect("a value"),
        id
    );
}

#[tokio::test]
async fn forms_and_schemas_are_told_apart() {
    const OLD: Region<Item> = Region::new("item").schema(1);
    const COMPATIBLE: Region<Item> = Region::new("item").schema(3).compatible_with(&[2]);
    const JSON: Region<Item> = Region::json("item").schema(2);
    const RAW: Region<String> = Region::raw("text");
    let world = World::new();
    world
        .cache()
        .set(&ITEM, "a", tea())
        .await
        .expect("no error");
    let other = world.cache();
    assert!(!other.contains(&OLD, "a").await.expect("no error"));
    assert!(!other.contains(&JSON, "a").await.expect("no error"));
    assert_eq!(other.stats().invalid, 2);
    assert!(other.contains(&COMPATIBLE, "a").await.expect("no error"));
    world
        .cache()
        .set(&RAW, "a", "as it is".into())
        .await
        .expect("no error");
    assert_eq!(
        **other
            .get(&RAW, "a")
            .await
            .expect("no error")
            .expect("a value"),
        *"as it is"
    );
}

#[tokio::test]
async fn two_types_under_one_name_are_a_miss() {
    const TEXT: Region<String> = Region::new("twice");
    const NUMBER: Region<u64> = Region::new("twice");
    let cache = Cache::local();
    cache.set(&TEXT, "a", "x".into()).await.expect("no error");
    assert!(cache.get(&NUMBER, "a").await.expect("no error").is_none());
    let number = cache
        .get(&NUMBER, "a")
        .or_load(|_| async { Ok(7) })
        .await
        .expect("a value");
    assert_eq!(*number, 7);
}

#[tokio::test]
async fn long_keys_and_large_values_are_refused_or_passed_through() {
    let world = World::new();
    let cache = world
        .builder()
        .store(world.memory.clone())
        .value_cap(1000)
        .entry_cap(2000)
        .build();
    let long = "k".repeat(2000);
    assert_eq!(
        cache
            .contains(&NOTE, long.as_str())
            .await
            .expect_err("too long")
            .kind(),
        ErrorKind::KeyTooLong
    );
    // Random enough not to be compressed away.
    let large: String = (0..4000_u32)
        .map(|n| char::from(33 + (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90))
        .collect();
    let loads = Loads::default();
    for _ in 0..2 {
        assert_eq!(load(&cache, "large", &large, &loads).await, large);
    }
    assert_eq!(loads.get(), 2, "neither level keeps it");
    assert!(cache.stats().too_large >= 4);
}

#[tokio::test]
async fn counts_go_to_the_scope_of_the_invocation() {
    let world = World::new();
    let instance = world.instance();
    let scope = faas_sdk_scope::Scope::new(&instance, None);
    let cache = world.cache().bind(&scope);
    let loads = Loads::default();
    load(&cache, "a", "x", &loads).await;
    load(&cache, "a", "x", &loads).await;
    let count = |name: &str| {
        let measures = scope.measures();
        measures
            .iter()
            .find(|measure| measure.name == name)
            .map_or(0, |measure| measure.sum)
    };
    assert_eq!(
        (
            count("cache.misses"),
            count("cache.loads"),
            count("cache.l1.hits")
        ),
        (1, 1, 1)
    );
}

#[test]
fn futures_may_cross_threads() {
    fn is_send<T: Send>(_: &T) {}
    let cache = Cache::local();
    is_send(
        &cache
            .get(&NOTE, "a")
            .or_load(|_| async { Ok(String::new()) }),
    );
    is_send(&cache.get(&NOTE, "a").into_future());
    is_send(&cache.set(&NOTE, "a", String::new()).into_future());
    is_send(&cache.remove(&NOTE, "a").into_future());
    is_send(&cache.remove_by_tag("t").into_future());
    is_send(&cache.clear(&NOTE).into_future());
    is_send(
        &cache
            .get_many(&NOTE, vec!["a"])
            .or_load_many(|keys| async move {
                Ok(keys
                    .into_iter()
                    .map(|key| (key, String::new()))
                    .collect::<Vec<_>>())
            }),
    );
}

#[tokio::test]
async fn what_this_process_holds_is_bounded_in_bytes() {
    let cache = Cache::builder().capacity(1 << 20).build();
    let value = "x".repeat(10_000);
    for key in 0..2000_u32 {
        cache
            .set(&NOTE, &key, value.clone())
            .await
            .expect("no error");
    }
    let mut held = 0;
    for key in 0..2000_u32 {
        held += u32::from(cache.contains(&NOTE, &key).await.expect("no error"));
    }
    // The storage evicts with some delay: here all of it had its turn.
    assert!(
        (10..=104).contains(&held),
        "{held} values of 10 kB in 1 MiB"
    );
    assert!(cache.size().1 <= 1 << 20, "{:?}", cache.size());
}
