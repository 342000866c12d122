use crate::Error;
use faas_sdk_core::{Error as CoreError, ErrorKind};
use faas_sdk_log::{AsError, Description};

/// How the log reads errors of this family.
pub(super) fn describe<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<Description<'a>> {
    let error: &CoreError = error.downcast_ref()?;
    let mut known = Description::default();
    known.kind = Some(error.kind().name().into());
    known.code = Some(error.code().into());
    known.retryable = Some(error.is_retryable());
    known.context = error.context();
    if error.kind() == ErrorKind::Panic {
        known.location = error.place().map(Into::into);
    }
    // Where the engine noticed that the time is up says nothing of the function.
    if !matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Cancelled) {
        known.backtrace = error.backtrace();
    }
    Some(known)
}

impl AsError for Error {
    fn as_error(&self) -> &(dyn std::error::Error + 'static) {
        self.as_core()
    }
}
