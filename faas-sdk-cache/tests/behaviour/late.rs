//! Answers that come late, and callers who do.

use crate::late_store::Late;
use crate::support::*;
use faas_sdk_cache::*;
use faas_sdk_scope::{Background, Instance, Scope};
use std::time::Duration;

#[tokio::test]
async fn a_slow_read_does_not_undo_ones_own_write() {
    let world = World::new();
    world.cache().set(&NOTE, "a", "old".into()).await.unwrap();
    let (unreliable, _) = world.unreliable();
    let late = Late::over(unreliable.clone());
    let cache = world.cache_over(late.clone());
    assert!(!cache.contains(&NOTE, "b").await.unwrap());
    let w = unreliable.hold("write");
    unreliable.down(false);
    let setting = tokio::spawn({
        let c = cache.clone();
        async move { c.set(&NOTE, "a", "mine".into()).await }
    });
    w.arrival().await;
    let r = late.hold("read");
    let reading = tokio::spawn({
        let c = cache.clone();
        async move { c.get(&NOTE, "a").await }
    });
    r.arrival().await;
    unreliable.down(true);
    w.open();
    setting.await.unwrap().unwrap();
    let now = cache.get(&NOTE, "a").await.unwrap();
    r.open();
    reading.await.unwrap().unwrap();
    let then = cache.get(&NOTE, "a").await.unwrap();
    assert_eq!(now.map(|v| v.to_string()), Some("mine".into()));
    assert_eq!(then.map(|v| v.to_string()), Some("mine".into()));
}

async fn undo(many: bool, wait: bool) {
    let world = World::new();
    world.cache().set(&NOTE, "a", "old".into()).await.unwrap();
    let (unreliable, _) = world.unreliable();
    let late = Late::over(unreliable.clone());
    let cache = world.cache_over(late.clone());
    assert!(!cache.contains(&NOTE, "b").await.unwrap());
    let w = unreliable.hold("write");
    let setting = tokio::spawn({
        let c = cache.clone();
        async move { c.set(&NOTE, "a", "mine".into()).await }
    });
    w.arrival().await;
    let r = late.hold("read");
    let reading = tokio::spawn({
        let c = cache.clone();
        async move {
            if many {
                c.get_many(&NOTE, vec!["a"]).await.map(drop)
            } else {
                c.get(&NOTE, "a").await.map(drop)
            }
        }
    });
    r.arrival().await;
    unreliable.down(true);
    w.open();
    setting.await.unwrap().unwrap();
    if wait {
        world.clock.advance(Duration::from_millis(1100));
    }
    r.open();
    reading.await.unwrap().unwrap();
    let then = cache.get(&NOTE, "a").await.unwrap();
    assert_eq!(then.map(|v| v.to_string()), Some("mine".into()));
}

#[tokio::test]
async fn a_slow_read_of_many_does_not_undo_ones_own_write() {
    undo(true, false).await;
}

#[tokio::test]
async fn a_slow_read_does_not_undo_ones_own_write_when_it_is_due() {
    undo(false, true).await;
}

// get_many: who joins late gets an overtaken value; get tries again.
async fn overtaken(many: bool) -> String {
    let world = World::new();
    let cache = world.cache();
    let other = world.cache();
    let gate = Gate::new();
    let loading = tokio::spawn({
        let (c, g) = (cache.clone(), gate.clone());
        async move {
            c.get(&NOTE, "a")
                .or_load(move |_| async move {
                    g.pass().await;
                    Ok("old".to_owned())
                })
                .await
        }
    });
    gate.arrival().await;
    other.remove(&NOTE, "a").await.unwrap();
    let waiter = tokio::spawn({
        let c = cache.clone();
        async move {
            if many {
                let v = c
                    .get_many(&NOTE, vec!["a"])
                    .or_load_many(|k| async move {
                        Ok(k.into_iter()
                            .map(|k| (k, "new".to_owned()))
                            .collect::<Vec<_>>())
                    })
                    .await
                    .unwrap();
                v[0].as_ref().unwrap().to_string()
            } else {
                load(&c, "a", "new", &Loads::default()).await
            }
        }
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    gate.open();
    loading.await.unwrap().unwrap();
    waiter.await.unwrap()
}

#[tokio::test]
async fn a_late_joiner_of_an_overtaken_load_loads_anew() {
    assert_eq!(overtaken(false).await, "new");
}

#[tokio::test]
async fn a_late_joiner_among_many_loads_anew() {
    assert_eq!(overtaken(true).await, "new");
}

#[tokio::test]
async fn get_many_guards_what_it_finds_from_before_it_asked() {
    let world = World::new();
    let (unreliable, _) = world.unreliable();
    let late = Late::over(unreliable.clone());
    let cache = world.cache_over(late.clone());
    let other = world.cache();
    assert!(!cache.contains(&NOTE, "b").await.unwrap());
    let r = late.hold("read");
    let l = late.hold("lease");
    let many = tokio::spawn({
        let c = cache.clone();
        async move {
            c.get_many(&NOTE, vec!["a"])
                .or_load_many(|k| async move {
                    Ok(k.into_iter()
                        .map(|k| (k, "y".to_owned()))
                        .collect::<Vec<_>>())
                })
                .await
        }
    });
    r.arrival().await; // nothing there
    other.set(&NOTE, "a", "old".into()).await.unwrap();
    r.open();
    l.arrival().await; // has "old" as its answer
    other.set(&NOTE, "a", "new".into()).await.unwrap();
    for key in 0..1500_u32 {
        other.remove(&NOTE, &key).await.unwrap();
    }
    world.clock.advance(SECOND * 2);
    assert!(
        !cache.contains(&NOTE, "b").await.unwrap(),
        "reads the log: a gap"
    );
    l.open();
    many.await.unwrap().unwrap();
    world.clock.advance(SECOND * 20);
    let got = cache.get(&NOTE, "a").await.unwrap();
    assert_eq!(got.map(|v| v.to_string()), Some("new".into()));
}

#[tokio::test]
async fn another_instances_load_is_looked_for_again_soon() {
    let world = World::new();
    let (first, second, loads) = (world.cache(), world.cache(), Loads::default());
    safe(&first, Ok("old"), &loads).await.unwrap();
    safe(&second, Ok("never"), &loads).await.unwrap();
    world.clock.advance(SECOND * 61);
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
    safe(&second, Ok("x"), &loads).await.unwrap();
    gate.open();
    loading.await.unwrap().unwrap();
    world.clock.advance(SECOND * 10);
    let got = safe(&second, Ok("x"), &loads).await.unwrap();
    assert_eq!(*got, "new");
}

#[tokio::test]
async fn get_many_takes_up_an_abandoned_load() {
    let world = World::new();
    let instance = Instance::builder()
        .background(Background::UntilResponse)
        .build();
    let scope = Scope::new(&instance, None);
    let cache = world.cache();
    let gate = Gate::new();
    let leader = tokio::spawn({
        let (c, g) = (cache.bind(&scope), gate.clone());
        async move {
            c.get(&NOTE, "a")
                .or_load(move |_| async move {
                    g.pass().await;
                    Ok("x".to_owned())
                })
                .await
        }
    });
    gate.arrival().await;
    let waiter = tokio::spawn({
        let c = cache.clone();
        async move {
            c.get_many(&NOTE, vec!["a"])
                .or_load_many(|k| async move {
                    Ok(k.into_iter()
                        .map(|k| (k, "y".to_owned()))
                        .collect::<Vec<_>>())
                })
                .await
        }
    });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    leader.abort();
    scope.end(Duration::from_millis(20)).await;
    let got = waiter.await.unwrap();
    assert!(got.is_ok(), "{got:?}");
}

#[tokio::test]
async fn get_many_leaves_a_failing_loader_alone() {
    let world = World::new();
    let cache = world.cache();
    let loads = Loads::default();
    safe(&cache, Ok("old"), &loads).await.unwrap();
    world.clock.advance(SECOND * 61);
    for _ in 0..5 {
        let l = loads.clone();
        let got = cache
            .get_many(&SAFE, vec!["a"])
            .or_load_many(move |_| async move {
                l.count();
                Err::<Vec<(&str, String)>, _>(LoadError::new("gone"))
            })
            .await
            .unwrap();
        assert_eq!(**got[0].as_ref().unwrap(), "old");
    }
    assert_eq!(loads.get(), 2);
}
