use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number under a name: an epoch, or a generation.
pub(crate) struct Cell {
    name: Box<str>,
    number: AtomicU64,
}

impl Cell {
    pub(crate) fn new(name: &str, number: u64) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            number: AtomicU64::new(number),
        })
    }

    pub(crate) fn get(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    pub(crate) fn is_known(&self) -> bool {
        is_known(self.get())
    }

    /// Learns of a generation; says whether it is news. Not to be called by two at once.
    pub(crate) fn learn(&self, generation: u64) -> bool {
        let before = self.get();
        let news = !is_known(before) || before < generation;
        if news {
            self.number.store(generation, Ordering::Release);
        }
        news
    }

    /// Makes the generation unknown: guards fail, those that were made while it was unknown, too.
    pub(crate) fn forget(&self) {
        let before = self.get();
        let next = if before > UNKNOWN {
            before + 1
        } else {
            UNKNOWN + 1
        };
        self.number.store(next, Ordering::Release);
    }

    pub(crate) fn bump(&self) {
        self.number.fetch_add(1, Ordering::AcqRel);
    }

    /// A guard that holds until the number changes.
    pub(crate) fn guard(self: &Arc<Self>) -> Guard {
        Guard {
            seen: self.get(),
            cell: Arc::clone(self),
        }
    }
}

/// Generations that are not known are numbers from here on, each different, or 0: what was stored under
/// one that was not known must not outlive the next time that it is forgotten.
const UNKNOWN: u64 = 1 << 63;

/// Whether a generation was issued by anybody.
pub(crate) fn is_known(generation: u64) -> bool {
    generation != 0 && generation < UNKNOWN
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.get())
    }
}

/// A number as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    cell: Arc<Cell>,
    seen: u64,
}

impl Guard {
    pub(crate) fn on(cell: &Arc<Cell>, seen: u64) -> Self {
        Self {
            cell: Arc::clone(cell),
            seen,
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.cell.get() == self.seen
    }

    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    pub(crate) fn name(&self) -> &str {
        &self.cell.name
    }
}
