//! Redis, or Valkey, as the remote level.
//!
//! For shard `s` of namespace `ns`, values are kept under `{ns:s}:v:<key>`, leases (the owner's token)
//! under `{ns:s}:l:<key>`, the last version in `{ns:s}:ver`, and the log in the stream `{ns:s}:log`,
//! whose ids are `<version>-0` and whose entries have the key in a field `r` (replaced) or `x` (expired).
//! Generations are in the hash `{ns:tags}:gen`, and logged in the stream `{ns:tags}:log` in fields `n`.
//! A field `o` marks an entry without meaning, which an empty log gets so that it has a position.
//!
//! Everything that changes something is one script, which keeps to the keys of one shard. Values and
//! leases expire; the other keys do not, and are few and bounded. If the server evicts them all the
//! same, nothing becomes wrong: without its counter, versions go on from the time and the log; without
//! its log, readers find a gap; without generations, all entries with tags become stale.

mod clock;
mod keys;
mod link;
mod log;
mod read;
mod reply;
mod scripts;

use super::{
    CacheStore, Fill, Guarantees, Invalidation, Lease, LeaseRequest, Read, ReadAnswer, StoreError,
    Token, Version, Write,
};
use async_trait::async_trait;
use clock::ServerClock;
use faas_sdk_redis::redis::Value;
use faas_sdk_redis::{Redis, Retry};
use keys::{Keys, ShardKeys};
use link::Link;
use scripts::{Call, Scripts};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use keys::InvalidNamespace;

/// How many shards a namespace has on a cluster.
const CLUSTER_SHARDS: u16 = 64;

/// A store in Redis 6.2 or later, or Valkey: a single server, one behind sentinels, or a cluster. It
/// has all guarantees. Cheap to clone.
///
/// Caches that share a namespace share their values; all of them must agree on the shards, which
/// there are 64 of on a cluster and one elsewhere. A cluster must be read from its primaries.
#[derive(Clone)]
pub struct RedisStore {
    link: Link,
    keys: Arc<Keys>,
    scripts: Arc<Scripts>,
    /// For each shard that of the node which has it.
    clocks: Arc<[ServerClock]>,
    log_length: u64,
    max_names: u64,
}

impl RedisStore {
    /// A store of its own in this namespace. Connects when it is first used.
    ///
    /// # Errors
    ///
    /// If the namespace is not 1 to 64 visible ASCII characters other than braces.
    pub fn new(redis: Redis, namespace: &str) -> Result<Self, InvalidNamespace> {
        let shards = if redis.is_cluster() {
            CLUSTER_SHARDS
        } else {
            1
        };
        Ok(Self {
            keys: Arc::new(Keys::new(namespace, shards)?),
            scripts: Arc::new(Scripts::new()),
            clocks: (0..shards).map(|_| ServerClock::default()).collect(),
            log_length: 10_000,
            max_names: 65_536,
            link: Link::new(redis, Duration::from_millis(500)),
        })
    }

    /// About how many changes each log keeps, at least 1; default 10,000. An instance that missed more
    /// than that drops what it has in process.
    #[must_use]
    pub fn log_length(mut self, entries: u32) -> Self {
        self.log_length = u64::from(entries.max(1));
        self
    }

    /// How many names (tags and regions) have a generation of their own; beyond, all generations are
    /// forgotten, and everything that depends on one becomes stale once. Default 65,536.
    #[must_use]
    pub fn max_names(mut self, names: u32) -> Self {
        self.max_names = u64::from(names);
        self
    }

    /// How long one command may take, connecting included; default 500 ms. Make it no longer than the
    /// time by which the caller bounds its calls: within it, what a caller has given up may still
    /// happen.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.link.timeout = timeout;
        self
    }

    fn shard(&self, shard: u16) -> Result<(&ShardKeys, &ServerClock), StoreError> {
        let clock = self.clocks.get(usize::from(shard));
        let found = self.keys.shard(shard).zip(clock);
        found.ok_or_else(|| StoreError::no_such_shard(shard))
    }
}

#[async_trait]
impl CacheStore for RedisStore {
    fn guarantees(&self) -> Guarantees {
        Guarantees::FULL
    }

    fn shards(&self) -> u16 {
        self.keys.shards()
    }

    async fn read(&self, read: Read<'_>) -> Result<ReadAnswer, StoreError> {
        let Self { link, keys, .. } = self;
        let (shard, clock) = self.shard(read.shard)?;
        if read.log.is_none() && !read::asks_tags(&read) {
            let values = read::values(link, shard, read.keys).await?;
            return Ok(ReadAnswer {
                values,
                ..ReadAnswer::default()
            });
        }
        // Boxed on its own, so that the future of a plain read stays small.
        Box::pin(read::with_logs(link, keys, &self.scripts, clock, read)).await
    }

    async fn lease(
        &self,
        shard: u16,
        requests: &[LeaseRequest<'_>],
    ) -> Result<Vec<Lease>, StoreError> {
        let (shard, clock) = self.shard(shard)?;
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = Call::default().with_deadline();
        let rejected: Vec<Option<[u8; 8]>> = requests
            .iter()
            .map(|request| request.rejected.map(u64::to_le_bytes))
            .collect();
        for (request, rejected) in requests.iter().zip(&rejected) {
            call.pair(shard, request.key);
            let rejected = rejected.as_ref().map_or(&[][..], |bytes| bytes);
            call.arg(&request.token.0).time(request.ttl).arg(rejected);
        }
        let (link, script) = (&self.link, &self.scripts.lease);
        let answers = link.script_in_time(script, call, clock).await?;
        if answers.len() != requests.len() {
            return Err(StoreError::Garbled("an array of another length"));
        }
        let lease = |answer| match answer {
            Value::Int(0) => Ok(Lease::Granted),
            Value::Int(_) => {
                let remaining = Duration::from_millis(reply::number(&answer)?);
                Ok(Lease::Held { remaining })
            }
            value => match reply::bytes(value)? {
                Some(value) => Ok(Lease::Value(value)),
                None => Err(StoreError::Garbled("no answer to a request")),
            },
        };
        answers.into_iter().map(lease).collect()
    }

    async fn fill(
        &self,
        shard: u16,
        fills: &[Fill<'_>],
    ) -> Result<Vec<Option<Version>>, StoreError> {
        let (shard, _) = self.shard(shard)?;
        if fills.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = Call::of_shard(shard);
        for fill in fills {
            call.pair(shard, fill.key);
            call.arg(&fill.token.0)
                .time(fill.physical)
                .arg(&fill.envelope);
        }
        let versions = self
            .link
            .script(&self.scripts.fill, &call, Retry::Once)
            .await?;
        reply::versions(&reply::array(versions)?, fills.len())
    }

    async fn release(&self, shard: u16, leases: &[(&[u8], Token)]) -> Result<(), StoreError> {
        let (shard, _) = self.shard(shard)?;
        if leases.is_empty() {
            return Ok(());
        }
        let mut call = Call::default();
        for (key, token) in leases {
            call.keys.push(shard.lease(key).to_vec());
            call.arg(&token.0);
        }
        self.link
            .script(&self.scripts.release, &call, Retry::Once)
            .await?;
        Ok(())
    }

    async fn write(
        &self,
        shard: u16,
        writes: &[Write<'_>],
    ) -> Result<Vec<Option<Version>>, StoreError> {
        let (shard, clock) = self.shard(shard)?;
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = Call::of_shard(shard).with_deadline();
        call.number(self.log_length)
            .number(shard.prefix_len() as u64);
        for write in writes {
            call.pair(shard, write.key);
            match write.unless_after {
                Some(limit) => call.number(limit),
                None => call.arg(b""),
            };
            call.time(write.physical).arg(&write.envelope);
        }
        let (link, script) = (&self.link, &self.scripts.write);
        let versions = link.script_in_time(script, call, clock).await?;
        reply::versions(&versions, writes.len())
    }

    async fn invalidate(
        &self,
        shard: u16,
        keys: &[&[u8]],
        how: Invalidation,
    ) -> Result<Version, StoreError> {
        let (shard, _) = self.shard(shard)?;
        if keys.is_empty() {
            return Ok(0);
        }
        let mut call = Call::of_shard(shard);
        keys.iter().for_each(|key| call.pair(shard, key));
        call.number(self.log_length)
            .number(shard.prefix_len() as u64)
            .arg(match how {
                Invalidation::Remove => b"r",
                Invalidation::Expire => b"x",
            });
        let version = self
            .link
            .script(&self.scripts.invalidate, &call, Retry::Once)
            .await?;
        reply::number(&version)
    }

    async fn advance(&self, names: &[&str]) -> Result<Version, StoreError> {
        if names.is_empty() {
            return Ok(0);
        }
        let mut call = Call::of(&self.keys.generations, &self.keys.tag_log);
        call.number(self.log_length).number(self.max_names);
        names.iter().for_each(|name| _ = call.arg(name.as_bytes()));
        let generation = self
            .link
            .script(&self.scripts.advance, &call, Retry::Once)
            .await?;
        reply::number(&generation)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("keys", &self.keys.generations)
            .field("shards", &self.shards())
            .finish_non_exhaustive()
    }
}
