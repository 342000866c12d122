use std::borrow::Cow;
use std::fmt;

/// A setting that is not understood. It names the setting; values of headers never stand in it.
#[derive(Debug)]
pub struct OtlpError {
    setting: Cow<'static, str>,
    problem: Cow<'static, str>,
}

impl OtlpError {
    pub(super) fn new(
        setting: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            setting: setting.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for OtlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.problem)
    }
}

impl std::error::Error for OtlpError {}
