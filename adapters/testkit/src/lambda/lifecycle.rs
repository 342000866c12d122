//! The states of the runtime process.

use super::http::Answer;

/// Where the runtime is, as far as its calls tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Nothing called yet.
    Started,
    /// An init error was reported; only a restart leads out.
    InitError,
    /// Waits in `restore/next` for the snapshot to be restored.
    RestoreReady,
    /// The snapshot was restored; hooks run.
    Restoring,
    /// A restore error was reported; only a restart leads out.
    RestoreError,
    /// `next` was called.
    Serving,
}

/// A transition the platform does not allow.
pub(super) struct Forbidden {
    from: &'static str,
    to: &'static str,
}

impl From<Forbidden> for Answer {
    fn from(Forbidden { from, to }: Forbidden) -> Self {
        let message = format!(
            "State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"
        );
        Self::error(403, "InvalidStateTransition", &message)
    }
}

impl Phase {
    /// The platform's name of the state; `busy` and `parked` tell the states of a serving runtime apart.
    fn name(self, busy: bool, parked: bool) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::InitError => "InitError",
            Self::RestoreReady => "RestoreReady",
            Self::Restoring => "Restoring",
            Self::RestoreError => "RuntimeRestoreErrorState",
            Self::Serving if busy => "Running",
            Self::Serving if parked => "Ready",
            Self::Serving => "RuntimeResponseSentState",
        }
    }

    /// The phase after a call that leads to `to`, if `strict` rules allow it.
    pub(super) fn enter(
        self,
        to: Self,
        strict: bool,
        busy: bool,
        parked: bool,
    ) -> Result<Self, Forbidden> {
        let allowed = match to {
            Self::Serving => {
                matches!(self, Self::Started | Self::Restoring) || (self == Self::Serving && !busy)
            }
            Self::InitError | Self::RestoreReady => self == Self::Started,
            Self::RestoreError => self == Self::Restoring,
            Self::Started | Self::Restoring => false,
        };
        if allowed || !strict {
            return Ok(to);
        }
        Err(Forbidden {
            from: self.name(busy, parked),
            to: to.name(false, true),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions() {
        use Phase::{InitError, RestoreError, RestoreReady, Restoring, Serving, Started};
        let all = [
            Started,
            InitError,
            RestoreReady,
            Restoring,
            RestoreError,
            Serving,
        ];
        let allowed = [
            (Started, Serving),
            (Restoring, Serving),
            (Serving, Serving),
            (Started, InitError),
            (Started, RestoreReady),
            (Restoring, RestoreError),
        ];
        for from in all {
            for to in all {
                let got = from.enter(to, true, false, false).is_ok();
                assert_eq!(got, allowed.contains(&(from, to)), "{from:?} to {to:?}");
                assert!(from.enter(to, false, true, false).is_ok());
            }
        }
        assert!(Serving.enter(Serving, true, true, false).is_err());
    }
}
