use crate::error::Result;
use faas_sdk_core::{Body, BodySender};

/// A body that `produce` writes piece by piece while it is being sent. The producer lives inside
/// the body: nothing is spawned, and it stops with the invocation.
///
/// ```
/// use faas_sdk::prelude::*;
/// use faas_sdk::{Body, stream};
///
/// async fn count(to: u32, _cx: Context) -> Result<Body> {
///     Ok(stream(async move |mut out| {
///         for number in 1..=to {
///             out.send(format!("{number}\n")).await?;
///         }
///         Ok(())
///     }))
/// }
/// ```
///
/// If the producer fails after its first piece, the caller sees it in the platform's own form for a
/// stream that breaks; before it, as an ordinary error where the platform allows that.
pub fn stream<F, Fut>(produce: F) -> Body
where
    F: FnOnce(BodySender) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    Body::produce(|out| {
        let producing = produce(out);
        async move { producing.await.map_err(Into::into) }
    })
}
