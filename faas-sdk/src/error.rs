use faas_sdk_core::{BoxError, Disposition, ErrorKind};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A result with the function's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a function: `?` turns any error into it, text and `anyhow::Error` included.
///
/// What it means for the caller, for the redelivery of an event and for the log is decided by its
/// [`ErrorKind`]. Errors of this crate family keep theirs, also when they stand below other errors
/// as a cause; every other error is [`ErrorKind::Internal`].
///
/// ```
/// use faas_sdk::{Error, ErrorKind, Result};
///
/// fn parse(text: &str) -> Result<u32> {
///     if text.is_empty() {
///         return Err(Error::invalid_input("the number is missing"));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(parse("").unwrap_err().kind(), ErrorKind::InvalidInput);
/// assert_eq!(parse("x").unwrap_err().kind(), ErrorKind::Internal);
/// ```
///
/// It does not implement [`std::error::Error`], because only then one `From` can take them all.
pub struct Error(faas_sdk_core::Error);

macro_rules! constructors {
    ($($(#[doc = $doc:literal])+ $name:ident $kind:ident;)+) => {
        $($(#[doc = $doc])+
        pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
            Self::new(ErrorKind::$kind, message)
        })+
    };
}

impl Error {
    /// An error of this kind. `message` says what went wrong and what to do.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(faas_sdk_core::Error::new(kind, message))
    }

    constructors! {
        /// The input breaks a rule: HTTP 400, an event is not delivered again.
        invalid_input InvalidInput;
        /// The caller did not say who it is: HTTP 401, an event is not delivered again.
        unauthenticated Unauthenticated;
        /// The caller may not do this: HTTP 403, an event is not delivered again.
        permission_denied PermissionDenied;
        /// What was asked for does not exist: HTTP 404, an event is not delivered again.
        not_found NotFound;
        /// The state of things forbids it just now: HTTP 409, an event is delivered again.
        conflict Conflict;
        /// Something the function needs does not answer: HTTP 503, an event is delivered again.
        unavailable Unavailable;
        /// Any other failure: HTTP 500, an event is delivered again.
        internal Internal;
    }

    /// Replaces the kind, for example of an error that `?` would call internal:
    /// `read().map_err(|error| Error::from(error).with_kind(ErrorKind::NotFound))?`.
    #[must_use]
    pub fn with_kind(self, kind: ErrorKind) -> Self {
        Self(self.0.with_kind(kind))
    }

    /// Replaces the stable code that programs compare, which is the kind's otherwise.
    #[must_use]
    pub fn with_code(self, code: impl Into<Cow<'static, str>>) -> Self {
        Self(self.0.with_code(code))
    }

    /// Adds a named value that helps to find the cause. Never a secret: it is logged.
    #[must_use]
    pub fn with_context(self, name: &'static str, value: impl Into<String>) -> Self {
        Self(self.0.with_context(name, value))
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        Self(self.0.with_source(source))
    }

    /// Has the event delivered again, after at least `after` where the platform can wait.
    #[must_use]
    pub fn retry(self, after: Option<Duration>) -> Self {
        Self(self.0.with_disposition(Disposition::Retry { after }))
    }

    /// Has the event put where failed events go, and never delivered again.
    #[must_use]
    pub fn reject(self) -> Self {
        Self(self.0.with_disposition(Disposition::Reject))
    }

    /// Has the event forgotten.
    #[must_use]
    pub fn drop_event(self) -> Self {
        Self(self.0.with_disposition(Disposition::Drop))
    }

    #[cfg(feature = "log")]
    pub(crate) fn as_core(&self) -> &faas_sdk_core::Error {
        &self.0
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind()
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.0.code()
    }

    /// What becomes of an event whose handler fails with this error.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        self.0.disposition()
    }

    /// The error of type `E` that was turned into this one, or that lies below it.
    #[must_use]
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }

    /// The messages of all causes, the nearest first.
    pub fn causes(&self) -> impl Iterator<Item = String> {
        self.0.causes()
    }
}

impl<E: Into<BoxError>> From<E> for Error {
    fn from(error: E) -> Self {
        let error = faas_sdk_core::Error::from_any(error);
        #[cfg(feature = "cache")]
        let error = crate::meaning::with_meaning(error);
        Self(error)
    }
}

impl From<Error> for faas_sdk_core::Error {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
