use std::fmt;

/// Why an invocation was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum CancelReason {
    /// Its time, less the reserve, is used up.
    Deadline = 1,
    /// Nobody waits for the answer any more.
    Disconnected = 2,
    /// The instance stops and its drain time is over.
    Shutdown = 3,
}

impl CancelReason {
    pub(crate) fn from_u8(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::Deadline),
            2 => Some(Self::Disconnected),
            3 => Some(Self::Shutdown),
            _ => None,
        }
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deadline => "the deadline of the invocation was reached",
            Self::Disconnected => "the caller went away",
            Self::Shutdown => "the instance is shutting down",
        })
    }
}
