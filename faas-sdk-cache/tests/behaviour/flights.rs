use crate::late_store::Late;
use crate::support::*;
use faas_sdk_cache::{Cache, ErrorKind, Region, Source};
use faas_sdk_scope::{Background, Instance, Scope};
use std::time::Duration;

/// Starts a load that waits at the gate.
fn gated(cache: &Cache, text: &str, gate: &Gate, loads: &Loads) -> tokio::task::JoinHandle<String> {
    let (cache, text, gate, loads) = (cache.clone(), text.to_owned(), gate.clone(), loads.clone());
    tokio::spawn(async move {
        let got = cache.get(&NOTE, "a").or_load(move |_| async move {
            loads.count();
            gate.pass().await;
            Ok(text)
        });
        got.await.expect("a value").to_string()
    })
}

#[tokio::test]
async fn many_callers_are_one_load() {
    for remote in [true, false] {
        let world = World::new();
        let cache = if remote {
            world.cache()
        } else {
            world.builder().build()
        };
        let (gate, loads) = (Gate::new(), Loads::default());
        let callers: Vec<_> = (0..1000)
            .map(|_| gated(&cache, "x", &gate, &loads))
            .collect();
        gate.arrival().await;
        tokio::task::yield_now().await;
        gate.open();
        for caller in callers {
            assert_eq!(caller.await.expect("no panic"), "x");
        }
        assert_eq!(loads.get(), 1);
    }
}

#[tokio::test]
async fn of_several_instances_one_loads() {
    let world = World::new();
    let (gate, loads) = (Gate::new(), Loads::default());
    let callers: Vec<_> = (0..8)
        .map(|_| gated(&world.cache(), "x", &gate, &loads))
        .collect();
    gate.arrival().await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    gate.open();
    for caller in callers {
        assert_eq!(caller.await.expect("no panic"), "x");
    }
    assert_eq!(loads.get(), 1);
}

// R1 and R2.
#[tokio::test]
async fn a_load_that_began_before_an_invalidation_is_not_stored() {
    let world = World::new();
    for elsewhere in [false, true] {
        let cache = world.cache();
        let other = if elsewhere {
            world.cache()
        } else {
            cache.clone()
        };
        let (gate, loads) = (Gate::new(), Loads::default());
        let caller = gated(&cache, "old", &gate, &loads);
        gate.arrival().await;
        other.remove(&NOTE, "a").await.expect("no error");
        gate.open();
        assert_eq!(
            caller.await.expect("no panic"),
            "old",
            "who waited before may have it"
        );
        assert_eq!(
            load(&world.cache(), "a", "new", &loads).await,
            "new",
            "elsewhere: {elsewhere}"
        );
        assert_eq!(
            load(&cache, "a", "newer", &loads).await,
            "new",
            "elsewhere: {elsewhere}"
        );
        cache.remove(&NOTE, "a").await.expect("no error");
    }
}

#[tokio::test]
async fn after_a_removal_nobody_waits_for_the_old_load() {
    let world = World::new();
    for cache in [world.cache(), world.builder().build()] {
        let (gate, loads) = (Gate::new(), Loads::default());
        let caller = gated(&cache, "old", &gate, &loads);
        gate.arrival().await;
        cache.remove(&NOTE, "a").await.expect("no error");
        assert_eq!(load(&cache, "a", "new", &loads).await, "new");
        gate.open();
        assert_eq!(caller.await.expect("no panic"), "old");
        assert_eq!(load(&cache, "a", "newer", &loads).await, "new");
        cache.remove(&NOTE, "a").await.expect("no error");
    }
}

#[tokio::test]
async fn what_is_set_during_a_load_wins() {
    let world = World::new();
    for cache in [world.cache(), world.builder().build()] {
        let (gate, loads) = (Gate::new(), Loads::default());
        let caller = gated(&cache, "old", &gate, &loads);
        gate.arrival().await;
        cache.set(&NOTE, "a", "set".into()).await.expect("no error");
        gate.open();
        caller.await.expect("no panic");
        assert_eq!(load(&cache, "a", "newer", &loads).await, "set");
    }
    assert_eq!(
        load(&world.cache(), "a", "newer", &Loads::default()).await,
        "set"
    );
}

// R4.
#[tokio::test]
async fn a_read_during_a_removal_does_not_bring_the_value_back() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    cache.set(&NOTE, "a", "old".into()).await.expect("no error");
    let gate = store.hold("invalidate");
    let removal = tokio::spawn({
        let cache = cache.clone();
        async move { cache.remove(&NOTE, "a").await }
    });
    gate.arrival().await;
    let between = cache.get(&NOTE, "a").await.expect("no error");
    assert_eq!(
        between.expect("a value").source(),
        Source::L2,
        "the remote level still has it"
    );
    gate.open();
    removal.await.expect("no panic").expect("no error");
    assert!(cache.get(&NOTE, "a").await.expect("no error").is_none());
}

// R7: the answer of a read is older than a change that was learnt of meanwhile.
#[tokio::test]
async fn a_read_that_was_overtaken_by_a_change_is_not_stored() {
    let world = World::new();
    let (store, cache) = world.unreliable();
    cache.set(&NOTE, "a", "old".into()).await.expect("no error");
    let reader = world.cache_over(store.clone());
    // Known names, and a position in the log.
    assert!(reader.get(&NOTE, "b").await.expect("no error").is_none());
    store.lose_answers(false);
    let slow = Late::over(store.clone());
    let cache_of_slow = world.cache_over(slow.clone());
    assert!(
        cache_of_slow
            .get(&NOTE, "b")
            .await
            .expect("no error")
            .is_none()
    );
    let gate = slow.hold("read");
    let read = tokio::spawn({
        let cache = cache_of_slow.clone();
        async move {
            cache
                .get(&NOTE, "a")
                .await
                .expect("no error")
                .map(|value| value.to_string())
        }
    });
    gate.arrival().await;
    cache.set(&NOTE, "a", "new".into()).await.expect("no error");
    // The logs are read, and the change is applied to nothing.
    world.clock.advance(SECOND * 2);
    assert!(
        cache_of_slow
            .get(&NOTE, "c")
            .await
            .expect("no error")
            .is_none()
    );
    gate.open();
    assert_eq!(read.await.expect("no panic").as_deref(), Some("old"));
    let now = cache_of_slow
        .get(&NOTE, "a")
        .await
        .expect("no error")
        .expect("a value");
    assert_eq!(&**now, "new");
}

// R9.
#[tokio::test]
async fn a_caller_that_is_dropped_leaves_its_load_to_the_others() {
    let world = World::new();
    let cache = world.cache();
    let (gate, loads) = (Gate::new(), Loads::default());
    let leader = gated(&cache, "x", &gate, &loads);
    gate.arrival().await;
    let waiters: Vec<_> = (0..5).map(|_| gated(&cache, "y", &gate, &loads)).collect();
    tokio::task::yield_now().await;
    leader.abort();
    gate.open();
    for waiter in waiters {
        assert_eq!(waiter.await.expect("no panic"), "x");
    }
    assert_eq!(loads.get(), 1);
}

#[tokio::test]
async fn a_load_that_ends_with_its_invocation_is_taken_up_by_a_waiter() {
    let world = World::new();
    let instance = Instance::builder()
        .background(Background::UntilResponse)
        .build();
    let scope = Scope::new(&instance, None);
    let cache = world.cache();
    let (gate, loads) = (Gate::new(), Loads::default());
    let leader = gated(&cache.bind(&scope), "lost", &gate, &loads);
    gate.arrival().await;
    let waiters: Vec<_> = (0..5).map(|_| gated(&cache, "y", &gate, &loads)).collect();
    tokio::task::yield_now().await;
    leader.abort();
    assert_eq!(
        scope.end(Duration::from_millis(20)).await.len(),
        1,
        "the load is given up"
    );
    gate.arrival().await;
    gate.open();
    for waiter in waiters {
        assert_eq!(waiter.await.expect("no panic"), "y");
    }
    assert_eq!(loads.get(), 2);
}

// R10.
#[tokio::test]
async fn a_caller_that_is_not_polled_blocks_nobody() {
    let world = World::new();
    for cache in [world.cache(), world.builder().build()] {
        let mut idle = Box::pin(cache.get(&NOTE, "a").or_load(|_| async {
            tokio::task::yield_now().await;
            Ok("x".to_owned())
        }));
        assert!(poll_once(&mut idle).await.is_pending());
        assert_eq!(load(&cache, "a", "x", &Loads::default()).await, "x");
        assert_eq!(&**idle.await.expect("a value"), "x");
    }
}

#[tokio::test]
async fn dropping_at_any_await_leaves_no_flight_behind() {
    for polls in 0..12 {
        let world = World::new();
        let (_, cache) = world.unreliable();
        {
            let mut get = Box::pin(cache.get(&NOTE, "a").or_load(|_| async {
                tokio::task::yield_now().await;
                Ok("x".to_owned())
            }));
            for _ in 0..polls {
                if poll_once(&mut get).await.is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let got = tokio::time::timeout(SECOND, load(&cache, "a", "x", &Loads::default())).await;
        assert_eq!(got.expect("in time"), "x");
    }
}

#[tokio::test]
async fn a_panic_is_an_error_for_all() {
    let world = World::new();
    let cache = world.cache();
    let panicking = || {
        cache.get(&NOTE, "a").or_load(|_| async {
            if true {
                panic!("oh no")
            }
            Ok(String::new())
        })
    };
    let (first, second) = tokio::join!(panicking(), panicking());
    for error in [first.expect_err("an error"), second.expect_err("an error")] {
        assert_eq!(error.kind(), ErrorKind::Panicked);
    }
    assert_eq!(load(&cache, "a", "x", &Loads::default()).await, "x");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_is_dropped_with_its_lease() {
    const HANGING: Region<String> = Region::new("hanging").lease(Duration::from_secs(3));
    let world = World::new();
    let cache = world.cache();
    let hanging = cache.get(&HANGING, "a").or_load(|_| async {
        std::future::pending::<()>().await;
        Ok(String::new())
    });
    assert_eq!(
        hanging.await.expect_err("an error").kind(),
        ErrorKind::Timeout
    );
    tokio::task::yield_now().await;
    let next = world.cache();
    let next = next
        .get(&HANGING, "a")
        .or_load(|_| async { Ok("x".to_owned()) });
    assert_eq!(&**next.await.expect("the lease was given back"), "x");
}

#[tokio::test(start_paused = true)]
async fn soft_and_hard_timeouts() {
    const SLOW: Region<String> = Region::new("slow")
        .ttl(Duration::from_secs(10))
        .jitter(0.0)
        .fail_safe(Duration::from_secs(100), Duration::from_secs(5))
        .soft_timeout(Duration::from_millis(100))
        .hard_timeout(Duration::from_secs(1));
    let world = World::new();
    let cache = world.cache();
    let get = || {
        cache.get(&SLOW, "a").or_load(|_| async {
            tokio::time::sleep(SECOND * 2).await;
            Ok("new".to_owned())
        })
    };
    let start = tokio::time::Instant::now();
    assert_eq!(
        get().await.expect_err("nothing to serve").kind(),
        ErrorKind::Timeout
    );
    assert_eq!(start.elapsed(), SECOND);
    tokio::time::sleep(SECOND * 2).await;
    assert_eq!(&**get().await.expect("loaded in the background"), "new");
    cache.set(&SLOW, "a", "old".into()).await.expect("no error");
    world.clock.advance(SECOND * 11);
    let start = tokio::time::Instant::now();
    let got = get().await.expect("a stale value");
    assert_eq!(
        (&**got, got.is_stale(), start.elapsed()),
        ("old", true, Duration::from_millis(100))
    );
    tokio::time::sleep(SECOND * 3).await;
    let got = get().await.expect("a value");
    assert_eq!((&**got, got.is_stale()), ("new", false));
}

// R14.
#[tokio::test]
async fn a_lease_is_given_back_when_nothing_is_stored() {
    let world = World::new();
    let failing = world.cache();
    let failed = failing
        .get(&NOTE, "a")
        .or_load(|_| async { Err::<String, _>(faas_sdk_cache::LoadError::from("no")) });
    failed.await.expect_err("an error");
    tokio::task::yield_now().await;
    let other = world.cache();
    let loads = Loads::default();
    let loaded = load(&other, "a", "x", &loads);
    assert_eq!(
        tokio::time::timeout(SECOND, loaded)
            .await
            .expect("no wait for the lease"),
        "x"
    );
}

#[tokio::test]
async fn patience_may_be_endless() {
    const ENDLESS: Region<String> = Region::new("endless")
        .hard_timeout(Duration::MAX)
        .soft_timeout(Duration::MAX);
    let world = World::new();
    let cache = world.cache();
    let one = cache
        .get(&ENDLESS, "a")
        .or_load(|_| async { Ok("x".to_owned()) });
    assert_eq!(&**one.await.expect("a value"), "x");
    let many = cache
        .get_many(&ENDLESS, vec![1_u32])
        .or_load_many(|keys| async move {
            Ok(keys
                .into_iter()
                .map(|key| (key, "x".to_owned()))
                .collect::<Vec<_>>())
        });
    assert!(many.await.expect("values")[0].is_some());
}
