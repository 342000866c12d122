//! Short forms of the calls that cases make.

use super::Subject;
use crate::store::{
    CacheStore, Change, Fill, Invalidation, Lease, LeaseRequest, LogAnswer, NewGeneration, Read,
    ReadAnswer, Token, Version, Write,
};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// For what is to expire.
pub(super) const SOON: Duration = Duration::from_millis(40);

/// Up to here an envelope is written by the store.
pub(super) const OWN: usize = 20;

pub(super) const A: Token = Token([0xA0; 16]);
pub(super) const B: Token = Token([0xB0; 16]);

/// Most entries of a log that cases ask for.
pub(super) const MANY: usize = 100_000;

/// An envelope whose value is fresh for so long.
pub(super) fn envelope(fresh: Duration, rest: impl AsRef<[u8]>) -> Bytes {
    let millis = u64::try_from(fresh.as_millis()).unwrap_or(u64::MAX);
    let mut bytes = vec![0xFC, 0xE5, 1, 0];
    bytes.extend([0; 16]);
    bytes.extend(millis.to_le_bytes());
    bytes.extend(rest.as_ref());
    bytes.into()
}

pub(super) fn state_of(envelope: &[u8]) -> u8 {
    envelope[3]
}

pub(super) fn version_of(envelope: &[u8]) -> Version {
    u64::from_le_bytes(envelope[4..12].try_into().expect("eight bytes"))
}

pub(super) fn created_of(envelope: &[u8]) -> u64 {
    u64::from_le_bytes(envelope[12..20].try_into().expect("eight bytes"))
}

/// A store whose calls succeed.
#[derive(Clone)]
pub(super) struct Probe {
    pub(super) store: Arc<dyn CacheStore>,
    shard: u16,
}

impl Probe {
    pub(super) async fn open(subject: &dyn Subject) -> Self {
        Self {
            store: subject.open().await,
            shard: 0,
        }
    }

    pub(super) fn shard(&self, shard: u16) -> Self {
        Self {
            store: Arc::clone(&self.store),
            shard,
        }
    }

    pub(super) async fn read(&self, read: Read<'_>) -> ReadAnswer {
        let read = Read {
            shard: self.shard,
            ..read
        };
        let answer = self.store.read(read).await.expect("a read succeeds");
        assert_eq!(answer.values.len(), read.keys.len());
        assert_eq!(answer.generations.len(), read.names.len());
        assert_eq!(answer.log.is_some(), read.log.is_some());
        assert_eq!(answer.tag_log.is_some(), read.tag_log.is_some());
        answer
    }

    pub(super) async fn get(&self, key: &[u8]) -> Option<Bytes> {
        let read = Read {
            keys: &[key],
            ..Read::default()
        };
        self.read(read).await.values.remove(0)
    }

    pub(super) async fn log(&self, after: Option<Version>, limit: usize) -> LogAnswer<Change> {
        let read = Read {
            log: Some(after),
            log_limit: limit,
            ..Read::default()
        };
        self.read(read).await.log.expect("it was asked for")
    }

    /// Where the log ends.
    pub(super) async fn end(&self) -> Version {
        let answer = self.log(None, MANY).await;
        assert!(answer.entries.is_empty() && !answer.gap);
        answer.position
    }

    /// The same, where there is a log.
    pub(super) async fn end_if_logged(&self) -> Option<Version> {
        match self.store.guarantees().log {
            true => Some(self.end().await),
            false => None,
        }
    }

    /// All changes since; no gap.
    pub(super) async fn since(&self, position: Version) -> Vec<Change> {
        let answer = self.log(Some(position), MANY).await;
        assert!(!answer.gap, "a gap after {position}");
        let last = answer
            .entries
            .last()
            .map_or(position, |change| change.version);
        assert_eq!(answer.position, last, "the position is the last entry's");
        answer.entries
    }

    pub(super) async fn tag_log(
        &self,
        after: Option<Version>,
        limit: usize,
    ) -> LogAnswer<NewGeneration> {
        let read = Read {
            tag_log: Some(after),
            log_limit: limit,
            ..Read::default()
        };
        self.read(read).await.tag_log.expect("it was asked for")
    }

    pub(super) async fn generations(&self, names: &[&str]) -> Vec<Version> {
        let read = Read {
            names,
            ..Read::default()
        };
        self.read(read).await.generations
    }

    pub(super) async fn write(&self, writes: &[Write<'_>]) -> Vec<Option<Version>> {
        let versions = self
            .store
            .write(self.shard, writes)
            .await
            .expect("a write succeeds");
        assert_eq!(versions.len(), writes.len());
        versions
    }

    pub(super) async fn put(&self, key: &[u8], envelope: Bytes) -> Version {
        let write = Write {
            key,
            envelope,
            physical: MINUTE,
            unless_after: None,
        };
        self.write(&[write]).await[0].expect("nothing was asked of what is there")
    }

    pub(super) async fn leases(&self, requests: &[LeaseRequest<'_>]) -> Vec<Lease> {
        let leases = self
            .store
            .lease(self.shard, requests)
            .await
            .expect("a lease succeeds");
        assert_eq!(leases.len(), requests.len());
        leases
    }

    pub(super) async fn lease(&self, key: &[u8], token: Token, rejected: Option<Version>) -> Lease {
        let request = LeaseRequest {
            key,
            token,
            ttl: MINUTE,
            rejected,
        };
        self.leases(&[request]).await.remove(0)
    }

    pub(super) async fn grant(&self, key: &[u8], token: Token) {
        let lease = self.lease(key, token, None).await;
        assert!(matches!(lease, Lease::Granted), "{key:?}: {lease:?}");
    }

    pub(super) async fn held(&self, key: &[u8], token: Token) {
        let lease = self.lease(key, token, None).await;
        assert!(
            matches!(lease, Lease::Held { remaining } if remaining <= MINUTE),
            "{lease:?}"
        );
    }

    pub(super) async fn fill(&self, key: &[u8], token: Token, envelope: Bytes) -> Option<Version> {
        let fill = Fill {
            key,
            token,
            envelope,
            physical: MINUTE,
        };
        let versions = self
            .store
            .fill(self.shard, &[fill])
            .await
            .expect("a fill succeeds");
        assert_eq!(versions.len(), 1);
        versions[0]
    }

    pub(super) async fn release(&self, key: &[u8], token: Token) {
        let released = self.store.release(self.shard, &[(key, token)]).await;
        released.expect("a release succeeds");
    }

    pub(super) async fn invalidate(&self, keys: &[&[u8]], how: Invalidation) -> Version {
        let version = self.store.invalidate(self.shard, keys, how).await;
        version.expect("an invalidation succeeds")
    }

    pub(super) async fn remove(&self, key: &[u8]) -> Version {
        self.invalidate(&[key], Invalidation::Remove).await
    }

    pub(super) async fn advance(&self, names: &[&str]) -> Version {
        self.store
            .advance(names)
            .await
            .expect("an advance succeeds")
    }
}
