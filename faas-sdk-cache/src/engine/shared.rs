use crate::coherence::{Shard, Tags};
use crate::local::{FullKey, Stripes, Table, shard_of};
use crate::remote::{Coalescer, Recovery, Remote};
use crate::stats::{Counter, Stats};
use crate::store::Guarantees;
use faas_sdk_scope::{Instance, Moment, Scope};
use std::sync::Arc;
use std::time::Duration;

/// What all handles of a cache share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) instance: Arc<Instance>,
    pub(crate) table: Table,
    pub(crate) stripes: Arc<Stripes>,
    pub(crate) tags: Tags,
    pub(crate) shards: Box<[Arc<Shard>]>,
    /// The shard of what stays in this process.
    pub(crate) unlogged: Arc<Shard>,
    pub(crate) remote: Option<Remote>,
    pub(crate) coalescer: Coalescer,
    pub(crate) recovery: Recovery,
    pub(crate) stats: Stats,
    pub(crate) settings: Settings,
}

/// What a cache is set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How old the last reading of the logs may be.
    pub(crate) verify_after: Duration,
    /// The largest value the remote level is given, in bytes.
    pub(crate) value_cap: usize,
    /// Different in each process, so that nobody can choose keys that collide.
    pub(crate) seed: u64,
}

impl Shared {
    pub(crate) fn new(
        instance: Arc<Instance>,
        table: Table,
        remote: Option<Remote>,
        settings: Settings,
    ) -> Arc<Self> {
        let shards = remote
            .as_ref()
            .map_or(1, |remote| remote.store().shards().max(1));
        let guarantees = remote.as_ref().map_or(Guarantees::NONE, Remote::guarantees);
        let logged = guarantees.log;
        Arc::new(Self {
            instance,
            table,
            stripes: Stripes::new(),
            tags: Tags::new(logged && guarantees.generations),
            shards: (0..shards).map(|index| Shard::new(index, logged)).collect(),
            unlogged: Shard::new(0, false),
            remote,
            coalescer: Coalescer::new(shards),
            recovery: Recovery::default(),
            stats: Stats::new(),
            settings,
        })
    }

    pub(crate) fn shard(&self, key: &[u8]) -> &Arc<Shard> {
        // The number of shards fits a u16: it came from one.
        let shards = u16::try_from(self.shards.len()).unwrap_or(u16::MAX);
        &self.shards[usize::from(shard_of(key, shards))]
    }

    /// The remote level, if it logs changes.
    pub(crate) fn logged(&self) -> Option<&Remote> {
        self.remote
            .as_ref()
            .filter(|remote| remote.guarantees().log)
    }

    /// Whether a shard's logs have to be read before its entries here may be served.
    pub(crate) fn is_due(&self, shard: &Shard, now: &Moment) -> bool {
        shard.is_due(now, self.instance.epoch(), self.settings.verify_after)
    }

    /// Throws away what is known of a key here, and whatever is on its way.
    pub(crate) fn void(&self, key: &FullKey) {
        self.stripes.void(key, || self.table.remove(key));
    }

    pub(crate) fn count(&self, scope: Option<&Scope>, counter: Counter, by: u64) {
        self.stats.count(scope, counter, by);
    }
}
