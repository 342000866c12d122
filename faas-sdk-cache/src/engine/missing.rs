use crate::local::Entry;
use crate::store::Version;
use std::sync::Arc;

/// What was found before a load: nothing fresh.
#[derive(Clone, Debug, Default)]
pub(crate) struct Missing {
    /// A value that may stand in, or help the loader.
    pub(crate) stale: Option<Arc<Entry>>,
    /// The remote value that will not do.
    pub(crate) rejected: Option<Version>,
    /// The remote level was not asked, or did not answer, or its word on this key does not count.
    pub(crate) unasked: bool,
}

impl Missing {
    pub(crate) fn of(stale: Arc<Entry>) -> Self {
        Self {
            stale: Some(stale),
            ..Self::default()
        }
    }
}
