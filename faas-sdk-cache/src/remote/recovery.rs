use crate::store::Version;
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many keys are remembered; more, and all regions are cleared instead.
const BOUND: usize = 10_000;

/// How many bytes of values are kept to be written later; beyond, their keys are removed instead.
const VALUE_BYTES: usize = 8 << 20;

/// Changes that the remote level has not taken yet. Until it has, what it says of these keys is not
/// believed.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    owed: Mutex<Debts>,
    count: AtomicUsize,
    replaying: AtomicBool,
}

#[derive(Debug, Default)]
struct Debts {
    next: u64,
    bytes: usize,
    keys: HashMap<Bytes, (u64, Owed)>,
    names: HashSet<String>,
}

/// A change of one key.
#[derive(Clone, Debug)]
pub(crate) enum Owed {
    Remove,
    Expire,
    Write {
        envelope: Bytes,
        physical: Duration,
        /// A value of a later version is another one's, and newer.
        unless_after: Version,
    },
}

impl Recovery {
    /// Whether the remote level's word on a key does not count.
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        self.is_owing() && self.debts().keys.contains_key(key)
    }

    pub(crate) fn is_owing(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Remembers a change. `false`: there is no room for more.
    pub(crate) fn owe(&self, key: &[u8], change: Owed) -> bool {
        let mut debts = self.debts();
        let room = debts.keys.len() < BOUND || debts.keys.contains_key(key);
        if room {
            debts.forget(key);
            let fits = debts.bytes + change.bytes() <= VALUE_BYTES;
            let change = if fits { change } else { Owed::Remove };
            debts.bytes += change.bytes();
            debts.next += 1;
            let number = debts.next;
            debts
                .keys
                .insert(Bytes::copy_from_slice(key), (number, change));
        }
        self.recount(&debts);
        room
    }

    pub(crate) fn owe_names(&self, names: &[&str]) {
        let mut debts = self.debts();
        debts
            .names
            .extend(names.iter().map(|&name| name.to_owned()));
        self.recount(&debts);
    }

    /// The remote level has taken a later change of the key.
    pub(crate) fn settle(&self, key: &[u8]) {
        if self.is_owing() {
            let mut debts = self.debts();
            debts.forget(key);
            self.recount(&debts);
        }
    }

    pub(crate) fn settle_names(&self, names: &[&str]) {
        if self.is_owing() {
            let mut debts = self.debts();
            for name in names {
                debts.names.remove(*name);
            }
            self.recount(&debts);
        }
    }

    /// The debts, each key's with its number.
    pub(crate) fn owed(&self) -> (Vec<(Bytes, u64, Owed)>, Vec<String>) {
        let debts = self.debts();
        let keys = debts.keys.iter();
        let keys = keys
            .map(|(key, (number, owed))| (key.clone(), *number, owed.clone()))
            .collect();
        (keys, debts.names.iter().cloned().collect())
    }

    /// One debt is paid, unless a later change of the key took its place.
    pub(crate) fn paid(&self, key: &[u8], number: u64) {
        let mut debts = self.debts();
        if debts
            .keys
            .get(key)
            .is_some_and(|(current, _)| *current == number)
        {
            debts.forget(key);
        }
        self.recount(&debts);
    }

    /// Starts a replay, of which there is one at a time.
    pub(crate) fn start(&self) -> Option<Replaying<'_>> {
        (self.is_owing() && !self.replaying.swap(true, Ordering::AcqRel)).then_some(Replaying(self))
    }

    fn recount(&self, debts: &Debts) {
        self.count
            .store(debts.keys.len() + debts.names.len(), Ordering::Release);
    }

    fn debts(&self) -> MutexGuard<'_, Debts> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debts {
    fn forget(&mut self, key: &[u8]) {
        if let Some((_, owed)) = self.keys.remove(key) {
            self.bytes -= owed.bytes();
        }
    }
}

impl Owed {
    fn bytes(&self) -> usize {
        match self {
            Self::Write { envelope, .. } => envelope.len(),
            Self::Remove | Self::Expire => 0,
        }
    }
}

/// A replay under way; it may be dropped at any time.
pub(crate) struct Replaying<'a>(&'a Recovery);

impl Drop for Replaying<'_> {
    fn drop(&mut self) {
        self.0.replaying.store(false, Ordering::Release);
    }
}
