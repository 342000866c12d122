use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static LOADED: AtomicU64 = AtomicU64::new(0);

/// A value of 100 bytes beside its string's header.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Item {
    /// Which one it is.
    pub number: u64,
    /// 92 letters.
    pub name: String,
}

impl Item {
    /// Loads one.
    #[must_use]
    pub fn load(number: u64) -> Self {
        LOADED.fetch_add(1, Relaxed);
        Self {
            number,
            name: "n".repeat(92),
        }
    }

    /// How many have been loaded.
    pub(crate) fn loaded() -> u64 {
        LOADED.load(Relaxed)
    }
}
