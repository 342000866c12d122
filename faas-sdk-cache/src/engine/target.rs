use crate::coherence::{Knowledge, Names, Shard, is_known};
use crate::engine::Shared;
use crate::local::{FullKey, Guards};
use crate::policy::Policy;
use crate::region::{Levels, Region};
use crate::remote::Remote;
use crate::store::Version;
use std::sync::Arc;
use std::time::Duration;

/// One key of one region, and how it is to be kept.
pub(crate) struct Target<V> {
    pub(crate) region: Region<V>,
    pub(crate) policy: Policy,
    pub(crate) key: FullKey,
    pub(crate) shard: Arc<Shard>,
    pub(crate) names: Arc<Names>,
    /// The tags that the caller gave, and the region's.
    pub(crate) tags: Arc<[String]>,
}

/// What was known before a value was read or loaded.
#[derive(Clone)]
pub(crate) struct Before {
    pub(crate) guards: Guards,
    /// The generations of everything and of the region, and what was known of tags.
    pub(crate) all: Version,
    pub(crate) region: Version,
    pub(crate) knowledge: Knowledge,
}

impl<V> Target<V> {
    pub(crate) fn new(
        shared: &Shared,
        region: &Region<V>,
        key: FullKey,
        policy: Policy,
        tags: Arc<[String]>,
    ) -> Self {
        let shard = match region.levels {
            Levels::Local => &shared.unlogged,
            Levels::Both | Levels::Remote => shared.shard(key.bytes()),
        };
        let shard = Arc::clone(shard);
        let names = shared.tags.region(region.name);
        Self {
            region: *region,
            policy,
            key,
            shard,
            names,
            tags,
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        self.region.levels != Levels::Remote
    }

    /// The remote level, if the region uses one.
    pub(crate) fn remote<'s>(&self, shared: &'s Shared) -> Option<&'s Remote> {
        let used = self.region.levels != Levels::Local && self.region.form.is_some();
        shared.remote.as_ref().filter(|_| used)
    }

    /// The shard whose reading tells of generations, too.
    pub(crate) fn asked_shard<'s>(&'s self, shared: &'s Shared) -> &'s Arc<Shard> {
        match self.region.levels {
            Levels::Local => &shared.shards[0],
            Levels::Both | Levels::Remote => &self.shard,
        }
    }

    /// How long a stale value is served before another try.
    pub(crate) fn throttle(&self) -> Duration {
        self.policy
            .fail_safe
            .map_or(Duration::from_secs(1), |fail_safe| fail_safe.throttle)
    }

    /// How long a lease lasts: stores count in milliseconds.
    pub(crate) fn lease(&self) -> Duration {
        self.policy.lease.max(Duration::from_millis(1))
    }

    /// Guards for what is read from now on; its tags stand with it.
    pub(crate) fn guards(&self) -> Guards {
        Guards {
            shard: Arc::clone(&self.shard),
            guards: Box::new([self.shard.epoch().guard(), self.names.epoch.guard()]),
        }
    }

    /// What is known now, for what is loaded or set from now on.
    pub(crate) fn before(&self, shared: &Shared) -> Before {
        let knowledge = shared.tags.knowledge();
        let guards = self.guards();
        let (all, region) = (shared.tags.all().get(), self.names.generation.get());
        let tags = self.tags.iter().map(|tag| shared.tags.tag(tag).guard());
        Before {
            guards: guards.with_tags(tags.collect()),
            all,
            region,
            knowledge,
        }
    }

    /// Names whose generations have to be read before a remote value can be judged.
    pub(crate) fn unknown_names(&self, shared: &Shared) -> Vec<String> {
        if !shared.tags.is_remote() {
            return Vec::new();
        }
        let mut names = Vec::new();
        if !shared.tags.all().is_known() {
            names.push(crate::coherence::ALL.to_owned());
        }
        if !self.names.generation.is_known() {
            names.push(String::from(&*self.names.name));
        }
        let unknown = |tag: &&String| !shared.tags.tag(tag).is_known();
        names.extend(
            self.tags
                .iter()
                .filter(unknown)
                .map(|tag| crate::coherence::tag_name(tag)),
        );
        names
    }
}

impl Before {
    /// Whether all generations are known, without which a remote value would be dead at once.
    pub(crate) fn are_known(&self, shared: &Shared) -> bool {
        !shared.tags.is_remote()
            || (is_known(self.all)
                && is_known(self.region)
                && self.guards.tags().all(|(_, seen)| is_known(seen)))
    }
}
