use super::entry::{Entry, Freshness};
use super::key::{BuildPrehashed, FullKey, StoredKey};
use faas_sdk_scope::Moment;
use std::fmt;
use std::sync::Arc;

/// What an entry weighs beside its value and its key: roughly what its fields take.
const ENTRY_OVERHEAD: usize = 400;

/// The storage: moka, bounded in bytes. It keeps and evicts; whether an entry may be served is decided
/// by the entry.
pub(crate) struct Table {
    entries: moka::sync::Cache<StoredKey, Arc<Entry>, BuildPrehashed>,
    entry_cap: usize,
}

impl Table {
    pub(crate) fn new(capacity: u64, entry_cap: usize) -> Self {
        let entries = moka::sync::Cache::builder()
            .max_capacity(capacity)
            .weigher(|key: &StoredKey, entry: &Arc<Entry>| {
                let weight = entry
                    .weight
                    .saturating_add(ENTRY_OVERHEAD + key.bytes().len());
                u32::try_from(weight).unwrap_or(u32::MAX)
            })
            .build_with_hasher(BuildPrehashed::default());
        Self { entries, entry_cap }
    }

    pub(crate) fn get(&self, key: &FullKey) -> Option<Arc<Entry>> {
        self.entries.get(key)
    }

    /// Stores an entry, unless it is too heavy or one of a later version is there. An entry without a
    /// version, made while the remote level did not answer, takes the place of any. Says whether it was
    /// too heavy.
    pub(crate) fn insert(&self, key: &StoredKey, entry: &Arc<Entry>, now: &Moment) -> bool {
        if entry.weight > self.entry_cap {
            return true;
        }
        let later = |there: &Arc<Entry>| {
            entry.version != 0
                && there.version > entry.version
                && there.freshness(now) != Freshness::Dead
        };
        if !self.entries.get(key).is_some_and(|there| later(&there)) {
            self.entries.insert(key.clone(), Arc::clone(entry));
        }
        false
    }

    pub(crate) fn remove(&self, key: &FullKey) {
        self.entries.invalidate(key);
    }

    /// How many entries there are, and what they weigh in bytes, as far as the storage has counted.
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.entries.entry_count(), self.entries.weighted_size())
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entries, bytes) = self.size();
        f.debug_struct("Table")
            .field("entries", &entries)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}
