use super::expiring::Expiring;
use super::log::Log;
use crate::store::{
    Change, ChangeKind, Fill, Invalidation, Lease, LeaseRequest, LogAnswer, Token, Version, Write,
};
use crate::wire::{self, State};
use bytes::Bytes;
use std::time::Duration;

/// What part of the memory is for leases.
const LEASE_SHARE: usize = 8;

/// Up to here an envelope is written by the store.
const OWN: usize = 20;

/// Values, their leases, versions and the log. Every call takes the time, in microseconds.
#[derive(Debug)]
pub(super) struct Shard {
    values: Expiring<Bytes>,
    leases: Expiring<Token>,
    log: Log<Change>,
    last: Version,
}

impl Shard {
    pub(super) fn new(max_bytes: usize, log_length: usize) -> Self {
        let leases = max_bytes / LEASE_SHARE;
        Self {
            values: Expiring::new(max_bytes - leases),
            leases: Expiring::new(leases),
            log: Log::new(log_length),
            last: 0,
        }
    }

    pub(super) fn value(&self, key: &[u8], now: u64) -> Option<Bytes> {
        self.values.get(key, now).map(|(value, _)| value.clone())
    }

    pub(super) fn log(
        &mut self,
        after: Option<Version>,
        limit: usize,
        now: u64,
    ) -> LogAnswer<Change> {
        let last = &mut self.last;
        self.log.answer(after, limit, || next(last, now))
    }

    pub(super) fn lease(&mut self, request: &LeaseRequest<'_>, now: u64) -> Lease {
        if let Some((value, _)) = self.values.get(request.key, now)
            && wire::is_fresh(value, now)
            && wire::version_of(value) != request.rejected
        {
            return Lease::Value(value.clone());
        }
        match self.leases.get(request.key, now) {
            Some((owner, end)) if *owner != request.token => Lease::Held {
                remaining: Duration::from_micros(end.saturating_sub(now)),
            },
            _ => {
                let (token, end) = (request.token, deadline(now, request.ttl));
                self.leases
                    .insert(request.key, token, size_of::<Token>(), end, now);
                Lease::Granted
            }
        }
    }

    pub(super) fn fill(&mut self, fill: &Fill<'_>, now: u64) -> Option<Version> {
        if !self.holds(fill.key, fill.token, now) {
            return self.version_of_copy(fill.key, &fill.envelope, now);
        }
        Some(self.put(fill.key, fill.envelope.clone(), fill.physical, now))
    }

    pub(super) fn release(&mut self, key: &[u8], token: Token, now: u64) {
        if self.holds(key, token, now) {
            self.leases.remove(key);
        }
    }

    pub(super) fn write(&mut self, write: &Write<'_>, now: u64) -> Option<Version> {
        if let Some(limit) = write.unless_after
            && let Some((value, _)) = self.values.get(write.key, now)
            && wire::version_of(value).is_some_and(|version| version > limit)
        {
            return self.version_of_copy(write.key, &write.envelope, now);
        }
        let version = self.put(write.key, write.envelope.clone(), write.physical, now);
        self.record(version, write.key, ChangeKind::Replaced);
        Some(version)
    }

    pub(super) fn invalidate(&mut self, key: &[u8], how: Invalidation, now: u64) -> Version {
        self.leases.remove(key);
        let kind = match how {
            Invalidation::Remove => {
                self.values.remove(key);
                ChangeKind::Replaced
            }
            Invalidation::Expire => {
                self.values.replace(key, wire::expire);
                ChangeKind::Expired
            }
        };
        let version = next(&mut self.last, now);
        self.record(version, key, kind);
        version
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.leases.clear();
        self.log.clear();
    }

    pub(super) fn trim_log(&mut self) {
        self.log.clear();
    }

    /// Stores a value under a new version and ends the lease.
    fn put(&mut self, key: &[u8], envelope: Bytes, physical: Duration, now: u64) -> Version {
        let version = next(&mut self.last, now);
        let envelope = wire::stamp(envelope, version, now);
        let bytes = envelope.len();
        self.leases.remove(key);
        self.values
            .insert(key, envelope, bytes, deadline(now, physical), now);
        version
    }

    fn record(&mut self, version: Version, key: &[u8], kind: ChangeKind) {
        let key = Bytes::copy_from_slice(key);
        self.log.push(version, Change { version, key, kind });
    }

    fn holds(&self, key: &[u8], token: Token, now: u64) -> bool {
        self.leases
            .get(key, now)
            .is_some_and(|(owner, _)| *owner == token)
    }

    /// The version of a live copy of the envelope: a repeated call finds what it has written before.
    fn version_of_copy(&self, key: &[u8], envelope: &[u8], now: u64) -> Option<Version> {
        let (stored, _) = self.values.get(key, now)?;
        let same = stored.get(OWN..)? == envelope.get(OWN..)?;
        let live = wire::state_of(stored) == Some(State::Live);
        wire::version_of(stored).filter(|_| same && live)
    }
}

/// The time, or one more than the last number if that is later.
pub(super) fn next(last: &mut Version, now: u64) -> Version {
    *last = now.max(last.saturating_add(1));
    *last
}

fn deadline(now: u64, after: Duration) -> u64 {
    now.saturating_add(u64::try_from(after.as_micros()).unwrap_or(u64::MAX))
}
