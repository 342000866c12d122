use faas_sdk_scope::Stamp;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the clock of a server shows, rather too late than too early.
///
/// A request that was sent and not answered may still be delivered much later: a network holds it
/// back, or this process and its kernel freeze with it. Requests that must not take effect then carry
/// a time on the server's clock after which they are void.
#[derive(Debug, Default)]
pub(super) struct ServerClock(Mutex<Option<Reading>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    /// When it was asked, which is before it was read.
    asked: Stamp,
    micros: u64,
}

impl ServerClock {
    /// Takes the time that a server told when it was asked at this moment.
    pub(super) fn told(&self, asked: Stamp, micros: u64) {
        *self.reading() = Some(Reading { asked, micros });
    }

    /// The time on the server's clock so long after `now`; `None` if it has never been told.
    pub(super) fn after(&self, now: &Stamp, wait: Duration) -> Option<u64> {
        let Reading { asked, micros } = (*self.reading())?;
        let passed = now.since(&asked).saturating_add(wait).as_micros();
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
