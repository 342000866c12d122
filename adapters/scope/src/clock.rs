use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One reading of three clocks.
///
/// * `monotonic` stops on some hosts while the process is frozen,
/// * `boottime` goes on through a suspended machine (equal to `monotonic` where the operating
///   system has no such clock),
/// * `realtime` goes on always, but may be set.
///
/// Elapsed time is the largest of the three differences: a lease or a cached value must rather
/// seem too old than too young.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Time on the monotonic clock, from an arbitrary start.
    pub monotonic: Duration,
    /// Time since the machine was started, suspended time included.
    pub boottime: Duration,
    /// Time since the Unix epoch.
    pub realtime: Duration,
}

impl Stamp {
    /// The largest of the three differences from `earlier` to `self`; zero if all went backwards.
    #[must_use]
    pub fn since(&self, earlier: &Stamp) -> Duration {
        let [monotonic, boottime, realtime] = self.differences(earlier);
        monotonic.max(boottime).max(realtime)
    }

    /// By how much the slowest clock stayed behind the fastest one between two stamps: a process
    /// that was frozen with its monotonic clock shows it here.
    #[must_use]
    pub fn divergence(&self, earlier: &Stamp) -> Duration {
        let [monotonic, boottime, realtime] = self.differences(earlier);
        boottime.max(realtime).saturating_sub(monotonic)
    }

    /// The wall clock of this stamp.
    #[must_use]
    pub fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + self.realtime
    }

    fn differences(&self, earlier: &Stamp) -> [Duration; 3] {
        [
            self.monotonic.saturating_sub(earlier.monotonic),
            self.boottime.saturating_sub(earlier.boottime),
            self.realtime.saturating_sub(earlier.realtime),
        ]
    }
}

/// A reading of the clocks for ages alone: cheaper than a [`Stamp`], and to be compared with other
/// moments of the same clock only. It may lag behind by the resolution of the system's tick, some
/// milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds on the monotonic clock, or on the one since boot where that includes it.
    pub monotonic: u64,
    /// Nanoseconds since the machine was started.
    pub boottime: u64,
    /// Nanoseconds since the Unix epoch.
    pub realtime: u64,
}

impl Moment {
    /// The largest of the three differences from `earlier` to `self`; zero if all went backwards.
    #[must_use]
    pub fn since(&self, earlier: &Moment) -> Duration {
        let monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        let boottime = self.boottime.saturating_sub(earlier.boottime);
        let realtime = self.realtime.saturating_sub(earlier.realtime);
        Duration::from_nanos(monotonic.max(boottime).max(realtime))
    }
}

impl From<Stamp> for Moment {
    fn from(stamp: Stamp) -> Self {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            monotonic: nanos(stamp.monotonic),
            boottime: nanos(stamp.boottime),
            realtime: nanos(stamp.realtime),
        }
    }
}

/// A source of [`Stamp`]s, replaceable in tests.
pub trait Clock: Send + Sync + 'static {
    /// Reads the three clocks.
    fn now(&self) -> Stamp;

    /// Reads the clocks for ages alone.
    fn moment(&self) -> Moment {
        self.now().into()
    }

    /// Reads the monotonic clock alone.
    fn monotonic(&self) -> Duration {
        self.now().monotonic
    }
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        let realtime = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let (monotonic, boottime) = (monotonic(), boottime());
        Stamp {
            monotonic,
            boottime,
            realtime,
        }
    }

    /// On Linux the clock since boot moves whenever the monotonic one does, so that is not read; and
    /// the wall clock is read as of the last tick.
    #[cfg(target_os = "linux")]
    fn moment(&self) -> Moment {
        let boottime = nanos(rustix::time::ClockId::Boottime);
        Moment {
            monotonic: boottime,
            boottime,
            realtime: nanos(rustix::time::ClockId::RealtimeCoarse),
        }
    }

    fn monotonic(&self) -> Duration {
        monotonic()
    }
}

#[cfg(target_os = "linux")]
fn nanos(id: rustix::time::ClockId) -> u64 {
    let time = rustix::time::clock_gettime(id);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let rest = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

#[cfg(target_os = "linux")]
fn monotonic() -> Duration {
    read(rustix::time::ClockId::Monotonic)
}

#[cfg(target_os = "linux")]
fn boottime() -> Duration {
    read(rustix::time::ClockId::Boottime)
}

#[cfg(target_os = "linux")]
fn read(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(not(target_os = "linux"))]
fn monotonic() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(not(target_os = "linux"))]
fn boottime() -> Duration {
    monotonic()
}

/// A clock that stands still until told otherwise, each of its three hands on its own.
#[derive(Debug)]
pub struct ManualClock(Mutex<Stamp>);

impl ManualClock {
    /// Starts at one second monotonic, two boottime, and a fixed day in 2026.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(Stamp {
            monotonic: Duration::from_secs(1),
            boottime: Duration::from_secs(2),
            realtime: Duration::from_secs(1_790_000_000),
        }))
    }

    /// Moves all three clocks, as time does in a running process.
    pub fn advance(&self, by: Duration) {
        self.step(by, by, by);
    }

    /// Moves each clock by its own amount: a freeze in which `monotonic` stood still is
    /// `step(0, gap, gap)`.
    pub fn step(&self, monotonic: Duration, boottime: Duration, realtime: Duration) {
        let mut stamp = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        stamp.monotonic += monotonic;
        stamp.boottime += boottime;
        stamp.realtime += realtime;
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Stamp {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl<C: Clock> Clock for std::sync::Arc<C> {
    fn now(&self) -> Stamp {
        (**self).now()
    }

    fn moment(&self) -> Moment {
        (**self).moment()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_is_the_largest_difference() {
        let clock = ManualClock::new();
        let second = Duration::from_secs(1);
        for (mono, boot, real) in [(3, 1, 1), (1, 3, 1), (1, 1, 3)] {
            let before = clock.now();
            clock.step(second * mono, second * boot, second * real);
            assert_eq!(clock.now().since(&before), second * 3);
        }
    }

    #[test]
    fn a_clock_set_back_is_not_negative() {
        let before = Stamp {
            realtime: Duration::from_secs(100),
            ..ManualClock::new().now()
        };
        let after = Stamp {
            realtime: Duration::from_secs(10),
            ..before
        };
        assert_eq!(after.since(&before), Duration::ZERO);
        assert_eq!(after.divergence(&before), Duration::ZERO);
    }

    #[test]
    fn the_system_clock_moves_forward() {
        let (first, second) = (SystemClock.now(), SystemClock.now());
        assert!(second.monotonic >= first.monotonic && second.boottime >= first.boottime);
        assert!(first.realtime > Duration::from_secs(1_700_000_000));
    }
}
