//! Orders of events that once went wrong: changes that overtake reads, answers that come late, debts
//! that are settled too early.
#![allow(
    dead_code,
    reason = "what is shared with the behaviour tests is not all used here"
)]

#[path = "../behaviour/support.rs"]
mod support;
use async_trait::async_trait;
use faas_sdk_cache::store::*;
use faas_sdk_cache::*;
use faas_sdk_scope::{Background, Instance, Scope};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

/// Holds answers back, by call; may swap its store.
#[derive(Clone, Debug)]
struct Late {
    store: Arc<Mutex<Unreliable>>,
    held: Arc<Mutex<HashMap<&'static str, G>>>,
}
#[derive(Clone)]
struct G(Gate);
impl std::fmt::Debug for G {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("G")
    }
}
impl Late {
    fn over(store: Unreliable) -> Self {
        Self {
            store: Arc::new(Mutex::new(store)),
            held: Arc::default(),
        }
    }
    fn hold(&self, call: &'static str) -> Gate {
        let gate = Gate::new();
        self.held.lock().unwrap().insert(call, G(gate.clone()));
        gate
    }
    fn swap(&self, s: Unreliable) {
        *self.store.lock().unwrap() = s;
    }
    fn s(&self) -> Unreliable {
        self.store.lock().unwrap().clone()
    }
    async fn after(&self, call: &'static str) {
        let g = self.held.lock().unwrap().remove(call);
        if let Some(g) = g {
            g.0.pass().await;
        }
    }
}
#[async_trait]
impl CacheStore for Late {
    fn guarantees(&self) -> Guarantees {
        Guarantees::FULL
    }
    async fn read(&self, read: Read<'_>) -> Result<ReadAnswer, StoreError> {
        let a = self.s().read(read).await;
        self.after("read").await;
        a
    }
    async fn lease(&self, shard: u16, r: &[LeaseRequest<'_>]) -> Result<Vec<Lease>, StoreError> {
        let a = self.s().lease(shard, r).await;
        self.after("lease").await;
        a
    }
    async fn fill(&self, shard: u16, f: &[Fill<'_>]) -> Result<Vec<Option<Version>>, StoreError> {
        let a = self.s().fill(shard, f).await;
        self.after("fill").await;
        a
    }
    async fn release(&self, shard: u16, l: &[(&[u8], Token)]) -> Result<(), StoreError> {
        self.s().release(shard, l).await
    }
    async fn write(&self, shard: u16, w: &[Write<'_>]) -> Result<Vec<Option<Version>>, StoreError> {
        let a = self.s().write(shard, w).await;
        self.after("write").await;
        a
    }
    async fn invalidate(
        &self,
        shard: u16,
        k: &[&[u8]],
        how: Invalidation,
    ) -> Result<Version, StoreError> {
        let a = self.s().invalidate(shard, k, how).await;
        self.after("invalidate").await;
        a
    }
    async fn advance(&self, names: &[&str]) -> Result<Version, StoreError> {
        let a = self.s().advance(names).await;
        self.after("advance").await;
        a
    }
}

const SAFE: Region<String> = Region::new("safe")
    .ttl(Duration::from_secs(60))
    .jitter(0.0)
    .fail_safe(Duration::from_secs(86400), Duration::from_secs(30));

async fn safe(
    cache: &Cache,
    text: Result<&'static str, &'static str>,
    loads: &Loads,
) -> Result<Cached<String>, Error> {
    let loads = loads.clone();
    cache
        .get(&SAFE, "a")
        .or_load(move |_| async move {
            loads.count();
            text.map(str::to_owned).map_err(LoadError::new)
        })
        .await
}

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
