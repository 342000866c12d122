use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A value from the cache, and where it comes from. Dereferences to the value, which `Debug` does not
/// show.
pub struct Cached<V> {
    pub(crate) value: Arc<V>,
    pub(crate) source: Source,
    pub(crate) stale: bool,
    pub(crate) age: Duration,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// This process.
    L1,
    /// The remote level.
    L2,
    /// The loader, just now; of this caller or of another one that was waited for.
    Loader,
}

impl<V> Cached<V> {
    /// The value, shared with the cache.
    #[must_use]
    pub fn value(&self) -> &Arc<V> {
        &self.value
    }

    /// The value, shared with the cache.
    #[must_use]
    pub fn into_value(self) -> Arc<V> {
        self.value
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// Whether it has expired and stands in for one that could not be loaded, or is older than allowed
    /// because the remote level does not answer.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// How long ago it was loaded or set.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }
}

impl<V> Clone for Cached<V> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            ..*self
        }
    }
}

impl<V> Deref for Cached<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<V> fmt::Debug for Cached<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("source", &self.source)
            .field("stale", &self.stale)
            .field("age", &self.age)
            .finish_non_exhaustive()
    }
}
