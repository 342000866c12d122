use faas_sdk_scope::Scope;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $field:ident $variant:ident $name:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Counter { $($variant),+ }

        impl Counter {
            const NAMES: &[&str] = &[$($name),+];
        }

        /// What a cache has counted since it was made. The same counts go to the [`Scope`] that the
        /// handle is bound to, under the names given here.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct CacheStats {
            $($(#[doc = $doc])+ #[doc = concat!(" (`", $name, "`)")] pub $field: u64),+
        }

        impl Stats {
            pub(crate) fn snapshot(&self) -> CacheStats {
                CacheStats { $($field: self.get(Counter::$variant)),+ }
            }
        }
    };
}

counters! {
    /// Values served from this process.
    l1_hits L1Hits "cache.l1.hits";
    /// Values served from the remote level.
    l2_hits L2Hits "cache.l2.hits";
    /// Keys that neither level had fresh.
    misses Misses "cache.misses";
    /// Loads started.
    loads Loads "cache.loads";
    /// Loads that failed, panicked or took too long.
    load_errors LoadErrors "cache.load.errors";
    /// Stale values served.
    stale Stale "cache.stale";
    /// Calls of the remote level that failed, or were not made because the circuit is open.
    remote_errors RemoteErrors "cache.remote.errors";
    /// Remote values that could not be read: foreign, damaged, or of another form.
    invalid Invalid "cache.invalid";
    /// Loaded values that were not stored, because their key was invalidated meanwhile.
    refused Refused "cache.fills.refused";
    /// Values too large for a level.
    too_large TooLarge "cache.too_large";
    /// Times that changes may have been missed, and everything in this process was thrown away.
    gaps Gaps "cache.gaps";
}

/// The counters of a process.
#[derive(Debug)]
pub(crate) struct Stats([AtomicU64; Counter::NAMES.len()]);

impl Stats {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    pub(crate) fn count(&self, scope: Option<&Scope>, counter: Counter, by: u64) {
        self.0[counter as usize].fetch_add(by, Ordering::Relaxed);
        if let Some(scope) = scope {
            scope.add(Counter::NAMES[counter as usize], by);
        }
    }

    /// Counts for a scope what has been counted for the process already.
    pub(crate) fn tell(&self, scope: Option<&Scope>, counter: Counter) {
        if let Some(scope) = scope {
            scope.add(Counter::NAMES[counter as usize], 1);
        }
    }

    fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }
}
