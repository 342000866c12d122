use crate::store::StoreError;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Any error, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why the cache has no value to give. Cheap to clone: all who waited for one load get the same.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    region: &'static str,
    source: Option<Source>,
}

enum Source {
    Any(BoxError),
    Store(StoreError),
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such thing, says the loader, now or a while ago.
    Absent,
    /// The loader failed; the source says how.
    Load,
    /// The loader panicked.
    Panicked,
    /// The load took longer than the hard timeout or its lease.
    Timeout,
    /// The load was given up, with the invocation that it belonged to.
    Cancelled,
    /// The loader said not-modified, and there is no value that could be meant.
    NothingToKeep,
    /// The key is longer than 1024 bytes, the region's name included.
    KeyTooLong,
    /// The value cannot be encoded; the source says why. Only of strict writes.
    Encode,
    /// The remote level could not be written; the source says why. Only of strict calls.
    Remote,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, region: &'static str) -> Self {
        Self(Arc::new(Inner {
            kind,
            region,
            source: None,
        }))
    }

    pub(crate) fn absent(region: &'static str) -> Self {
        Self::new(ErrorKind::Absent, region)
    }

    pub(crate) fn with(kind: ErrorKind, region: &'static str, source: BoxError) -> Self {
        Self(Arc::new(Inner {
            kind,
            region,
            source: Some(Source::Any(source)),
        }))
    }

    pub(crate) fn remote(region: &'static str, source: StoreError) -> Self {
        Self(Arc::new(Inner {
            kind: ErrorKind::Remote,
            region,
            source: Some(Source::Store(source)),
        }))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The region's name.
    #[must_use]
    pub fn region(&self) -> &'static str {
        self.0.region
    }

    /// Whether it says that there is no such thing.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0.kind == ErrorKind::Absent
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = self.0.region;
        match self.0.kind {
            ErrorKind::Absent => write!(f, "there is no such entry of `{region}`"),
            ErrorKind::Load => write!(f, "loading an entry of `{region}` failed"),
            ErrorKind::Panicked => write!(f, "the loader of `{region}` panicked"),
            ErrorKind::Timeout => write!(f, "loading an entry of `{region}` took too long"),
            ErrorKind::Cancelled => write!(f, "loading an entry of `{region}` was given up"),
            ErrorKind::NothingToKeep => {
                write!(
                    f,
                    "the loader of `{region}` said not-modified without a value to keep"
                )
            }
            ErrorKind::KeyTooLong => write!(
                f,
                "a key of `{region}` is longer than {} bytes: use a hash of it",
                crate::key::MAX_KEY_BYTES
            ),
            ErrorKind::Encode => write!(f, "a value of `{region}` cannot be encoded"),
            ErrorKind::Remote => write!(f, "the remote level of `{region}` was not changed"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("region", &self.0.region)
            .field("source", &self.source())
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.0.source.as_ref()? {
            Source::Any(source) => Some(&**source),
            Source::Store(source) => Some(source),
        }
    }
}
