use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number under a name: an epoch, or the generation of a tag (0 = not known).
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

    pub(crate) fn set(&self, number: u64) {
        self.number.store(number, Ordering::Release);
    }

    pub(crate) fn raise(&self, number: u64) {
        self.number.fetch_max(number, Ordering::AcqRel);
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
