use crate::{Context, Error};

/// A function: it takes an input and a [`Context`] and answers an output or an error.
///
/// Every `async fn(I, Context) -> Result<O, E>` and every closure of that shape is one, where `E`
/// is anything that turns into [`Error`]. What may stand for `I` is listed at
/// [`FromEvent`](crate::FromEvent), what for `O` at [`IntoReply`](crate::IntoReply).
///
/// A type with state of its own implements it by hand:
///
/// ```
/// use faas_sdk::prelude::*;
///
/// struct Greeter { greeting: String }
///
/// impl Handler<String> for Greeter {
///     type Output = String;
///
///     async fn call(&self, name: String, _cx: Context) -> Result<String> {
///         Ok(format!("{}, {name}!", self.greeting))
///     }
/// }
///
/// let app = faas_sdk::App::new().function("greet", Greeter { greeting: "Hello".into() });
/// ```
///
/// The future is dropped at any await when the invocation is cancelled: a reserve before the
/// platform's deadline, or when the caller leaves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function of `{I}`",
    label = "not an `async fn(input, Context) -> Result<output>`",
    note = "a function takes its input and a `Context`, both by value, and its future is `Send`"
)]
pub trait Handler<I>: Send + Sync + 'static {
    /// What it answers.
    type Output;

    /// Answers one invocation.
    fn call(
        &self,
        input: I,
        cx: Context,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

impl<F, I, Fut, O, E> Handler<I> for F
where
    F: Fn(I, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send,
    I: Send,
    E: Into<Error>,
{
    type Output = O;

    async fn call(&self, input: I, cx: Context) -> Result<O, Error> {
        self(input, cx).await.map_err(Into::into)
    }
}
