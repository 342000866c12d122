use async_trait::async_trait;
use faas_sdk_cache::store::{
    CacheStore, Fill, Guarantees, Invalidation, Lease, LeaseRequest, MemoryStore, Read, ReadAnswer,
    StoreError, Token, Version, Write,
};
use faas_sdk_cache::{Cache, CacheBuilder, Cached, Error, LoadError, Region};
use faas_sdk_scope::{Instance, ManualClock};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Semaphore;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Text under text: fresh for a minute, without jitter, so that tests can count on it.
pub(crate) const NOTE: Region<String> =
    Region::new("note").ttl(Duration::from_secs(60)).jitter(0.0);

/// A world with a clock that stands still, a store, and caches that share both: each is an instance.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) memory: MemoryStore,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        let memory = MemoryStore::builder().clock(Arc::clone(&clock)).build();
        Self { clock, memory }
    }

    pub(crate) fn instance(&self) -> Arc<Instance> {
        Instance::builder().clock(Arc::clone(&self.clock)).build()
    }

    pub(crate) fn cache(&self) -> Cache {
        self.cache_over(self.memory.clone())
    }

    pub(crate) fn cache_over(&self, store: impl CacheStore) -> Cache {
        self.builder().store(store).build()
    }

    pub(crate) fn builder(&self) -> CacheBuilder {
        Cache::builder()
            .instance(&self.instance())
            .capacity(16 << 20)
    }

    pub(crate) fn unreliable(&self) -> (Unreliable, Cache) {
        let store = Unreliable::over(self.memory.clone());
        (store.clone(), self.cache_over(store))
    }
}

/// Loads `text`, and counts.
pub(crate) async fn load(cache: &Cache, key: &str, text: &str, loads: &Loads) -> String {
    let (text, loads) = (text.to_owned(), loads.clone());
    let got = cache.get(&NOTE, key).or_load(move |_| async move {
        loads.count();
        Ok(text)
    });
    got.await.expect("a value").to_string()
}

#[derive(Clone, Default)]
pub(crate) struct Loads(Arc<AtomicUsize>);

impl Loads {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// A gate that loaders wait at.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            arrived: Arc::new(Semaphore::new(0)),
            open: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) async fn pass(&self) {
        self.arrived.add_permits(1);
        self.open.acquire().await.expect("an open gate").forget();
    }

    pub(crate) async fn arrival(&self) {
        self.arrived.acquire().await.expect("an open gate").forget();
    }

    pub(crate) fn open(&self) {
        self.open.add_permits(1);
    }
}

/// A store that fails, hangs or loses answers when told to.
#[derive(Clone, Debug)]
pub(crate) struct Unreliable(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: MemoryStore,
    down: AtomicBool,
    hanging: AtomicBool,
    losing: AtomicBool,
    held: Mutex<Option<Held>>,
    calls: Mutex<Vec<&'static str>>,
}

#[derive(Clone, Debug)]
struct Held {
    call: &'static str,
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Unreliable {
    fn over(store: MemoryStore) -> Self {
        Self(Arc::new(Inner {
            store,
            down: AtomicBool::new(false),
            hanging: AtomicBool::new(false),
            losing: AtomicBool::new(false),
            held: Mutex::new(None),
            calls: Mutex::default(),
        }))
    }

    pub(crate) fn down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn hang(&self, hanging: bool) {
        self.0.hanging.store(hanging, Ordering::SeqCst);
    }

    /// Does what it is asked, and does not say so.
    pub(crate) fn lose_answers(&self, losing: bool) {
        self.0.losing.store(losing, Ordering::SeqCst);
    }

    /// Holds the next call of this name back before it is done.
    pub(crate) fn hold(&self, call: &'static str) -> Gate {
        let gate = Gate::new();
        let held = Held {
            call,
            arrived: gate.arrived.clone(),
            open: gate.open.clone(),
        };
        *self.0.held.lock().expect("a lock") = Some(held);
        gate
    }

    pub(crate) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.calls.lock().expect("a lock"))
    }

    async fn call<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.0.calls.lock().expect("a lock").push(name);
        let held = self
            .0
            .held
            .lock()
            .expect("a lock")
            .take_if(|held| held.call == name);
        if let Some(Held { arrived, open, .. }) = held {
            arrived.add_permits(1);
            open.acquire().await.expect("an open gate").forget();
        }
        if self.0.hanging.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let failed = || StoreError::Unavailable("it was told to".into());
        if self.0.down.load(Ordering::SeqCst) {
            return Err(failed());
        }
        let answer = call.await;
        if self.0.losing.load(Ordering::SeqCst) {
            Err(failed())
        } else {
            answer
        }
    }
}

#[async_trait]
impl CacheStore for Unreliable {
    fn guarantees(&self) -> Guarantees {
        self.0.store.guarantees()
    }

    async fn read(&self, read: Read<'_>) -> Result<ReadAnswer, StoreError> {
        self.call("read", self.0.store.read(read)).await
    }

    async fn lease(
        &self,
        shard: u16,
        requests: &[LeaseRequest<'_>],
    ) -> Result<Vec<Lease>, StoreError> {
        self.call("lease", self.0.store.lease(shard, requests))
            .await
    }

    async fn fill(
        &self,
        shard: u16,
        fills: &[Fill<'_>],
    ) -> Result<Vec<Option<Version>>, StoreError> {
        self.call("fill", self.0.store.fill(shard, fills)).await
    }

    async fn release(&self, shard: u16, leases: &[(&[u8], Token)]) -> Result<(), StoreError> {
        self.call("release", self.0.store.release(shard, leases))
            .await
    }

    async fn write(
        &self,
        shard: u16,
        writes: &[Write<'_>],
    ) -> Result<Vec<Option<Version>>, StoreError> {
        self.call("write", self.0.store.write(shard, writes)).await
    }

    async fn invalidate(
        &self,
        shard: u16,
        keys: &[&[u8]],
        how: Invalidation,
    ) -> Result<Version, StoreError> {
        self.call("invalidate", self.0.store.invalidate(shard, keys, how))
            .await
    }

    async fn advance(&self, names: &[&str]) -> Result<Version, StoreError> {
        self.call("advance", self.0.store.advance(names)).await
    }
}

/// Text that stands in for a day, of which a failing loader is asked twice a minute.
pub(crate) const SAFE: Region<String> = Region::new("safe")
    .ttl(Duration::from_secs(60))
    .jitter(0.0)
    .fail_safe(Duration::from_secs(86400), Duration::from_secs(30));

/// Gets the value under `a`, or has this loaded.
pub(crate) async fn safe(
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
