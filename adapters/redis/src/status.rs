use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What has happened to the connections of a [`Redis`](crate::Redis) since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Connections opened: links and dedicated ones. Those of a cluster to its nodes count as one.
    pub opened: u64,
    /// Links given up because of a thaw, of an error, or of commands that were not answered.
    pub replaced: u64,
    /// Times that connecting failed.
    pub failures: u64,
}

/// Counts for [`Status`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    opened: AtomicU64,
    replaced: AtomicU64,
    failures: AtomicU64,
}

impl Counters {
    pub(crate) fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    pub(crate) fn replaced(&self) {
        self.replaced.fetch_add(1, Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            opened: self.opened.load(Relaxed),
            replaced: self.replaced.load(Relaxed),
            failures: self.failures.load(Relaxed),
        }
    }
}
