use crate::{Invocation, Outcome};
use faas_sdk_scope::BoxFuture;
use std::sync::Arc;

/// Something that answers invocations: a function, a router, or a layer around either.
///
/// The future is dropped when the invocation is cancelled, and a panic in it is caught, both by
/// [`drive`](crate::drive).
pub trait Invoke: Send + Sync + 'static {
    /// Answers one invocation.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Outcome>;
}

impl<I: Invoke + ?Sized> Invoke for Arc<I> {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Outcome> {
        (**self).invoke(invocation)
    }
}

/// Wraps an [`Invoke`] in another one.
pub trait Layer: Send + Sync + 'static {
    /// Puts this layer around `inner`.
    fn layer(&self, inner: Arc<dyn Invoke>) -> Arc<dyn Invoke>;
}

impl<F> Layer for F
where
    F: Fn(Arc<dyn Invoke>) -> Arc<dyn Invoke> + Send + Sync + 'static,
{
    fn layer(&self, inner: Arc<dyn Invoke>) -> Arc<dyn Invoke> {
        self(inner)
    }
}
