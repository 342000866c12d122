use crate::active::Active;
use crate::entries::Entries;
use std::sync::Arc;

/// What a span adds to the lines written in it.
#[derive(Debug, Default)]
pub(crate) struct SpanState {
    /// Its fields, rendered when they were recorded.
    pub(crate) fields: Entries,
    /// The invocation it belongs to: bound to it, or inherited from its parent.
    pub(crate) invocation: Option<Arc<Active>>,
}
