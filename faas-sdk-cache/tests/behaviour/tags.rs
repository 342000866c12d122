use crate::support::*;
use faas_sdk_cache::{Cache, Loaded, Region};

const TAGGED: Region<String> = Region::new("tagged").tags(&["every"]);

async fn tagged(cache: &Cache, key: &str, text: &str, loads: &Loads) -> String {
    let (text, loads) = (text.to_owned(), loads.clone());
    let got = cache
        .get(&TAGGED, key)
        .tag("given")
        .or_load(move |_| async move {
            loads.count();
            Ok(Loaded::value(text).tag("loaded"))
        });
    got.await.expect("a value").to_string()
}

#[tokio::test]
async fn a_tag_removes_its_entries_everywhere() {
    let world = World::new();
    for tag in ["every", "given", "loaded"] {
        for here in [true, false] {
            let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
            tagged(&first, "a", "old", &loads).await;
            tagged(&second, "a", "old", &loads).await;
            load(&first, "a", "untagged", &loads).await;
            assert!(loads.get() <= 2);
            (if here { &first } else { &second })
                .remove_by_tag(tag)
                .await
                .expect("no error");
            world.clock.advance(SECOND * 2);
            for cache in [&first, &second, &world.cache()] {
                assert_eq!(
                    tagged(cache, "a", "new", &loads).await,
                    "new",
                    "{tag}, here: {here}"
                );
            }
            assert_eq!(load(&second, "a", "never", &loads).await, "untagged");
            first.remove_by_tag("every").await.expect("no error");
        }
    }
}

#[tokio::test]
async fn who_removes_sees_it_at_once() {
    let world = World::new();
    for cache in [world.cache(), world.builder().build()] {
        let loads = Loads::default();
        tagged(&cache, "a", "old", &loads).await;
        cache
            .remove_by_tag("other")
            .or_tag("loaded")
            .await
            .expect("no error");
        assert_eq!(tagged(&cache, "a", "new", &loads).await, "new");
        cache.clear(&TAGGED).await.expect("no error");
        assert_eq!(tagged(&cache, "a", "newer", &loads).await, "newer");
        cache.clear_all().await.expect("no error");
        assert_eq!(tagged(&cache, "a", "newest", &loads).await, "newest");
    }
}

#[tokio::test]
async fn clearing_a_region_leaves_the_others() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    for cache in [&first, &second] {
        tagged(cache, "a", "old", &loads).await;
        load(cache, "a", "other", &loads).await;
    }
    first.clear(&TAGGED).await.expect("no error");
    world.clock.advance(SECOND * 2);
    for cache in [&first, &second, &world.cache()] {
        assert_eq!(tagged(cache, "a", "new", &loads).await, "new");
        assert_eq!(load(cache, "a", "never", &loads).await, "other");
    }
    second.clear_all().await.expect("no error");
    world.clock.advance(SECOND * 2);
    for cache in [&first, &second, &world.cache()] {
        assert_eq!(tagged(cache, "a", "newer", &loads).await, "newer");
        assert_eq!(load(cache, "a", "newer", &loads).await, "newer");
    }
}

// R3.
#[tokio::test]
async fn a_tag_removed_during_a_load_counts() {
    let world = World::new();
    for remote in [true, false] {
        for tag in ["every", "given", "loaded"] {
            for elsewhere in [false, true] {
                if elsewhere && !remote {
                    continue;
                }
                let cache = if remote {
                    world.cache()
                } else {
                    world.builder().build()
                };
                let other = if elsewhere {
                    world.cache()
                } else {
                    cache.clone()
                };
                let (gate, loads) = (Gate::new(), Loads::default());
                let loading = tokio::spawn({
                    let (cache, gate) = (cache.clone(), gate.clone());
                    async move {
                        let got = cache
                            .get(&TAGGED, "a")
                            .tag("given")
                            .or_load(|_| async move {
                                gate.pass().await;
                                Ok(Loaded::value("old".to_owned()).tag("loaded"))
                            });
                        got.await.expect("a value").to_string()
                    }
                });
                gate.arrival().await;
                other.remove_by_tag(tag).await.expect("no error");
                gate.open();
                assert_eq!(loading.await.expect("no panic"), "old");
                world.clock.advance(SECOND * 2);
                let what = format!("remote: {remote}, {tag}, elsewhere: {elsewhere}");
                assert_eq!(tagged(&cache, "a", "new", &loads).await, "new", "{what}");
                cache.clear_all().await.expect("no error");
                world.cache().clear_all().await.expect("no error");
            }
        }
    }
}

#[tokio::test]
async fn lost_generations_make_everything_stale_rather_than_fresh_again() {
    let world = World::new();
    let (cache, loads) = (world.cache(), Loads::default());
    tagged(&cache, "a", "old", &loads).await;
    world.memory.flush();
    world.clock.advance(SECOND * 2);
    assert_eq!(tagged(&cache, "a", "new", &loads).await, "new");
    assert_eq!(tagged(&world.cache(), "a", "never", &loads).await, "new");
}

#[tokio::test]
async fn each_removal_counts_while_the_remote_level_is_down() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    let loads = Loads::default();
    store.down(true);
    for round in 0..4 {
        let text = format!("round {round}");
        assert_eq!(tagged(&cache, "a", &text, &loads).await, text);
        assert_eq!(tagged(&cache, "a", "never", &loads).await, text);
        cache.remove_by_tag("given").await.expect("no error");
    }
}
