use faas_sdk_scope::Stamp;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the clock of a server shows, not later than it is.
///
/// A request that was sent and not answered may still be delivered much later: a network holds it
/// back, or this process and its kernel freeze with it. Requests that must not take effect then carry
/// the time on the server's clock at which their caller gives up. If that is found to be too early,
/// nothing was done, and they may be sent again.
#[derive(Debug, Default)]
pub(super) struct ServerClock(Mutex<Option<Reading>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    /// When it came, which is after it was read.
    told: Stamp,
    micros: u64,
}

impl ServerClock {
    /// Takes a time that has just come from the server.
    pub(super) fn told(&self, now: Stamp, micros: u64) {
        *self.reading() = Some(Reading { told: now, micros });
    }

    /// The time on the server's clock so long after `now`; `None` if it has never been told.
    pub(super) fn after(&self, now: &Stamp, wait: Duration) -> Option<u64> {
        let Reading { told, micros } = (*self.reading())?;
        let passed = now.since(&told).saturating_add(wait).as_micros();
        Some(micros.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)))
    }

    fn reading(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faas_sdk_scope::{Clock as _, ManualClock};

    #[test]
    fn it_runs_with_the_fastest_clock() {
        let (server, clock) = (ServerClock::default(), ManualClock::new());
        let second = Duration::from_secs(1);
        assert_eq!(server.after(&clock.now(), second), None);
        server.told(clock.now(), 5_000_000);
        clock.step(second, second * 3, second * 2);
        assert_eq!(server.after(&clock.now(), second), Some(9_000_000));
        server.told(clock.now(), 1);
        assert_eq!(server.after(&clock.now(), Duration::MAX), Some(u64::MAX));
    }
}
