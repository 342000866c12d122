use crate::coherence::{Guard, Shard};
use crate::store::Version;
use crate::value::{Cached, Source};
use faas_sdk_scope::Moment;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is known of a key in this process.
pub(crate) struct Entry {
    /// `None`: there is no such thing.
    pub(crate) value: Option<Arc<dyn Any + Send + Sync>>,
    /// 0 if no store has issued one.
    pub(crate) version: Version,
    /// When it was taken into this process; the spans below count from here.
    pub(crate) taken: Moment,
    /// How old it was then.
    pub(crate) age: Duration,
    /// How long it may be served without a question to the remote level.
    pub(crate) l1_fresh: Duration,
    /// How long it is fresh.
    pub(crate) fresh: Duration,
    /// How long it may stand in for a value that cannot be loaded.
    pub(crate) kept: Duration,
    /// How long the load took.
    pub(crate) cost: Duration,
    pub(crate) etag: Option<Box<str>>,
    /// In bytes, the key not included.
    pub(crate) weight: usize,
    pub(crate) guards: Guards,
    pub(crate) origin: Source,
    /// A stale value that was armed again because it could not be loaded.
    pub(crate) rearmed: bool,
    pub(crate) expired: AtomicBool,
}

/// What has to be as it was when the value was read.
#[derive(Clone, Debug)]
pub(crate) struct Guards {
    pub(crate) shard: Arc<Shard>,
    /// The shard's epoch, the region's, and the tags'.
    pub(crate) guards: Box<[Guard]>,
}

/// Of what use an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It can be served.
    Fresh,
    /// It has to be asked for or loaded again, and may stand in meanwhile.
    Due,
    /// It must not be served.
    Dead,
}

/// The guards that every entry has, before those of its tags.
const FIXED_GUARDS: usize = 2;

impl Guards {
    pub(crate) fn hold(&self) -> bool {
        self.guards.iter().all(Guard::holds)
    }

    /// The tags, each with its generation.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, Version)> {
        let tags = self.guards.iter().skip(FIXED_GUARDS);
        tags.map(|guard| (guard.name(), guard.seen()))
    }

    pub(crate) fn with_tags(mut self, tags: Vec<Guard>) -> Self {
        if !tags.is_empty() {
            self.guards = self.guards.into_iter().chain(tags).collect();
        }
        self
    }
}

impl Entry {
    pub(crate) fn freshness(&self, now: &Moment) -> Freshness {
        let passed = now.since(&self.taken);
        if passed >= self.kept || !self.guards.hold() {
            Freshness::Dead
        } else if passed >= self.l1_fresh || self.expired.load(Ordering::Acquire) {
            Freshness::Due
        } else {
            Freshness::Fresh
        }
    }

    /// Whether it lives for any time at all.
    pub(crate) fn is_kept(&self) -> bool {
        !self.kept.is_zero()
    }

    pub(crate) fn expire(&self) {
        self.expired.store(true, Ordering::Release);
    }

    pub(crate) fn age(&self, now: &Moment) -> Duration {
        self.age + now.since(&self.taken)
    }

    /// How long it stays fresh.
    pub(crate) fn remaining(&self, now: &Moment) -> Duration {
        self.fresh.saturating_sub(now.since(&self.taken))
    }

    pub(crate) fn is_stale(&self, now: &Moment) -> bool {
        self.rearmed || self.expired.load(Ordering::Acquire) || self.remaining(now).is_zero()
    }

    pub(crate) fn is<V: 'static>(&self) -> bool {
        self.value.as_ref().is_none_or(|value| value.is::<V>())
    }

    /// Whether it may stand in for a value that cannot be loaded: fail-safe allows it, or it is fresh
    /// and was only due to be asked for.
    pub(crate) fn may_stand_in(&self, now: &Moment, fail_safe: bool) -> bool {
        let usable = self.value.is_some() && self.freshness(now) != Freshness::Dead;
        usable && (fail_safe || !self.is_stale(now))
    }

    /// The value as it is given to a caller; `None` if there is no such thing, or it is of another type
    /// because two regions share a name.
    pub(crate) fn cached<V: Send + Sync + 'static>(
        &self,
        now: &Moment,
        source: Source,
        unverified: bool,
    ) -> Option<Cached<V>> {
        let value = Arc::clone(self.value.as_ref()?);
        Some(Cached {
            value: value.downcast().ok()?,
            source,
            stale: unverified || self.is_stale(now),
            age: self.age(now),
        })
    }

    /// The same value, served for another `throttle` although it has expired.
    pub(crate) fn rearm(&self, now: &Moment, throttle: Duration) -> Self {
        let passed = now.since(&self.taken);
        Self {
            value: self.value.clone(),
            version: self.version,
            taken: *now,
            age: self.age + passed,
            l1_fresh: throttle,
            fresh: Duration::ZERO,
            kept: self.kept.saturating_sub(passed),
            cost: self.cost,
            etag: self.etag.clone(),
            weight: self.weight,
            guards: self.guards.clone(),
            origin: self.origin,
            rearmed: true,
            expired: AtomicBool::new(false),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("negative", &self.value.is_none())
            .field("version", &self.version)
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}
