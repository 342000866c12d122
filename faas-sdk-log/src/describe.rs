use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::error::Error;

/// What is known about an error beyond its message; see [`Builder::describe`](crate::Builder::describe).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Description<'a> {
    /// A stable name for this kind of error. Default: its type, and its variant.
    pub kind: Option<Cow<'a, str>>,
    /// A stable code that programs compare.
    pub code: Option<Cow<'a, str>>,
    /// Whether trying again may help.
    pub retryable: Option<bool>,
    /// Named values that help to find the cause.
    pub context: &'a [(&'static str, String)],
    /// Where it came from, as `file:line`; it takes the place of the line's own `code`.
    pub location: Option<Cow<'a, str>>,
    /// The backtrace that it carries; rendered for lines at ERROR alone.
    pub backtrace: Option<&'a Backtrace>,
}

/// Reads a [`Description`] from errors of the types it knows; `None` for all others. It is asked
/// for each error of a chain of causes, the outermost first, until it knows one.
pub type Describe = for<'a> fn(&'a (dyn Error + 'static)) -> Option<Description<'a>>;
