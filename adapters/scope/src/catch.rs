use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Polls a boxed future and turns a panic into a value.
///
/// After a panic the future is dropped at once, also behind the catch: a destructor that panics
/// too does not tear the caller down.
pub struct CatchUnwind<F> {
    future: Option<F>,
}

impl<F> CatchUnwind<F> {
    /// Wraps `future`.
    pub fn new(future: F) -> Self {
        Self {
            future: Some(future),
        }
    }
}

impl<F> std::fmt::Debug for CatchUnwind<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CatchUnwind").finish_non_exhaustive()
    }
}

impl<F: Future + Unpin> Future for CatchUnwind<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.future.as_mut() else {
            // A future polled again after it ended stays pending, like a fused one.
            return Poll::Pending;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => {
                let future = self.future.take();
                // The second panic says less than the first: it is the first one that is kept.
                drop(catch_unwind(AssertUnwindSafe(|| drop(future))));
                Poll::Ready(Err(panic))
            }
        }
    }
}
