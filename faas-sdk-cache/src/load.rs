use crate::error::BoxError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a loader is told. `Debug` does not show the value.
#[non_exhaustive]
pub struct Load<V> {
    /// The value that has expired, if it is still there.
    pub stale: Option<Arc<V>>,
    /// Its entity tag, if the loader gave one.
    pub etag: Option<Box<str>>,
    /// How long the load may take before it is dropped.
    pub allowed: Duration,
}

/// What a loader answers: a value with options of its own, that nothing has changed, or that there
/// is no such thing. Values turn into it by themselves, and so does an `Option`.
pub struct Loaded<V> {
    pub(crate) answer: Answer<V>,
    pub(crate) options: LoadedOptions,
}

pub(crate) enum Answer<V> {
    Value(V),
    NotModified,
    Absent,
}

/// What a loader changes of the policy for the entry it loaded.
#[derive(Debug, Default)]
pub(crate) struct LoadedOptions {
    pub(crate) ttl: Option<Duration>,
    pub(crate) tags: Vec<String>,
    pub(crate) etag: Option<Box<str>>,
    pub(crate) not_stored: bool,
}

impl<V> Loaded<V> {
    /// A value.
    pub fn value(value: V) -> Self {
        Self::new(Answer::Value(value))
    }

    /// The stale value is still right: it is fresh again, with the tags and the entity tag it had.
    #[must_use]
    pub fn not_modified() -> Self {
        Self::new(Answer::NotModified)
    }

    /// There is no such thing. Remembered for the negative time to live.
    #[must_use]
    pub fn absent() -> Self {
        Self::new(Answer::Absent)
    }

    fn new(answer: Answer<V>) -> Self {
        Self {
            answer,
            options: LoadedOptions::default(),
        }
    }

    /// How long it is fresh, in place of the policy's.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.options.ttl = Some(ttl);
        self
    }

    /// Adds a tag, by which it can be removed.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.options.tags.push(tag.into());
        self
    }

    /// The source's entity tag or date of change: the next loader is told.
    #[must_use]
    pub fn etag(mut self, etag: impl Into<Box<str>>) -> Self {
        self.options.etag = Some(etag.into());
        self
    }

    /// Gives it to those who wait, and stores it nowhere.
    #[must_use]
    pub fn not_stored(mut self) -> Self {
        self.options.not_stored = true;
        self
    }
}

impl<V> From<V> for Loaded<V> {
    fn from(value: V) -> Self {
        Self::value(value)
    }
}

impl<V> From<Option<V>> for Loaded<V> {
    fn from(value: Option<V>) -> Self {
        value.map_or_else(Self::absent, Self::value)
    }
}

/// The error of a loader: `?` turns any error into it, text included.
///
/// It does not implement [`std::error::Error`], because only then one `From` can take them all.
#[derive(Debug)]
pub struct LoadError(pub(crate) BoxError);

impl LoadError {
    /// A loader's failure.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }
}

impl<E: Into<BoxError>> From<E> for LoadError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl<V> fmt::Debug for Load<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load")
            .field("stale", &self.stale.is_some())
            .field("etag", &self.etag)
            .field("allowed", &self.allowed)
            .finish()
    }
}

impl<V> fmt::Debug for Loaded<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
