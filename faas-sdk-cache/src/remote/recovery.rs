use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many keys and names are remembered; more, and all regions are cleared instead.
const BOUND: usize = 10_000;

/// Changes that the remote level has not taken yet, as far as is known. Until it has, what it says of
/// these keys is not believed.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    owed: Mutex<Debts>,
    count: AtomicUsize,
    replaying: AtomicBool,
}

#[derive(Debug, Default)]
struct Debts {
    last: u64,
    keys: HashMap<Bytes, (u64, Owed)>,
    names: HashMap<String, u64>,
}

/// What is to be done with a key. A value that could not be written is not kept to be written later: by
/// then someone else may have removed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owed {
    Remove,
    Expire,
}

/// A moment in the order of debts: a call that was made then settles those only that are older.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(u64);

impl Recovery {
    /// Whether the remote level's word on a key does not count.
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        self.is_owing() && self.debts().keys.contains_key(key)
    }

    pub(crate) fn is_owing(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// To be taken before a call.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.debts().last)
    }

    /// Remembers a change. `false`: there is no room for more.
    pub(crate) fn owe(&self, key: &[u8], change: Owed) -> bool {
        let mut debts = self.debts();
        let room = debts.keys.len() < BOUND || debts.keys.contains_key(key);
        if room {
            debts.last += 1;
            let number = debts.last;
            debts
                .keys
                .insert(Bytes::copy_from_slice(key), (number, change));
        }
        self.recount(&debts);
        room
    }

    /// Remembers names that are to be given new generations. `false`: there is no room for more.
    pub(crate) fn owe_names(&self, names: &[&str]) -> bool {
        let mut debts = self.debts();
        let room = debts.names.len() + names.len() <= BOUND;
        if room {
            debts.last += 1;
            let number = debts.last;
            debts
                .names
                .extend(names.iter().map(|&name| (name.to_owned(), number)));
        }
        self.recount(&debts);
        room
    }

    /// Remembers that everything is to be cleared, in place of all else.
    pub(crate) fn owe_everything(&self, all: &str) {
        let mut debts = self.debts();
        debts.last += 1;
        let number = debts.last;
        debts.names.insert(all.to_owned(), number);
        self.recount(&debts);
    }

    /// The remote level has taken a change of the key by a call that was made at `mark`.
    pub(crate) fn settle(&self, key: &[u8], mark: Mark) {
        if self.is_owing() {
            let mut debts = self.debts();
            if debts
                .keys
                .get(key)
                .is_some_and(|(number, _)| *number <= mark.0)
            {
                debts.keys.remove(key);
            }
            self.recount(&debts);
        }
    }

    /// The same for names. Those are answered of which nothing is owed any more.
    pub(crate) fn settle_names<'n>(&self, names: &[&'n str], mark: Mark) -> Vec<&'n str> {
        let mut debts = self.debts();
        let mut settled = names.to_vec();
        settled.retain(|&name| debts.names.get(name).is_none_or(|number| *number <= mark.0));
        for &name in &settled {
            debts.names.remove(name);
        }
        self.recount(&debts);
        settled
    }

    /// The debts.
    pub(crate) fn owed(&self) -> (Vec<(Bytes, Owed)>, Vec<String>) {
        let debts = self.debts();
        let keys = debts
            .keys
            .iter()
            .map(|(key, (_, owed))| (key.clone(), *owed));
        (keys.collect(), debts.names.keys().cloned().collect())
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

/// A replay under way; it may be dropped at any time.
pub(crate) struct Replaying<'a>(&'a Recovery);

impl Drop for Replaying<'_> {
    fn drop(&mut self) {
        self.0.replaying.store(false, Ordering::Release);
    }
}
