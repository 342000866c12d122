use crate::breaker::{Breaker, DEFAULT_FAILURES, DEFAULT_PAUSE};
use crate::cache::Cache;
use crate::capacity;
use crate::engine::{Settings, Shared};
use crate::local::Table;
use crate::remote::Remote;
use crate::store::CacheStore;
use faas_sdk_scope::Instance;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Sets up a [`Cache`].
pub struct CacheBuilder {
    store: Option<Arc<dyn CacheStore>>,
    instance: Option<Arc<Instance>>,
    capacity: Option<u64>,
    entry_cap: Option<usize>,
    value_cap: usize,
    verify_after: Duration,
    timeout: Duration,
    failures: u32,
    pause: Duration,
}

impl Cache {
    /// A cache in this process alone, bounded by a share of its memory.
    #[must_use]
    pub fn local() -> Self {
        Self::builder().build()
    }

    /// Starts to set one up.
    #[must_use]
    pub fn builder() -> CacheBuilder {
        CacheBuilder {
            store: None,
            instance: None,
            capacity: None,
            entry_cap: None,
            value_cap: 1 << 20,
            verify_after: Duration::from_secs(1),
            timeout: Duration::from_millis(500),
            failures: DEFAULT_FAILURES,
            pause: DEFAULT_PAUSE,
        }
    }
}

impl CacheBuilder {
    /// The remote level; default none.
    #[must_use]
    pub fn store(mut self, store: impl CacheStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The process, by whose clocks lifetimes are counted and thaws noticed; default one of its own.
    #[must_use]
    pub fn instance(mut self, instance: &Arc<Instance>) -> Self {
        self.instance = Some(Arc::clone(instance));
        self
    }

    /// How many bytes this process may hold; default a sixteenth of the instance's memory, at least
    /// 4 MiB and at most 1 GiB.
    #[must_use]
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = Some(bytes);
        self
    }

    /// The largest value this process keeps, in bytes; default an eighth of the capacity.
    #[must_use]
    pub fn entry_cap(mut self, bytes: usize) -> Self {
        self.entry_cap = Some(bytes);
        self
    }

    /// The largest value the remote level is given or believed, in bytes; default 1 MiB.
    #[must_use]
    pub fn value_cap(mut self, bytes: usize) -> Self {
        self.value_cap = bytes;
        self
    }

    /// How long a change that another instance made may go unnoticed, where the remote level logs
    /// changes; default 1 s. A value is served without a look at the log for so long.
    #[must_use]
    pub fn verify_after(mut self, bound: Duration) -> Self {
        self.verify_after = bound;
        self
    }

    /// How long a call of the remote level may take; default 500 ms.
    #[must_use]
    pub fn remote_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// After how many failures in a row the remote level is left alone, and for how long at first;
    /// default 5 failures and 1 s, which doubles up to 30 s while it stays down.
    #[must_use]
    pub fn circuit(mut self, failures: u32, pause: Duration) -> Self {
        (self.failures, self.pause) = (failures, pause);
        self
    }

    /// Builds it. Nothing is connected yet.
    #[must_use]
    pub fn build(self) -> Cache {
        let capacity = self
            .capacity
            .unwrap_or_else(|| capacity::capacity(capacity::DEFAULT_SHARE));
        let entry_cap = self
            .entry_cap
            .unwrap_or(usize::try_from(capacity / 8).unwrap_or(usize::MAX));
        let breaker = Breaker::new(self.failures, self.pause);
        let remote = self
            .store
            .map(|store| Remote::new(store, breaker, self.timeout));
        let settings = Settings {
            verify_after: self.verify_after,
            value_cap: self.value_cap,
            seed: seed(),
        };
        let instance = self.instance.unwrap_or_else(Instance::new);
        let table = Table::new(capacity, entry_cap);
        Cache::from_shared(Shared::new(instance, table, remote, settings))
    }
}

/// Without a source of random numbers keys could be made to collide, which is slow and no more.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_default()
}

impl fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("store", &self.store)
            .field("verify_after", &self.verify_after)
            .finish_non_exhaustive()
    }
}
