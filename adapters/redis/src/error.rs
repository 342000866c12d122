use deadpool_redis::redis::RedisError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There was no answer in time, or the connection could not be made or broke, or the server says
    /// that it cannot serve for now (`LOADING`, `CLUSTERDOWN`, `MASTERDOWN`, `TRYAGAIN`). The request
    /// may have been done all the same.
    Unavailable,
    /// The server answered with an error, or refused the login.
    Refused,
    /// A setting cannot be used, does not fit the server, or does not fit the request; the text names
    /// it.
    Config,
    /// The answer was not understood.
    Protocol,
}

/// Why something was not done. Cheap to clone: a failed connect is told to all who waited for it.
///
/// The text says what happened and what to do, without passwords; the client's own words, if there are
/// any, are its `source`.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    code: Option<Box<str>>,
    text: String,
    source: Option<RedisError>,
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The first word of the server's answer, such as `OOM`, `READONLY`, `NOSCRIPT`, `WRONGTYPE` or
    /// `ERR`: of the first refused command for a pipeline, and `WRONGPASS` for any refused login.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self::because(kind, None, text, None)
    }

    pub(crate) fn config(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, text)
    }

    pub(crate) fn because(
        kind: ErrorKind,
        code: Option<Box<str>>,
        text: impl Into<String>,
        source: Option<RedisError>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            code,
            text: text.into(),
            source,
        }))
    }

    /// The same failure, met again without another try.
    pub(crate) fn again(&self, pause: Duration) -> Self {
        let mut inner = Inner::clone(&self.0);
        inner.text = format!(
            "{}; not tried again for {} ms, see `backoff`",
            inner.text,
            pause.as_millis()
        );
        Self(Arc::new(inner))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("code", &self.0.code)
            .field("text", &self.0.text)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_ref();
        source.map(|error| error as &(dyn std::error::Error + 'static))
    }
}
