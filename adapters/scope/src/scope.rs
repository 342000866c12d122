use crate::Stamp;
use crate::cancel::CancelReason;
use crate::instance::{Background, Instance};
use crate::measure::{self, Measure, Unit};
use crate::registry::{Ending, Leftover, Registry};
use crate::spawn::{Spawned, Task};
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// What belongs to one invocation: its deadline, its cancellation, what must happen at its end,
/// the work it spawned and what was counted for it.
///
/// Cheap to clone; all clones are the same scope.
#[derive(Clone)]
pub struct Scope(Arc<Inner>);

struct Inner {
    instance: Arc<Instance>,
    parent: Option<Scope>,
    started: Stamp,
    allowed: Option<Duration>,
    cancelled: AtomicU8,
    changed: Notify,
    pulse: AtomicU64,
    told: AtomicBool,
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    registry: Registry,
    tasks: Vec<Task>,
    measures: Vec<Measure>,
}

impl Scope {
    /// A scope that starts now and may take `allowed` (`None`: no deadline is known).
    #[must_use]
    pub fn new(instance: &Arc<Instance>, allowed: Option<Duration>) -> Self {
        Self::build(instance, None, instance.now(), allowed)
    }

    /// The scope of an invocation whose [arrival](Instance::arrive) the instance has just been told
    /// of: it starts then and may take until `deadline` on the wall clock. A deadline of more than
    /// an hour before the start of the instance is no time at all and counts as none: some
    /// emulators send a duration.
    #[must_use]
    pub fn arrived(instance: &Arc<Instance>, deadline: SystemTime) -> Self {
        let started = instance.last_seen();
        let hour = Duration::from_secs(3600);
        let plausible = deadline + hour >= instance.created().system_time();
        let left = || {
            deadline
                .duration_since(started.system_time())
                .unwrap_or_default()
        };
        Self::build(instance, None, started, plausible.then(left))
    }

    /// The scope of one part of this invocation, such as an item of a batch. It shares deadline
    /// and cancellation; what is registered or spawned in it ends with it; what is counted in it
    /// counts for the whole.
    #[must_use]
    pub fn child(&self) -> Self {
        Self::build(
            &self.0.instance,
            Some(self.clone()),
            self.0.started,
            self.0.allowed,
        )
    }

    fn build(
        instance: &Arc<Instance>,
        parent: Option<Scope>,
        started: Stamp,
        allowed: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Inner {
            instance: Arc::clone(instance),
            parent,
            started,
            allowed,
            cancelled: AtomicU8::new(0),
            changed: Notify::new(),
            pulse: AtomicU64::new(0),
            told: AtomicBool::new(false),
            work: Mutex::new(Work::default()),
        }))
    }

    /// The process it runs in.
    #[must_use]
    pub fn instance(&self) -> &Arc<Instance> {
        &self.0.instance
    }

    /// When it started.
    #[must_use]
    pub fn started(&self) -> Stamp {
        self.0.started
    }

    /// How long it has run, by the clock that moved furthest.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.instance.now().since(&self.0.started)
    }

    /// How long it may take in all, counted from its start.
    #[must_use]
    pub fn allowed(&self) -> Option<Duration> {
        self.0.allowed
    }

    /// How much time is left until the platform's deadline; zero once it has passed, `None` if
    /// the platform names none.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.0
            .allowed
            .map(|allowed| allowed.saturating_sub(self.elapsed()))
    }

    /// Cancels the invocation. The first reason stays. On a [child](Scope::child) it cancels the
    /// whole invocation.
    pub fn cancel(&self, reason: CancelReason) {
        let root = self.root();
        let first =
            root.0
                .cancelled
                .compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire);
        if first.is_ok() {
            root.0.changed.notify_waiters();
        }
    }

    /// Why it was cancelled, if it was.
    #[must_use]
    pub fn cancellation(&self) -> Option<CancelReason> {
        CancelReason::from_u8(self.root().0.cancelled.load(Ordering::Acquire))
    }

    /// Waits until the invocation is cancelled. Cancel-safe.
    pub async fn cancelled(&self) -> CancelReason {
        let root = self.root();
        loop {
            let changed = root.0.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if let Some(reason) = self.cancellation() {
                return reason;
            }
            changed.await;
        }
    }

    /// Runs `callback` when the invocation ends: after its handler, or after the body of a
    /// streamed reply. Callbacks run one after the other, the last registered first, all of them
    /// within one allowance; what does not end in time is dropped and reported under `name`.
    pub fn on_end<F, Fut>(&self, name: &'static str, callback: F) -> Registration
    where
        F: FnOnce(Ending) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let callback =
            Box::new(move |ending| Box::pin(callback(ending)) as crate::BoxFuture<'_, ()>);
        let id = self.work().registry.push(name, callback);
        Registration {
            scope: self.clone(),
            id,
        }
    }

    /// Starts work beside the handler. It is awaited before the reply, after it, or when the
    /// instance drains, as [`Background`] allows.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Spawned<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let place = std::panic::Location::caller();
        let (sender, receiver) = oneshot::channel();
        let work = async move {
            // Nobody may be interested in the result: that is no failure.
            drop(sender.send(future.await));
        };
        match self.background() {
            Background::Always => {
                let running = self.0.instance.task_started();
                drop(tokio::spawn(async move {
                    let _running = running;
                    work.await;
                }));
            }
            Background::HookWindow | Background::UntilResponse => {
                let handle = tokio::spawn(work);
                // A part of an invocation owes its work to the whole, which outlives it.
                self.root().work().tasks.push(Task { place, handle });
            }
        }
        Spawned(receiver)
    }

    /// When spawned work may still run.
    #[must_use]
    pub fn background(&self) -> Background {
        self.0.instance.background()
    }

    /// Adds to a counter of this invocation.
    pub fn add(&self, name: impl Into<Cow<'static, str>>, value: u64) {
        measure::add(
            &mut self.root().work().measures,
            name.into(),
            Unit::Count,
            value,
        );
    }

    /// Adds to a timing of this invocation.
    pub fn add_time(&self, name: impl Into<Cow<'static, str>>, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        measure::add(
            &mut self.root().work().measures,
            name.into(),
            Unit::Nanoseconds,
            nanoseconds,
        );
    }

    /// What has been counted so far.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        self.root().work().measures.clone()
    }

    /// Whether there is something to end: callbacks, or spawned work that is to be awaited.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.work().is_empty()
    }

    /// Ends the invocation: awaits spawned work where nothing may outlive the reply, then runs
    /// what was registered with [`Scope::on_end`], all within `allowance` and the time that is
    /// left until the deadline. Returns what could not be brought to its end.
    ///
    /// Calling it again ends only what was added since. If the future is dropped, callbacks that
    /// have not started stay registered for the next call.
    pub async fn end(&self, allowance: Duration) -> Vec<Leftover> {
        if !self.has_work() {
            return Vec::new();
        }
        let until = self.until(allowance);
        let mut leftovers = Vec::new();
        if self.background() == Background::UntilResponse {
            self.join(until, &mut leftovers).await;
        }
        loop {
            let Some(entry) = self.work().registry.pop() else {
                break;
            };
            if Instant::now() >= until {
                leftovers.push(entry.leftover());
            } else if let Err(leftover) = entry.run(self.ending(), until).await {
                leftovers.push(leftover);
            }
        }
        leftovers
    }

    /// Hands what is still registered in a [child](Scope::child) to the whole invocation, which then
    /// ends it: for a part that is dropped before it could end its own scope.
    pub fn hand_over(&self) {
        if self.0.parent.is_some() {
            let registry = std::mem::take(&mut self.work().registry);
            self.root().work().registry.append(registry);
        }
    }

    /// What an engine does once the reply is out: [`Scope::end`], if that has not happened, then
    /// a wait for spawned work where the process may freeze afterwards.
    pub async fn finish(&self, allowance: Duration) -> Vec<Leftover> {
        let mut leftovers = self.end(allowance).await;
        if !self.work().tasks.is_empty() {
            self.join(self.until(allowance), &mut leftovers).await;
        }
        leftovers
    }

    /// Runs one poll of the handler or of its streamed body, visibly for a watchdog.
    pub fn poll<T>(&self, poll: impl FnOnce() -> T) -> T {
        /// Ends the poll also when it panics.
        struct Polling<'a>(&'a AtomicU64);
        impl Drop for Polling<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Release);
            }
        }
        self.0.pulse.fetch_add(1, Ordering::Release);
        let _polling = Polling(&self.0.pulse);
        poll()
    }

    /// A number that stays the same only while nothing happens, and whether user code is being
    /// polled at this moment: the same number twice, with a poll under way, is code that does not
    /// yield.
    #[must_use]
    pub fn pulse(&self) -> (u64, bool) {
        let pulse = self.0.pulse.load(Ordering::Acquire);
        (pulse, pulse % 2 == 1)
    }

    /// Whether nobody has told of the end of this invocation yet. Whoever gets `true` does.
    #[must_use]
    pub fn claim_end(&self) -> bool {
        !self.root().0.told.swap(true, Ordering::AcqRel)
    }

    async fn join(&self, until: Instant, leftovers: &mut Vec<Leftover>) {
        loop {
            let Some(mut task) = self.work().tasks.pop() else {
                return;
            };
            match tokio::time::timeout_at(until, &mut task.handle).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => leftovers.push(task.leftover(error.is_panic())),
                Err(_elapsed) => {
                    task.handle.abort();
                    leftovers.push(task.leftover(false));
                }
            }
        }
    }

    fn until(&self, allowance: Duration) -> Instant {
        let allowance = self
            .remaining()
            .map_or(allowance, |remaining| allowance.min(remaining));
        Instant::now() + allowance
    }

    fn ending(&self) -> Ending {
        self.cancellation()
            .map_or(Ending::Finished, Ending::Cancelled)
    }

    fn root(&self) -> &Scope {
        self.0.parent.as_ref().map_or(self, Scope::root)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.registry.is_empty()
    }
}

/// A callback registered with [`Scope::on_end`]. Dropping it leaves the callback in place.
#[derive(Debug)]
pub struct Registration {
    scope: Scope,
    id: u64,
}

impl Registration {
    /// Takes the callback back, because what it would have done is done. Says whether it was
    /// still there.
    pub fn cancel(self) -> bool {
        self.scope.work().registry.remove(self.id)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("allowed", &self.0.allowed)
            .field("cancellation", &self.cancellation())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    const SECOND: Duration = Duration::from_secs(1);

    fn instance(background: Background) -> Arc<Instance> {
        Instance::builder().background(background).build()
    }

    fn log() -> (
        Arc<Mutex<Vec<String>>>,
        impl Fn(&str) + Clone + Send + Sync + 'static,
    ) {
        let log = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&log);
        (log, move |line: &str| {
            writer.lock().expect("the log").push(line.to_owned());
        })
    }

    #[test]
    fn remaining_follows_the_clock_that_moved_furthest() {
        let clock = Arc::new(ManualClock::new());
        let instance = Instance::builder().clock(Arc::clone(&clock)).build();
        let scope = Scope::new(&instance, Some(SECOND * 10));
        clock.step(SECOND, SECOND, SECOND * 4);
        assert_eq!(scope.remaining(), Some(SECOND * 6));
        clock.advance(SECOND * 60);
        assert_eq!(scope.remaining(), Some(Duration::ZERO));
        assert_eq!(Scope::new(&instance, None).remaining(), None);
    }

    #[test]
    fn a_wall_clock_deadline_has_to_be_plausible() {
        let clock = Arc::new(ManualClock::new());
        let instance = Instance::builder().clock(Arc::clone(&clock)).build();
        let created = instance.now().system_time();
        clock.advance(SECOND * 5);
        let _in_flight = instance.arrive();
        let allowed = |deadline| Scope::arrived(&instance, deadline).allowed();
        assert_eq!(allowed(created + SECOND * 8), Some(SECOND * 3));
        assert_eq!(
            allowed(created + SECOND),
            Some(Duration::ZERO),
            "it has passed"
        );
        assert_eq!(
            allowed(std::time::UNIX_EPOCH + SECOND * 600),
            None,
            "that is no time at all"
        );
    }

    #[tokio::test]
    async fn cancellation_wakes_every_waiter_and_keeps_its_first_reason() {
        let scope = Scope::new(&instance(Background::Always), None);
        let child = scope.child();
        let waiters = [scope.clone(), child]
            .map(|scope| tokio::spawn(async move { scope.cancelled().await }));
        tokio::task::yield_now().await;
        scope.cancel(CancelReason::Deadline);
        scope.cancel(CancelReason::Shutdown);
        for waiter in waiters {
            assert_eq!(waiter.await.expect("a waiter"), CancelReason::Deadline);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callbacks_run_last_first_and_only_once() {
        let scope = Scope::new(&instance(Background::Always), None);
        let (log, write) = log();
        for name in ["first", "second", "third"] {
            let write = write.clone();
            let registration = scope.on_end(name, move |ending| async move {
                write(&format!("{name} {ending:?}"));
            });
            if name == "second" {
                assert!(registration.cancel());
            }
        }
        assert!(scope.end(SECOND).await.is_empty());
        assert!(scope.end(SECOND).await.is_empty());
        assert_eq!(
            *log.lock().expect("the log"),
            ["third Finished", "first Finished"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_or_panics_is_reported_and_keeps_nothing_else_from_ending() {
        let scope = Scope::new(&instance(Background::Always), Some(SECOND));
        let (log, write) = log();
        scope.on_end("last", move |_| async move { write("last") });
        scope.on_end("panics", |_| async { panic!("on purpose") });
        scope.on_end("hangs", |_| std::future::pending());
        let before = Instant::now();
        let leftovers = scope.end(SECOND * 60).await;
        assert!(
            before.elapsed() <= SECOND + SECOND / 10,
            "bounded by the deadline"
        );
        let names: Vec<_> = leftovers.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "hangs was dropped unfinished",
                "panics was dropped unfinished",
                "last was dropped unfinished"
            ],
            "the hanging one used up the time of all"
        );
        assert!(log.lock().expect("the log").is_empty());

        scope.on_end("panics", |_| async { panic!("on purpose") });
        let fresh = Scope::new(scope.instance(), None);
        fresh.on_end("panics", |_| async { panic!("on purpose") });
        assert_eq!(fresh.end(SECOND).await[0].to_string(), "panics panicked");
    }

    #[tokio::test(start_paused = true)]
    async fn spawned_work_is_awaited_where_the_process_may_freeze() {
        for (background, after_end, after_finish) in [
            (Background::UntilResponse, 1, 1),
            (Background::HookWindow, 0, 1),
            (Background::Always, 0, 0),
        ] {
            let scope = Scope::new(&instance(background), None);
            let (log, write) = log();
            let spawned = scope.spawn(async move {
                tokio::time::sleep(SECOND).await;
                write("done");
                7
            });
            assert!(scope.end(SECOND * 2).await.is_empty());
            assert_eq!(
                log.lock().expect("the log").len(),
                after_end,
                "{background:?}"
            );
            assert!(scope.finish(SECOND * 2).await.is_empty());
            assert_eq!(
                log.lock().expect("the log").len(),
                after_finish,
                "{background:?}"
            );
            assert_eq!(spawned.await, Ok(7));
            scope.instance().idle().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn spawned_work_that_outlives_its_allowance_is_dropped_and_named() {
        let scope = Scope::new(&instance(Background::HookWindow), None);
        let spawned = scope.spawn(std::future::pending::<()>());
        let leftovers = scope.finish(SECOND).await;
        assert!(leftovers[0].name.contains("scope.rs"), "{leftovers:?}");
        assert_eq!(spawned.await, Err(crate::SpawnError));
    }

    #[tokio::test]
    async fn what_a_dropped_part_registered_ends_with_the_whole() {
        let scope = Scope::new(&instance(Background::Always), None);
        let (log, write) = log();
        let child = scope.child();
        child.on_end("part", move |ending| async move {
            write(&format!("{ending:?}"));
        });
        child.hand_over();
        scope.cancel(CancelReason::Deadline);
        assert!(child.end(SECOND).await.is_empty());
        assert!(log.lock().expect("the log").is_empty());
        assert!(scope.end(SECOND).await.is_empty());
        assert_eq!(*log.lock().expect("the log"), ["Cancelled(Deadline)"]);
    }

    #[test]
    fn counters_of_children_count_for_the_whole() {
        let scope = Scope::new(&instance(Background::Always), None);
        scope.child().add("cache.hits", 2);
        scope.add("cache.hits", 3);
        scope.add_time("cache.hits", SECOND);
        let measures = scope.measures();
        assert_eq!((measures[0].count, measures[0].sum), (2, 5));
        assert_eq!(measures[1].unit, Unit::Nanoseconds);
        assert_eq!(measures[1].sum, 1_000_000_000);
    }

    #[test]
    fn names_made_of_data_are_bounded() {
        let scope = Scope::new(&instance(Background::Always), None);
        for number in 0..1000 {
            scope.add(format!("item.{number}"), 1);
        }
        let measures = scope.measures();
        assert_eq!(measures.len(), 129);
        assert_eq!(measures[128].name, "measures.dropped");
        assert_eq!(measures[128].sum, 1000 - 128);
    }
}
