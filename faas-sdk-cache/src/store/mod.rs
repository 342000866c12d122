//! What a remote level has to do, and the stores that do it.
//!
//! A store keeps opaque envelopes under keys. Keys belong to a *shard*, a number below
//! [`CacheStore::shards`] that the cache computes; all keys of one shard, their leases, the shard's
//! version counter and its log of invalidations are changed together and atomically. Tag
//! generations and their log live in one place of the namespace.
//!
//! # What a value is to a store
//!
//! Bytes that are its caller's, but for the first 28 of an envelope, little endian:
//!
//! | bytes | field | written by |
//! |---|---|---|
//! | 2 | magic `0xFC 0xE5` | cache |
//! | 1 | envelope version, which stores do not look at | cache |
//! | 1 | state: 0 live, 1 expired on demand | cache; store, when it expires the value |
//! | 8 | version | store |
//! | 8 | time of creation, microseconds since the Unix epoch on the store's clock | store |
//! | 8 | logical time to live, milliseconds | cache |
//!
//! A value is *fresh* if it is live, and on the store's clock younger than its logical time to live.
//! What does not start with the magic is kept and answered as it is, and never fresh.

pub mod head;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(test, feature = "testing"))]
pub mod suite;

pub use crate::version::Version;
pub use memory::{MemoryStore, MemoryStoreBuilder};
#[cfg(feature = "redis")]
pub use redis::{InvalidNamespace, RedisStore};

use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// What a store can be relied on for. The cache works with none of it, and says less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guarantees {
    /// Of all instances, one holds the lease of a key, and a fill needs it. Without: every instance
    /// that misses loads, and a slow load may overwrite a newer value.
    pub leases: bool,
    /// Changes are logged, so that other instances learn of them. Without: they see a change when
    /// their own copy expires.
    pub log: bool,
    /// Tags and regions have generations. Without: tags and clears work in this process only.
    pub generations: bool,
}

impl Guarantees {
    /// All of it.
    pub const FULL: Self = Self {
        leases: true,
        log: true,
        generations: true,
    };
    /// A plain key-value store.
    pub const NONE: Self = Self {
        leases: false,
        log: false,
        generations: false,
    };
}

/// The owner of a lease: random, new for each load.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub [u8; 16]);

/// What [`CacheStore::read`] is asked.
///
/// A store answers the shard's log as of a moment *before* it reads the values, and the log of
/// generations as of a moment before it reads the generations: what changes after a position is in
/// the log, or is read, or both, but is never lost between the two.
///
/// The two parts may come in any order, or at once from two nodes, because values are compared with
/// generations by number. A value carries the generations that were read before it was loaded. If one
/// of its names advances between the two readings, then either the generations were read afterwards,
/// and the value is found stale; or they were read before, and then so was the log of generations,
/// whose next reading tells of it. For that, a reader must put up with a value whose generations are
/// newer than those it has read, and must hold what it keeps of a value against all that its log of
/// generations has told up to the position that it goes on from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Read<'a> {
    /// The shard of `keys` and of `log`.
    pub shard: u16,
    /// The values wanted.
    pub keys: &'a [&'a [u8]],
    /// The shard's log after this position; `Some(None)` asks for the present end of the log alone,
    /// which is never a gap.
    pub log: Option<Option<Version>>,
    /// The log of tag generations after this position, likewise.
    pub tag_log: Option<Option<Version>>,
    /// Names whose generations are wanted.
    pub names: &'a [&'a str],
    /// At most how many entries of each log (of names, in the log of generations); if more are there,
    /// the log answers a gap.
    pub log_limit: usize,
}

/// The answer to [`Read`].
#[derive(Debug, Default)]
pub struct ReadAnswer {
    /// For each key its envelope, fresh or not, if there is one.
    pub values: Vec<Option<Bytes>>,
    /// The shard's log, if asked for.
    pub log: Option<LogAnswer<Change>>,
    /// The log of generations, if asked for.
    pub tag_log: Option<LogAnswer<NewGeneration>>,
    /// For each name its generation. A name that was never advanced has one as well, which rises when
    /// the store has lost the generations of others: never 0.
    pub generations: Vec<Version>,
    /// The time on the clock of the node that holds the shard, in microseconds since the Unix epoch:
    /// answered whenever `log` was asked for.
    pub time: Option<u64>,
}

/// What was logged since a position.
#[derive(Debug)]
pub struct LogAnswer<E> {
    /// Where the log ends now, also after a gap; the next read starts here. An empty log is given an
    /// entry without meaning, so that there always is a position, and its loss shows as a gap.
    pub position: Version,
    /// The entries since the position asked for, oldest first. None if there is a gap.
    pub entries: Vec<E>,
    /// The entry at the position asked for is not there any more (trimmed, evicted, lost in a
    /// failover, the store restarted empty), or more than `log_limit` follow it: whatever was known
    /// may be stale.
    pub gap: bool,
}

/// An entry of a shard's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The version that the change was given.
    pub version: Version,
    /// The key that changed.
    pub key: Bytes,
    /// How it changed.
    pub kind: ChangeKind,
}

/// How a key changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was removed or overwritten.
    Replaced,
    /// It was expired: what was there may still serve as a fallback.
    Expired,
}

/// An entry of the log of generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGeneration {
    /// The name (a tag, a region, or all).
    pub name: String,
    /// Its generation from now on.
    pub generation: Version,
}

/// A wish to load a key.
///
/// The answer is [`Lease::Value`] if the value there is fresh and not the rejected one; otherwise
/// [`Lease::Granted`] if nobody holds the lease, or this token does; otherwise [`Lease::Held`].
#[derive(Clone, Copy, Debug)]
pub struct LeaseRequest<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The owner.
    pub token: Token,
    /// After this the lease is void; at least a millisecond.
    pub ttl: Duration,
    /// The version of a value that the caller has seen and will not take: it does not count as there.
    pub rejected: Option<Version>,
}

/// The answer to a [`LeaseRequest`].
#[derive(Debug)]
pub enum Lease {
    /// The caller is to load, now: what was read before may be older than the lease. A caller that has
    /// got no answer must not fill, even if the lease turns out to be its own: it may have been granted
    /// later than something that the load has missed.
    Granted,
    /// There is a fresh value by now (not expired, and not the rejected one).
    Value(Bytes),
    /// Another one loads.
    Held {
        /// When its lease ends, at the latest.
        remaining: Duration,
    },
}

/// A loaded value, which `Debug` does not show.
#[derive(Clone)]
pub struct Fill<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The owner of the lease.
    pub token: Token,
    /// An envelope, of which the store writes the version and the time of creation.
    pub envelope: Bytes,
    /// After this it is gone; at least a millisecond. It may go earlier, if the store needs room.
    pub physical: Duration,
}

/// A value to write whatever is there; `Debug` does not show it.
#[derive(Clone)]
pub struct Write<'a> {
    /// The key.
    pub key: &'a [u8],
    /// As in [`Fill`].
    pub envelope: Bytes,
    /// As in [`Fill`].
    pub physical: Duration,
    /// Do not write if the key has a value of a later version: for writes that are repeated after an
    /// outage.
    pub unless_after: Option<Version>,
}

/// How keys are invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalidation {
    /// The values are deleted.
    Remove,
    /// The values stay as fallbacks for the rest of their time, with the version they have; their state
    /// says that they are expired.
    Expire,
}

/// A remote level.
///
/// Every method is one round trip to each node concerned (apart from what a store has to do when it
/// is used first, or has lost something), may be repeated after a failure whose effect is unknown,
/// and is cancel-safe in the sense that dropping it leaves the command sent or not sent. The cache
/// bounds each call by a timeout of its own.
///
/// Keys are any bytes. Within a call they are distinct, and all of them are changed or, on an error,
/// it is unknown whether any was. A call for no keys does nothing.
///
/// What was sent and not answered may still be delivered later: much later, if this process freezes in
/// between. Most calls do no harm then. But a [`CacheStore::lease`] would grant anew what has been
/// voided since, and a [`CacheStore::write`] would replace a newer value; so a store must not repeat
/// these two by itself once a first attempt may have been sent, and should see to it that they do
/// nothing when they arrive after their caller has given up.
///
/// The module `suite`, which is there with the feature `testing`, tests all of this.
#[async_trait]
pub trait CacheStore: fmt::Debug + Send + Sync + 'static {
    /// What it can be relied on for.
    fn guarantees(&self) -> Guarantees {
        Guarantees::NONE
    }

    /// How many shards it has, fixed for the namespace; at least 1.
    fn shards(&self) -> u16 {
        1
    }

    /// Reads logs, then values.
    async fn read(&self, read: Read<'_>) -> Result<ReadAnswer, StoreError>;

    /// Asks for the leases of keys of one shard, for each its answer. A token that holds the lease
    /// already is granted it again, with the whole time to live.
    async fn lease(
        &self,
        shard: u16,
        requests: &[LeaseRequest<'_>],
    ) -> Result<Vec<Lease>, StoreError>;

    /// Stores loaded values of one shard, each only if its token still holds the lease, which then
    /// ends. For each the version it was given, or `None` if it was refused. Not logged: a fill makes
    /// no copy stale that has not expired.
    ///
    /// Where the lease is not held, but the very same value is there and live, apart from what the
    /// store writes, that value's version is answered: the fill was repeated because its first answer
    /// was lost, or someone else has stored the same.
    async fn fill(
        &self,
        shard: u16,
        fills: &[Fill<'_>],
    ) -> Result<Vec<Option<Version>>, StoreError>;

    /// Gives leases back, where the tokens still hold them.
    async fn release(&self, shard: u16, leases: &[(&[u8], Token)]) -> Result<(), StoreError>;

    /// Writes values of one shard, voids their leases, logs the change. For each the version it was
    /// given, or `None` if a later value is there, which then is left alone with its lease; if that is
    /// the very same value, as for [`CacheStore::fill`], its version.
    async fn write(
        &self,
        shard: u16,
        writes: &[Write<'_>],
    ) -> Result<Vec<Option<Version>>, StoreError>;

    /// Invalidates keys of one shard, whether they have a value or not, voids their leases, logs the
    /// change. Returns the version of the last change; 0 if there are no keys.
    ///
    /// Works also where there is no room for new values.
    async fn invalidate(
        &self,
        shard: u16,
        keys: &[&[u8]],
        how: Invalidation,
    ) -> Result<Version, StoreError>;

    /// Gives each name a new generation, the same for all, and logs it. Returns it; 0 if there are no
    /// names. Works also where there is no room for new values.
    ///
    /// A store that has too many names to keep may forget them: then the generation of all names is a
    /// new one, and readers of the log find a gap.
    async fn advance(&self, names: &[&str]) -> Result<Version, StoreError>;
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, or did not answer in time. Counts for the circuit breaker.
    #[error("the remote cache does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered with a refusal, such as a full memory or missing permission.
    #[error("the remote cache refused")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer makes no sense.
    #[error("the remote cache sent an answer of unexpected form: {0}")]
    Garbled(&'static str),
}

impl StoreError {
    /// The shard's number is not below [`CacheStore::shards`].
    fn no_such_shard(shard: u16) -> Self {
        Self::Refused(format!("there is no shard {shard}").into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl fmt::Debug for Fill<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fill")
            .field("token", &self.token)
            .field("bytes", &self.envelope.len())
            .field("physical", &self.physical)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("bytes", &self.envelope.len())
            .field("physical", &self.physical)
            .field("unless_after", &self.unless_after)
            .finish_non_exhaustive()
    }
}
