use crate::Disposition;
use http::StatusCode;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::fmt;

/// Any error that may cross threads.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A result with the contract's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How loud an error is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing went wrong on our side.
    Info,
    /// The caller's fault, or something that heals by itself.
    Warn,
    /// The function's fault.
    Error,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident $code:literal $status:ident $disposition:expr, $level:ident;)+) => {
        /// What kind of failure an [`Error`] is.
        ///
        /// This is the one table that decides the HTTP status, the redelivery of an event and the
        /// log level:
        ///
        /// | Kind | Code | HTTP | Event | Log |
        /// |---|---|---|---|---|
        $(#[doc = concat!("| `", stringify!($kind), "` | `", $code, "` | ", stringify!($status), " | ", stringify!($disposition), " | ", stringify!($level), " |")])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The stable lower-case code, for example `invalid_input`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)+ }
            }

            /// The name in camel case, for example `InvalidInput`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind),)+ }
            }

            /// The HTTP status of an error of this kind.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)+ }
            }

            /// What becomes of an event whose handler failed with this kind.
            #[must_use]
            pub const fn disposition(self) -> Disposition {
                match self { $(Self::$kind => $disposition,)+ }
            }

            /// How loud it is in the log.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$kind => Level::$level,)+ }
            }
        }
    };
}

const REJECT: Disposition = Disposition::Reject;
const RETRY: Disposition = Disposition::Retry { after: None };

kinds! {
    /// The input does not decode or breaks a rule of the function.
    InvalidInput "invalid_input" BAD_REQUEST REJECT, Warn;
    /// The caller did not say who it is.
    Unauthenticated "unauthenticated" UNAUTHORIZED REJECT, Warn;
    /// The caller may not do this.
    PermissionDenied "permission_denied" FORBIDDEN REJECT, Warn;
    /// What was asked for does not exist.
    NotFound "not_found" NOT_FOUND REJECT, Warn;
    /// The HTTP method is not one of the route's.
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED REJECT, Warn;
    /// The state of things forbids it just now.
    Conflict "conflict" CONFLICT RETRY, Warn;
    /// The input is larger than is accepted.
    PayloadTooLarge "payload_too_large" PAYLOAD_TOO_LARGE REJECT, Warn;
    /// The format of the input is not one that is understood.
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE REJECT, Warn;
    /// The input is well formed, but can't be processed.
    Unprocessable "unprocessable" UNPROCESSABLE_ENTITY REJECT, Warn;
    /// Too many calls.
    RateLimited "rate_limited" TOO_MANY_REQUESTS RETRY, Warn;
    /// The invocation was cancelled: its caller left, or the instance stops.
    Cancelled "cancelled" SERVICE_UNAVAILABLE RETRY, Warn;
    /// The deadline passed.
    Timeout "timeout" GATEWAY_TIMEOUT RETRY, Error;
    /// Something that the function needs does not answer.
    Unavailable "unavailable" SERVICE_UNAVAILABLE RETRY, Error;
    /// A setting is missing.
    NotConfigured "not_configured" INTERNAL_SERVER_ERROR RETRY, Error;
    /// The platform, or a backend, can't do this.
    Unsupported "unsupported" NOT_IMPLEMENTED REJECT, Error;
    /// The answer is larger than the platform carries.
    ReplyTooLarge "reply_too_large" INTERNAL_SERVER_ERROR REJECT, Error;
    /// The handler panicked.
    Panic "panic" INTERNAL_SERVER_ERROR RETRY, Error;
    /// The platform broke its own contract.
    Protocol "protocol" BAD_GATEWAY RETRY, Error;
    /// Any other failure of the function.
    Internal "internal" INTERNAL_SERVER_ERROR RETRY, Error;
}

/// The contract's error: a kind, a message for people, a stable code for programs, what becomes
/// of the event, ordered context and the cause.
///
/// `Display` prints this layer only; the cause is its `source()`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: Option<Cow<'static, str>>,
    message: Cow<'static, str>,
    disposition: Option<Disposition>,
    context: Vec<(&'static str, String)>,
    source: Option<BoxError>,
    backtrace: Backtrace,
    /// `source` is what this error stands for, not what lies below it.
    transparent: bool,
}

impl Error {
    /// An error of this kind. `message` says what went wrong and what to do, in lower case and
    /// without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            code: None,
            message: message.into(),
            disposition: None,
            context: Vec::new(),
            source: None,
            // Costs nothing unless the environment asks for backtraces.
            backtrace: Backtrace::capture(),
            transparent: false,
        }))
    }

    /// Any error as one of the contract. One that is a contract error already stays as it is; one
    /// that has a contract error among its causes takes over its kind, code and disposition;
    /// every other one is [`ErrorKind::Internal`]. Message and causes are the error's own.
    pub fn from_any(error: impl Into<BoxError>) -> Self {
        let error = match error.into().downcast::<Self>() {
            Ok(own) => return *own,
            Err(error) => error,
        };
        let below = std::iter::successors(error.source(), |error| error.source());
        let cause = below
            .take(16)
            .find_map(|cause| cause.downcast_ref::<Self>());
        let mut wrapped = Self::new(ErrorKind::Internal, error.to_string());
        if let Some(Self(cause)) = cause {
            wrapped.0.kind = cause.kind;
            wrapped.0.code.clone_from(&cause.code);
            wrapped.0.disposition = cause.disposition;
        }
        wrapped.0.transparent = true;
        wrapped.with_source(error)
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Replaces the kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Replaces the stable code, which is the kind's otherwise.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Decides what becomes of the event, which the kind does otherwise.
    #[must_use]
    pub fn with_disposition(mut self, disposition: Disposition) -> Self {
        self.0.disposition = Some(disposition);
        self
    }

    /// Adds a named value that helps to find the cause. Never a secret: it is logged.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((name, value.into()));
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.0.code.as_deref().unwrap_or(self.0.kind.code())
    }

    /// The message of this layer.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What becomes of the event.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        self.0.disposition.unwrap_or(self.0.kind.disposition())
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.disposition(), Disposition::Retry { .. })
    }

    /// The named values, in the order in which they were added.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// Where the code panicked, as `file:line:column`; for [`ErrorKind::Panic`].
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        let mut context = self.0.context.iter();
        let found = context.find(|(name, _)| *name == crate::panic::PLACE_KEY)?;
        Some(&found.1)
    }

    /// Where it was made, or turned into an error of the contract; if `RUST_BACKTRACE` asks for it.
    #[must_use]
    pub fn backtrace(&self) -> Option<&Backtrace> {
        (self.0.backtrace.status() == BacktraceStatus::Captured).then_some(&self.0.backtrace)
    }

    /// Replaces the backtrace.
    #[must_use]
    pub(crate) fn with_backtrace(mut self, backtrace: Backtrace) -> Self {
        self.0.backtrace = backtrace;
        self
    }

    /// The error of type `E` that this one stands for, or that lies below it.
    #[must_use]
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        let first = self
            .0
            .source
            .as_deref()
            .map(|source| source as &dyn std::error::Error);
        std::iter::successors(first, |error| error.source())
            .take(16)
            .find_map(|error| error.downcast_ref())
    }

    /// The messages of all causes, the nearest first; at most sixteen, so that a circle ends.
    pub fn causes(&self) -> impl Iterator<Item = String> {
        let first = std::error::Error::source(self);
        std::iter::successors(first, |error| error.source())
            .take(16)
            .map(ToString::to_string)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Error");
        shown
            .field("kind", &self.0.kind)
            .field("code", &self.code());
        shown.field("message", &self.0.message);
        if !self.0.context.is_empty() {
            shown.field("context", &self.0.context);
        }
        if let Some(source) = &self.0.source {
            shown.field("source", source);
        }
        shown.finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref()?;
        if self.0.transparent {
            source.source()
        } else {
            Some(source)
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind, kind.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_prints_its_own_layer_and_the_chain_the_rest() {
        let cause = std::io::Error::other("the disk is gone");
        let error = Error::new(ErrorKind::Unavailable, "no answer from the store")
            .with_source(cause)
            .with_context("store", "orders");
        assert_eq!(error.to_string(), "no answer from the store");
        assert_eq!(error.causes().collect::<Vec<_>>(), ["the disk is gone"]);
        assert!(error.is_retryable() && error.code() == "unavailable");
    }

    #[test]
    fn the_disposition_of_the_kind_can_be_overruled() {
        let error = Error::from(ErrorKind::Internal).with_disposition(Disposition::Drop);
        assert_eq!(error.disposition(), Disposition::Drop);
        assert!(!error.is_retryable());
    }

    #[test]
    fn any_error_keeps_its_message_and_lends_the_kind_of_its_cause() {
        #[derive(Debug)]
        struct Outer(Error);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("outer")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Error::from_any(Outer(Error::new(ErrorKind::Conflict, "sold out")));
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Conflict, "outer")
        );
        assert_eq!(error.causes().collect::<Vec<_>>(), ["sold out"]);
        assert!(error.downcast_ref::<Outer>().is_some());
        let same = Error::from_any(Error::new(ErrorKind::NotFound, "gone").with_code("no_item"));
        assert_eq!((same.code(), same.causes().count()), ("no_item", 0));
        assert_eq!(Error::from_any("text").kind(), ErrorKind::Internal);
    }

    #[test]
    fn codes_and_names_are_unique() {
        let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }
}
