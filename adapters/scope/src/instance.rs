use crate::clock::{Clock, Moment, Stamp, SystemClock};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// When work may still run that was started by an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// The process keeps running: spawned work goes on after the reply and is awaited when the
    /// instance drains.
    Always,
    /// The process may freeze as soon as it asks for the next invocation: spawned work is awaited
    /// between the reply and that moment.
    HookWindow,
    /// The process may freeze as soon as the reply is out: spawned work is awaited before it.
    UntilResponse,
}

/// Counts the thaws that an instance has noticed. Pools, leases and in-process caches remember
/// the epoch in which they were filled and distrust themselves when it has moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// Its number, to be kept in an atomic.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What the arrival of an invocation told about the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// It is the first one of this instance.
    pub cold_start: bool,
    /// The instance seems to have been frozen before it, for about this long.
    pub thawed: Option<Duration>,
}

/// The running process: its clock, its thaw [`Epoch`] and the count of what is under way.
pub struct Instance {
    clock: Box<dyn Clock>,
    background: Background,
    idle_gap: Option<Duration>,
    divergence: Duration,
    epoch: AtomicU64,
    created: Stamp,
    last: Mutex<Last>,
    cold: AtomicBool,
    in_flight: AtomicUsize,
    tasks: AtomicUsize,
    changed: Notify,
}

/// What the clocks said before.
struct Last {
    seen: Stamp,
    /// The monotonic clock when the last invocation ended.
    idle_since: Duration,
    /// A gap that was noticed between two arrivals; the next arrival is told of it.
    noticed: Option<Duration>,
}

/// Sets up an [`Instance`].
pub struct InstanceBuilder {
    clock: Box<dyn Clock>,
    background: Background,
    idle_gap: Option<Duration>,
    divergence: Duration,
}

impl InstanceBuilder {
    /// Replaces the clock. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// What the platform allows after a reply. Default: [`Background::Always`].
    #[must_use]
    pub fn background(mut self, background: Background) -> Self {
        self.background = background;
        self
    }

    /// On a platform that freezes idle instances: an idle time after which the instance is taken
    /// for thawed, whatever the clocks say, because some hosts let the monotonic clock run on
    /// through a freeze. `None` (the default) trusts the clocks alone.
    #[must_use]
    pub fn idle_gap(mut self, idle_gap: Option<Duration>) -> Self {
        self.idle_gap = idle_gap;
        self
    }

    /// Builds the instance.
    #[must_use]
    pub fn build(self) -> Arc<Instance> {
        let created = self.clock.now();
        Arc::new(Instance {
            clock: self.clock,
            background: self.background,
            idle_gap: self.idle_gap,
            divergence: self.divergence,
            epoch: AtomicU64::new(0),
            created,
            last: Mutex::new(Last {
                seen: created,
                idle_since: created.monotonic,
                noticed: None,
            }),
            cold: AtomicBool::new(true),
            in_flight: AtomicUsize::new(0),
            tasks: AtomicUsize::new(0),
            changed: Notify::new(),
        })
    }
}

impl Instance {
    /// An instance on the system clock whose platform never freezes it.
    #[must_use]
    #[allow(
        clippy::new_ret_no_self,
        reason = "an instance is shared from its first moment"
    )]
    pub fn new() -> Arc<Self> {
        Self::builder().build()
    }

    /// Starts to set one up.
    #[must_use]
    pub fn builder() -> InstanceBuilder {
        InstanceBuilder {
            clock: Box::new(SystemClock),
            background: Background::Always,
            idle_gap: None,
            divergence: Duration::from_millis(500),
        }
    }

    /// Reads the clocks.
    #[must_use]
    pub fn now(&self) -> Stamp {
        self.clock.now()
    }

    /// Reads the clocks for ages alone.
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.clock.moment()
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Stamp {
        self.created
    }

    /// What the platform allows after a reply.
    #[must_use]
    pub fn background(&self) -> Background {
        self.background
    }

    /// The present epoch; see [`Instance::check`].
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    /// How many invocations are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Compares the clocks with their last reading and moves the epoch on if they drifted apart.
    /// Returns the length of the gap if there was one.
    pub fn check(&self) -> Option<Duration> {
        let gap = self.observe(false);
        if gap.is_some() {
            self.last().noticed = gap;
        }
        gap
    }

    /// Moves the epoch on without a gap of the clocks, as after a restored snapshot.
    pub fn mark_thawed(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Says that an invocation has arrived. Engines call it before they drive the invocation and
    /// keep the guard until its reply is out and its [`Scope`](crate::Scope) has ended.
    #[must_use]
    pub fn arrive(self: &Arc<Self>) -> (Arrival, InFlight) {
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let noticed = self.last().noticed.take();
        let arrival = Arrival {
            thawed: self.observe(before == 0).or(noticed),
            cold_start: self.cold.load(Ordering::Relaxed)
                && self.cold.swap(false, Ordering::AcqRel),
        };
        (arrival, InFlight(Arc::clone(self)))
    }

    /// Waits until no invocation and no background task is left. Cancel-safe.
    pub async fn idle(&self) {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if self.in_flight() == 0 && self.tasks.load(Ordering::Acquire) == 0 {
                return;
            }
            changed.await;
        }
    }

    /// How many tasks of [`Background::Always`] are still running.
    #[must_use]
    pub fn background_tasks(&self) -> usize {
        self.tasks.load(Ordering::Acquire)
    }

    pub(crate) fn task_started(self: &Arc<Self>) -> RunningTask {
        self.tasks.fetch_add(1, Ordering::AcqRel);
        RunningTask(Arc::clone(self))
    }

    /// The clocks as they were read last: at the last arrival or check.
    #[must_use]
    pub fn last_seen(&self) -> Stamp {
        self.last().seen
    }

    fn observe(&self, was_idle: bool) -> Option<Duration> {
        let now = self.clock.now();
        let (before, idle_since) = {
            let mut last = self.last();
            (std::mem::replace(&mut last.seen, now), last.idle_since)
        };
        let elapsed = now.since(&before);
        let drifted = now.divergence(&before) > self.divergence;
        // Where all clocks run through a freeze, the monotonic one tells the idle time as well.
        let idle = now.monotonic.saturating_sub(idle_since);
        let idled = was_idle && self.idle_gap.is_some_and(|gap| idle > gap);
        (drifted || idled).then(|| {
            self.mark_thawed();
            elapsed
        })
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self) {
        // An instance is idle from here on, not from the arrival: a long invocation is no freeze.
        if self.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 && self.idle_gap.is_some() {
            let now = self.clock.monotonic();
            self.last().idle_since = now;
        }
        self.changed.notify_waiters();
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("background", &self.background)
            .field("epoch", &self.epoch())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InstanceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceBuilder")
            .field("background", &self.background)
            .field("idle_gap", &self.idle_gap)
            .finish_non_exhaustive()
    }
}

/// An invocation under way; dropping it says that the invocation is over.
#[derive(Debug)]
pub struct InFlight(Arc<Instance>);

impl InFlight {
    /// The instance it counts for.
    #[must_use]
    pub fn instance(&self) -> &Arc<Instance> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.leave();
    }
}

pub(crate) struct RunningTask(Arc<Instance>);

impl Drop for RunningTask {
    fn drop(&mut self) {
        self.0.tasks.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    const SECOND: Duration = Duration::from_secs(1);

    fn frozen(idle_gap: Option<Duration>) -> (Arc<ManualClock>, Arc<Instance>) {
        let clock = Arc::new(ManualClock::new());
        let instance = Instance::builder()
            .clock(Arc::clone(&clock))
            .idle_gap(idle_gap)
            .build();
        (clock, instance)
    }

    #[test]
    fn clocks_that_drift_apart_are_a_thaw_in_each_combination() {
        for (monotonic, boottime, realtime) in [(0, 60, 60), (0, 0, 60), (0, 60, 0), (1, 60, 60)] {
            let (clock, instance) = frozen(None);
            let before = instance.epoch();
            clock.step(SECOND * monotonic, SECOND * boottime, SECOND * realtime);
            assert_eq!(instance.check(), Some(SECOND * 60));
            assert!(instance.epoch() > before);
            assert_eq!(instance.check(), None, "one gap is one thaw");
        }
    }

    #[test]
    fn a_running_process_is_not_thawed() {
        let (clock, instance) = frozen(Some(SECOND * 5));
        clock.advance(SECOND * 3);
        let (arrival, flight) = instance.arrive();
        assert_eq!((arrival.cold_start, arrival.thawed), (true, None));
        clock.advance(SECOND * 60);
        drop(flight);
        clock.advance(SECOND * 3);
        let (arrival, _flight) = instance.arrive();
        assert_eq!(
            (arrival.cold_start, arrival.thawed),
            (false, None),
            "busy time is not idle"
        );
    }

    #[test]
    fn a_gap_that_a_check_noticed_is_told_at_the_next_arrival() {
        let (clock, instance) = frozen(Some(SECOND * 5));
        clock.step(Duration::ZERO, SECOND * 60, SECOND * 60);
        assert!(instance.check().is_some());
        let (arrival, flight) = instance.arrive();
        assert_eq!(arrival.thawed, Some(SECOND * 60));
        clock.advance(SECOND * 60);
        assert_eq!(instance.check(), None);
        drop(flight);
        clock.advance(SECOND * 4);
        assert_eq!(instance.check(), None);
        clock.advance(SECOND * 4);
        assert!(
            instance.arrive().0.thawed.is_some(),
            "a check does not hide the idle time"
        );
    }

    #[test]
    fn a_long_idle_time_is_a_thaw_where_the_platform_freezes() {
        let (clock, instance) = frozen(Some(SECOND * 5));
        clock.advance(SECOND * 6);
        let (arrival, _flight) = instance.arrive();
        assert_eq!(arrival.thawed, Some(SECOND * 6));
        clock.advance(SECOND * 6);
        let (arrival, _second) = instance.arrive();
        assert_eq!(arrival.thawed, None, "another invocation kept it awake");
    }

    #[tokio::test]
    async fn idle_waits_for_the_last_guard() {
        let instance = Instance::new();
        let (_, flight) = instance.arrive();
        let waiting = tokio::spawn({
            let instance = Arc::clone(&instance);
            async move { instance.idle().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(flight);
        waiting.await.expect("the waiter ends");
    }
}
