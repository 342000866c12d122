use crate::chance::jittered;
use faas_sdk_scope::Stamp;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many failures in a row open the circuit.
pub(crate) const DEFAULT_FAILURES: u32 = 5;
/// How long it is open at first.
pub(crate) const DEFAULT_PAUSE: Duration = Duration::from_secs(1);

/// How long it is open at most. A probe that has not ended after this time is given up, too: whoever
/// has it may never be polled again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// By what share pauses are shortened at random, so that instances do not probe all at once.
const JITTER: f64 = 0.25;

/// A circuit breaker that counts.
///
/// Closed it admits everyone. After some failures in a row it is open and admits no one for a pause;
/// then it admits one caller, the probe, whose result closes it, or opens it for twice as long. It
/// keeps no timers: time is what callers say.
pub(crate) struct Breaker {
    failures: u32,
    pause: Duration,
    /// How often it has opened or closed; even: closed. Results of calls of an earlier phase do not
    /// count in a later one. Written under the lock.
    phase: AtomicU64,
    /// Whether a failure has been counted that a success would forget. Written under the lock.
    failing: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many failures there were in a row.
    failed: u32,
    open: Option<Open>,
    /// The number of the last probe.
    probes: u64,
}

#[derive(Debug)]
struct Open {
    since: Stamp,
    /// How long the next probe has to wait.
    wait: Duration,
    /// The same before jitter.
    pause: Duration,
    probe: Option<Probe>,
}

#[derive(Debug)]
struct Probe {
    number: u64,
    admitted: Stamp,
}

impl Breaker {
    /// Opens after `failures` in a row, at first for `pause`.
    pub(crate) fn new(failures: u32, pause: Duration) -> Self {
        Self {
            failures,
            pause,
            phase: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    /// Whether it refuses calls, except a probe.
    pub(crate) fn is_open(&self) -> bool {
        !is_closed(self.phase.load(Ordering::Acquire))
    }

    /// Allows one call, whose result the permit takes, or refuses it.
    pub(crate) fn admit(&self, now: &Stamp) -> Option<Permit<'_>> {
        let phase = self.phase.load(Ordering::Acquire);
        let kind = if is_closed(phase) {
            Kind::Call { phase }
        } else {
            self.admit_probe(now)?
        };
        Some(Permit {
            breaker: self,
            kind: Some(kind),
        })
    }

    fn admit_probe(&self, now: &Stamp) -> Option<Kind> {
        let mut inner = self.inner();
        let Inner { open, probes, .. } = &mut *inner;
        let Some(open) = open else {
            // It was closed a moment ago.
            return Some(Kind::Call {
                phase: self.phase.load(Ordering::Relaxed),
            });
        };
        let refused = match &open.probe {
            Some(probe) => now.since(&probe.admitted) < LONGEST_PAUSE,
            None => now.since(&open.since) < open.wait,
        };
        if refused {
            return None;
        }
        *probes += 1;
        open.probe = Some(Probe {
            number: *probes,
            admitted: *now,
        });
        Some(Kind::Probe { number: *probes })
    }

    fn call_succeeded(&self, phase: u64) {
        if !self.failing.load(Ordering::Acquire) {
            return;
        }
        let mut inner = self.inner();
        if self.phase.load(Ordering::Relaxed) == phase {
            inner.failed = 0;
            self.failing.store(false, Ordering::Release);
        }
    }

    fn call_failed(&self, phase: u64, now: &Stamp) {
        let mut inner = self.inner();
        if self.phase.load(Ordering::Relaxed) != phase {
            return;
        }
        inner.failed = inner.failed.saturating_add(1);
        self.failing.store(true, Ordering::Release);
        if inner.failed >= self.failures {
            inner.open = Some(Open::after(self.pause, now));
            self.turn();
        }
    }

    fn probe_succeeded(&self, number: u64) {
        let mut inner = self.inner();
        if inner.is_probe(number) {
            inner.open = None;
            inner.failed = 0;
            self.failing.store(false, Ordering::Release);
            self.turn();
        }
    }

    fn probe_failed(&self, number: u64, now: &Stamp) {
        let mut inner = self.inner();
        if inner.is_probe(number)
            && let Some(open) = &mut inner.open
        {
            let longest = LONGEST_PAUSE.max(self.pause);
            *open = Open::after(open.pause.saturating_mul(2).min(longest), now);
        }
    }

    fn probe_dropped(&self, number: u64) {
        let mut inner = self.inner();
        if inner.is_probe(number)
            && let Some(open) = &mut inner.open
        {
            open.probe = None;
        }
    }

    /// From closed to open, or back. Under the lock.
    fn turn(&self) {
        self.phase.fetch_add(1, Ordering::Release);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether this probe is under way, and none that took its place.
    fn is_probe(&self, number: u64) -> bool {
        let probe = self.open.as_ref().and_then(|open| open.probe.as_ref());
        probe.is_some_and(|probe| probe.number == number)
    }
}

impl Open {
    fn after(pause: Duration, now: &Stamp) -> Self {
        Self {
            since: *now,
            wait: jittered(pause, JITTER),
            pause,
            probe: None,
        }
    }
}

fn is_closed(phase: u64) -> bool {
    phase.is_multiple_of(2)
}

/// The permission for one call. Dropped without a result, as when the call is cancelled, it counts as
/// nothing, and another caller gets the probe.
#[must_use]
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    /// Taken by the result.
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Call { phase: u64 },
    Probe { number: u64 },
}

impl Permit<'_> {
    /// The call was answered.
    pub(crate) fn success(mut self) {
        match self.kind.take() {
            Some(Kind::Call { phase }) => self.breaker.call_succeeded(phase),
            Some(Kind::Probe { number }) => self.breaker.probe_succeeded(number),
            None => {}
        }
    }

    /// The call failed.
    pub(crate) fn failure(mut self, now: &Stamp) {
        match self.kind.take() {
            Some(Kind::Call { phase }) => self.breaker.call_failed(phase, now),
            Some(Kind::Probe { number }) => self.breaker.probe_failed(number, now),
            None => {}
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(Kind::Probe { number }) = self.kind {
            self.breaker.probe_dropped(number);
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new(DEFAULT_FAILURES, DEFAULT_PAUSE)
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
