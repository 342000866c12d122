//! A remote level in this process.

mod expiring;
mod generations;
mod log;
mod shard;

use super::{
    CacheStore, Fill, Guarantees, Invalidation, Lease, LeaseRequest, Read, ReadAnswer, StoreError,
    Token, Version, Write,
};
use async_trait::async_trait;
use faas_sdk_scope::{Clock, Stamp, SystemClock};
use generations::Generations;
use shard::Shard;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store in the memory of this process, with all guarantees.
///
/// It is what a cache without a remote level stands on, and what tests put between several caches:
/// clones share their data. Values beyond the bound in bytes are dropped, the soonest to expire
/// first.
///
/// ```
/// use faas_sdk_cache::store::MemoryStore;
///
/// let store = MemoryStore::builder().max_bytes(1 << 20).build();
/// let same = store.clone();
/// same.flush();
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    clock: Box<dyn Clock>,
    created: Stamp,
    shards: Box<[Mutex<Shard>]>,
    generations: Mutex<Generations>,
}

/// Sets up a [`MemoryStore`].
pub struct MemoryStoreBuilder {
    clock: Box<dyn Clock>,
    shards: u16,
    max_bytes: usize,
    log_length: usize,
    max_names: usize,
}

impl MemoryStore {
    /// A store of 64 MiB in one shard, on the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts to set one up.
    #[must_use]
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder {
            clock: Box::new(SystemClock),
            shards: 1,
            max_bytes: 64 << 20,
            log_length: 10_000,
            max_names: 65_536,
        }
    }

    /// For tests: loses values, leases, logs and generations, as a server that is restarted empty.
    pub fn flush(&self) {
        for shard in &self.0.shards {
            lock(shard).clear();
        }
        lock(&self.0.generations).clear();
    }

    /// For tests: drops all entries of the logs, so that every reader of them finds a gap.
    pub fn trim_log(&self) {
        for shard in &self.0.shards {
            lock(shard).trim_log();
        }
        lock(&self.0.generations).trim_log();
    }

    /// The time in microseconds. It runs with the fastest of the clocks: a value must rather seem
    /// too old than too young.
    fn now(&self) -> u64 {
        let Inner { clock, created, .. } = &*self.0;
        let now = created.realtime + clock.now().since(created);
        u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
    }

    fn shard(&self, index: u16) -> Result<MutexGuard<'_, Shard>, StoreError> {
        let shard = self.0.shards.get(usize::from(index));
        shard
            .map(lock)
            .ok_or_else(|| StoreError::no_such_shard(index))
    }
}

#[async_trait]
impl CacheStore for MemoryStore {
    fn guarantees(&self) -> Guarantees {
        Guarantees::FULL
    }

    fn shards(&self) -> u16 {
        u16::try_from(self.0.shards.len()).unwrap_or(u16::MAX)
    }

    async fn read(&self, read: Read<'_>) -> Result<ReadAnswer, StoreError> {
        let (now, limit) = (self.now(), read.log_limit);
        let mut answer = ReadAnswer::default();
        if read.tag_log.is_some() || !read.names.is_empty() {
            let mut generations = lock(&self.0.generations);
            answer.tag_log = read.tag_log.map(|after| generations.log(after, limit, now));
            answer.generations = read
                .names
                .iter()
                .map(|name| generations.get(name, now))
                .collect();
        }
        let mut shard = self.shard(read.shard)?;
        answer.log = read.log.map(|after| shard.log(after, limit, now));
        answer.time = read.log.map(|_| now);
        answer.values = read.keys.iter().map(|key| shard.value(key, now)).collect();
        Ok(answer)
    }

    async fn lease(
        &self,
        shard: u16,
        requests: &[LeaseRequest<'_>],
    ) -> Result<Vec<Lease>, StoreError> {
        let (now, mut shard) = (self.now(), self.shard(shard)?);
        Ok(requests
            .iter()
            .map(|request| shard.lease(request, now))
            .collect())
    }

    async fn fill(
        &self,
        shard: u16,
        fills: &[Fill<'_>],
    ) -> Result<Vec<Option<Version>>, StoreError> {
        let (now, mut shard) = (self.now(), self.shard(shard)?);
        Ok(fills.iter().map(|fill| shard.fill(fill, now)).collect())
    }

    async fn release(&self, shard: u16, leases: &[(&[u8], Token)]) -> Result<(), StoreError> {
        let (now, mut shard) = (self.now(), self.shard(shard)?);
        leases
            .iter()
            .for_each(|(key, token)| shard.release(key, *token, now));
        Ok(())
    }

    async fn write(
        &self,
        shard: u16,
        writes: &[Write<'_>],
    ) -> Result<Vec<Option<Version>>, StoreError> {
        let (now, mut shard) = (self.now(), self.shard(shard)?);
        Ok(writes.iter().map(|write| shard.write(write, now)).collect())
    }

    async fn invalidate(
        &self,
        shard: u16,
        keys: &[&[u8]],
        how: Invalidation,
    ) -> Result<Version, StoreError> {
        let (now, mut shard) = (self.now(), self.shard(shard)?);
        Ok(keys
            .iter()
            .fold(0, |_, key| shard.invalidate(key, how, now)))
    }

    async fn advance(&self, names: &[&str]) -> Result<Version, StoreError> {
        if names.is_empty() {
            return Ok(0);
        }
        Ok(lock(&self.0.generations).advance(names, self.now()))
    }
}

impl MemoryStoreBuilder {
    /// Replaces the clock, by which values and leases expire and versions are issued.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// How many shards it has, at least 1; default 1.
    #[must_use]
    pub fn shards(mut self, shards: u16) -> Self {
        self.shards = shards.max(1);
        self
    }

    /// How many bytes of keys and values it holds, shared evenly by the shards; default 64 MiB. An
    /// eighth of it is for leases. A value that is larger than its shard's part is not kept.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many entries each log keeps; default 10,000.
    #[must_use]
    pub fn log_length(mut self, entries: usize) -> Self {
        self.log_length = entries;
        self
    }

    /// How many names have a generation of their own; beyond, all entries become stale once.
    /// Default 65,536.
    #[must_use]
    pub fn max_names(mut self, names: usize) -> Self {
        self.max_names = names;
        self
    }

    /// Builds the store.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        let bytes = self.max_bytes / usize::from(self.shards);
        let shard = |_| Mutex::new(Shard::new(bytes, self.log_length));
        MemoryStore(Arc::new(Inner {
            created: self.clock.now(),
            shards: (0..self.shards).map(shard).collect(),
            generations: Mutex::new(Generations::new(self.log_length, self.max_names)),
            clock: self.clock,
        }))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("shards", &self.0.shards.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStoreBuilder")
            .field("shards", &self.shards)
            .field("max_bytes", &self.max_bytes)
            .field("log_length", &self.log_length)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
