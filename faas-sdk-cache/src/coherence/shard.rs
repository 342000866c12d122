use super::guard::Cell;
use crate::store::{LogAnswer, Version};
use faas_sdk_scope::{Epoch, Moment};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is known of one shard of the remote level.
pub(crate) struct Shard {
    index: u16,
    /// Whether there is a log.
    logged: bool,
    /// Moves on when changes may have been missed: everything read before is unusable.
    epoch: Arc<Cell>,
    verified: Verified,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Up to where the log was read.
    position: Option<Version>,
    clock: Option<StoreClock>,
    /// Something was stored here before the log was read for the first time.
    blind: bool,
}

/// The store's time at a moment of ours.
#[derive(Clone, Copy)]
struct StoreClock {
    at: Moment,
    micros: u64,
}

/// When the log was read last. Written by few and read by every hit: three clocks, in nanoseconds. A
/// reader that sees half of a change takes the older half, and asks once too often.
#[derive(Default)]
struct Verified {
    monotonic: AtomicU64,
    boottime: AtomicU64,
    realtime: AtomicU64,
    thaw: AtomicU64,
}

/// What has to be done with what a log said.
#[derive(Debug)]
pub(crate) enum Applied<E> {
    /// Each entry, then [`Shard::verified`].
    Entries(Vec<E>),
    /// Nothing: what was known has been thrown away.
    Gap,
}

impl Shard {
    pub(crate) fn new(index: u16, logged: bool) -> Arc<Self> {
        Arc::new(Self {
            index,
            logged,
            epoch: Cell::new("shard", 1),
            verified: Verified::default(),
            known: Mutex::default(),
        })
    }

    pub(crate) fn index(&self) -> u16 {
        self.index
    }

    pub(crate) fn epoch(&self) -> &Arc<Cell> {
        &self.epoch
    }

    /// Whether the log was last read before `bound` or before a thaw.
    pub(crate) fn is_due(&self, now: &Moment, thaw: Epoch, bound: Duration) -> bool {
        let Verified {
            monotonic,
            boottime,
            realtime,
            thaw: then,
        } = &self.verified;
        let read = |clock: &AtomicU64| clock.load(Ordering::Acquire);
        let last = Moment {
            monotonic: read(monotonic),
            boottime: read(boottime),
            realtime: read(realtime),
        };
        self.logged && (then.load(Ordering::Acquire) != thaw.number() || now.since(&last) >= bound)
    }

    /// From where the log is to be read.
    pub(crate) fn position(&self) -> Option<Version> {
        self.known().position
    }

    /// Takes what the log said since `asked`. On a gap the epoch has moved when this returns. Once the
    /// entries have been applied, [`Shard::moved`].
    pub(crate) fn apply<E>(&self, asked: Option<Version>, answer: LogAnswer<E>) -> Applied<E> {
        let mut known = self.known();
        // What was stored before anybody read the log may have changed since.
        let blind = known.position.is_none() && std::mem::take(&mut known.blind);
        if answer.gap || blind {
            self.epoch.bump();
        }
        match (asked, known.position) {
            // Two may ask for the end at once: what was read since the earlier end has to be looked up.
            (None, Some(_)) => {}
            // A position that is lost is of no use, even if it was later.
            (None, None) => known.position = Some(answer.position),
            (Some(_), _) if answer.gap => known.position = Some(answer.position),
            (Some(_), _) => {}
        }
        if answer.gap {
            Applied::Gap
        } else {
            Applied::Entries(answer.entries)
        }
    }

    /// Says that the entries up to `position` have been applied: the log is read on from there.
    pub(crate) fn moved(&self, asked: Option<Version>, position: Version) {
        let mut known = self.known();
        // After a gap that another reading has found, this one is of the past.
        if asked.is_some() && asked <= known.position {
            known.position = known.position.max(Some(position));
        }
    }

    /// Says that something was stored that no reading of the log stands for.
    pub(crate) fn stored_blindly(&self) {
        let mut known = self.known();
        known.blind |= known.position.is_none();
    }

    /// Says that all entries of the log up to `sent`, when it was asked, have been applied.
    pub(crate) fn verified(&self, sent: &Moment, thaw: Epoch, micros: Option<u64>) {
        if let Some(micros) = micros {
            self.known().clock = Some(StoreClock { at: *sent, micros });
        }
        let Verified {
            monotonic,
            boottime,
            realtime,
            thaw: then,
        } = &self.verified;
        monotonic.fetch_max(sent.monotonic, Ordering::AcqRel);
        boottime.fetch_max(sent.boottime, Ordering::AcqRel);
        // The wall clock may have been set back.
        realtime.store(sent.realtime, Ordering::Release);
        then.store(thaw.number(), Ordering::Release);
    }

    /// The time on the store's clock, in microseconds since the Unix epoch, rather too late than too
    /// early; `None` if the store has not told.
    pub(crate) fn store_micros(&self, now: &Moment) -> Option<u64> {
        let clock = self.known().clock?;
        let passed = now.since(&clock.at).as_micros();
        Some(
            clock
                .micros
                .saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)),
        )
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("index", &self.index)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faas_sdk_scope::{Clock, Instance, ManualClock};

    const SECOND: Duration = Duration::from_secs(1);

    fn answer(position: Version, gap: bool) -> LogAnswer<()> {
        LogAnswer {
            position,
            entries: vec![()],
            gap,
        }
    }

    #[test]
    fn each_clock_makes_it_due() {
        let clock = ManualClock::new();
        let instance = Instance::new();
        for (monotonic, boottime, realtime) in [(2, 0, 0), (0, 2, 0), (0, 0, 2)] {
            let shard = Shard::new(0, true);
            let sent = clock.moment();
            assert!(shard.is_due(&sent, instance.epoch(), SECOND), "never read");
            shard.verified(&sent, instance.epoch(), None);
            assert!(!shard.is_due(&clock.moment(), instance.epoch(), SECOND));
            clock.step(SECOND * monotonic, SECOND * boottime, SECOND * realtime);
            assert!(shard.is_due(&clock.moment(), instance.epoch(), SECOND));
        }
    }

    #[test]
    fn a_thaw_makes_it_due() {
        let (clock, instance) = (ManualClock::new(), Instance::new());
        let shard = Shard::new(0, true);
        shard.verified(&clock.moment(), instance.epoch(), None);
        instance.mark_thawed();
        assert!(shard.is_due(&clock.moment(), instance.epoch(), SECOND));
    }

    #[test]
    fn the_earlier_end_of_two_is_kept() {
        let shard = Shard::new(0, true);
        shard.apply(None, answer(10, false));
        shard.apply(None, answer(20, false));
        assert_eq!(shard.position(), Some(10));
        for position in [30, 25] {
            shard.apply(Some(10), answer(position, false));
            shard.moved(Some(10), position);
        }
        assert_eq!(shard.position(), Some(30));
        shard.apply(Some(30), answer(5, true));
        assert_eq!(shard.position(), Some(5), "a lost position is of no use");
        shard.moved(Some(30), 40);
        assert_eq!(shard.position(), Some(5), "nor is a reading from before");
    }

    #[test]
    fn a_gap_moves_the_epoch() {
        let shard = Shard::new(0, true);
        let before = shard.epoch().guard();
        assert!(matches!(
            shard.apply(Some(1), answer(10, true)),
            Applied::Gap
        ));
        assert!(!before.holds());
    }

    #[test]
    fn what_was_stored_before_the_first_reading_is_void() {
        for blind in [false, true] {
            let shard = Shard::new(0, true);
            let guard = shard.epoch().guard();
            if blind {
                shard.stored_blindly();
            }
            shard.apply(None, answer(10, false));
            assert_eq!(guard.holds(), !blind);
        }
    }

    #[test]
    fn the_stores_time_runs_with_our_fastest_clock() {
        let clock = ManualClock::new();
        let shard = Shard::new(0, true);
        assert_eq!(shard.store_micros(&clock.moment()), None);
        shard.verified(&clock.moment(), Instance::new().epoch(), Some(5_000_000));
        clock.step(Duration::ZERO, Duration::ZERO, SECOND);
        assert_eq!(shard.store_micros(&clock.moment()), Some(6_000_000));
    }
}
