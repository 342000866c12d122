use crate::error::causes;
use crate::value;
use std::error::Error;
use std::fmt;
use tracing::field::DebugValue;

/// An error as a field's value, with its chain of causes: `tracing::error!(error = err(&error), …)`.
///
/// Under the name `error` it becomes the line's `error` object, under any other one an object in
/// `fields`. Errors behind a pointer are given as `err(&*boxed)`, which holds for `anyhow::Error`
/// too. Other subscribers see the messages of the chain, one behind the other. `%error` stays the
/// text of the outermost message.
///
/// ```
/// use faas_sdk_log::err;
///
/// let error = "x".parse::<u32>().unwrap_err();
/// tracing::error!(error = err(&error), item = 7, "the price is no number");
/// ```
#[must_use]
pub fn err<E: AsError + ?Sized>(error: &E) -> DebugValue<Chain<'_>> {
    tracing::field::debug(Chain {
        error: error.as_error(),
        type_name: E::type_name(),
    })
}

/// What [`err`] takes: every [`std::error::Error`], by itself or as a trait object.
pub trait AsError {
    /// The error.
    fn as_error(&self) -> &(dyn Error + 'static);

    /// The name of its type; `None` if it is not known any more.
    #[must_use]
    fn type_name() -> Option<&'static str> {
        None
    }
}

impl<E: Error + 'static> AsError for E {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }

    fn type_name() -> Option<&'static str> {
        Some(std::any::type_name::<E>())
    }
}

impl AsError for dyn Error + 'static {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl AsError for dyn Error + Send + Sync + 'static {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

/// An error with its causes; see [`err`].
#[derive(Clone, Copy)]
pub struct Chain<'a> {
    error: &'a (dyn Error + 'static),
    type_name: Option<&'static str>,
}

impl fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(marker) = value::offer_error(self.error, self.type_name) {
            return f.write_str(marker);
        }
        write!(f, "{}", self.error)?;
        causes(self.error).try_for_each(|cause| write!(f, ": {cause}"))
    }
}
