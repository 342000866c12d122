use crate::context::Shared;
use faas_sdk_core::{BoxFuture, Invocation, Outcome, Text};
use std::sync::Arc;

/// A handler whose input and output types are forgotten.
pub(crate) trait Function: Send + Sync + 'static {
    /// Decodes, calls, encodes.
    fn call<'a>(
        &'a self,
        invocation: Invocation,
        name: &'a Text,
        shared: &'a Arc<Shared>,
    ) -> BoxFuture<'a, Outcome>;
}
