use crate::report::{Facts, TARGET};
use crate::{Error, ErrorKind, Text};
use faas_sdk_scope::Scope;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tracing::Span;

/// What an engine does about a handler that does not yield. All of it runs on the watchdog's
/// thread: the threads of the runtime may be the ones that are stuck.
pub trait Stuck: Send + Sync + 'static {
    /// Answers the invocation as a timeout, by blocking means, within `within`.
    fn answer(&self, id: &str, within: Duration);

    /// Accepts nothing more.
    fn stop(&self);
}

/// A thread that notices handlers which never yield: they can't be cancelled, so the process has
/// to end. The thread starts with the first invocation that has a deadline.
///
/// The stuck invocation is answered as a timeout. If it is the only one, the process ends at
/// once; otherwise nothing more is accepted, the others get `drain` to finish, and then the
/// process ends.
#[derive(Clone)]
pub struct Watchdog(Arc<Shared>);

struct Shared {
    drain: Duration,
    exit: Box<dyn Fn() + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    /// When the thread wakes next; `None` while it sleeps until told.
    wakes: Option<Instant>,
    next_id: u64,
    entries: Vec<Entry>,
}

struct Entry {
    id: u64,
    invocation: Text,
    due: Instant,
    /// The pulse that was seen when the time was up, with a poll under way.
    suspect: Option<u64>,
    scope: Scope,
    span: Span,
    facts: Facts,
    stuck: Arc<dyn Stuck>,
}

/// How long code may stay in one poll after its time is up before it counts as stuck.
const GRACE: Duration = Duration::from_millis(25);

impl Watchdog {
    /// A watchdog that ends the process with exit code 1.
    #[must_use]
    pub fn new(drain: Duration) -> Self {
        Self::with_exit(drain, || std::process::exit(1))
    }

    /// A watchdog that calls `exit` where the process would end.
    pub fn with_exit(drain: Duration, exit: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            drain,
            exit: Box::new(exit),
            state: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// Watches one invocation, which has to be over in `due`.
    pub(crate) fn watch(
        &self,
        scope: &Scope,
        invocation: Text,
        span: &Span,
        facts: Facts,
        due: Duration,
        stuck: Arc<dyn Stuck>,
    ) -> Watch {
        let due = Instant::now() + due;
        let mut state = self.0.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.entries.push(Entry {
            id,
            invocation,
            due,
            suspect: None,
            scope: scope.clone(),
            span: span.clone(),
            facts,
            stuck,
        });
        if !state.started {
            state.started = true;
            let shared = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("faas-watchdog".to_owned());
            if let Err(error) = thread.spawn(move || shared.run()) {
                state.started = false;
                tracing::warn!(%error, "no watchdog thread: a handler that never yields goes unnoticed");
            }
        }
        // While invocations follow each other, the thread is due at an earlier one anyway. Deadlines
        // come in whole milliseconds, so equal ones differ by less than the grace.
        let wake = state.wakes.is_none_or(|wakes| due + GRACE < wakes);
        drop(state);
        if wake {
            self.0.changed.notify_one();
        }
        Watch {
            watchdog: self.clone(),
            id,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            if let Some(entry) = state.find_stuck(Instant::now()) {
                drop(state);
                self.end_process(&entry);
                // Only a test comes here.
                return;
            }
            state.wakes = state.entries.iter().map(|entry| entry.due).min();
            state = match state.wakes {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(wakes) => {
                    let time = wakes.saturating_duration_since(Instant::now());
                    let waited = self.changed.wait_timeout(state, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn end_process(&self, entry: &Entry) {
        let instance = Arc::clone(entry.scope.instance());
        let alone = instance.in_flight() <= 1;
        let within = entry.scope.remaining().unwrap_or_default().max(GRACE);
        // Whatever the engine does wrong here, the process ends.
        let answer = AssertUnwindSafe(|| entry.stuck.answer(&entry.invocation, within));
        let answered = catch_unwind(answer).is_ok();
        say(entry, alone, answered);
        if !alone {
            entry.stuck.stop();
            let until = Instant::now() + self.drain;
            // It may come back in the end, and is then not one of those that are waited for.
            let still_stuck = || usize::from(Some(entry.scope.pulse().0) == entry.suspect);
            while instance.in_flight() > still_stuck() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        (self.exit)();
    }
}

/// Logs that the process ends. On a thread of its own and with little patience: the handler may be
/// stuck in writing to the very output that the log goes to.
fn say(entry: &Entry, alone: bool, answered: bool) {
    let (said, heard) = mpsc::channel();
    let (span, scope, facts) = (entry.span.clone(), entry.scope.clone(), entry.facts);
    let lines = move || {
        let _entered = span.enter();
        tracing::error!(
            target: TARGET,
            alone,
            answered,
            "the handler did not yield until its deadline and can't be cancelled: the process ends"
        );
        if scope.claim_end() {
            facts.tell(&scope, Some(&Error::from(ErrorKind::Timeout)));
        }
        // Nobody waits any more if it took too long.
        let _ = said.send(());
    };
    if std::thread::Builder::new().spawn(lines).is_ok() {
        let _ = heard.recv_timeout(Duration::from_millis(200));
    }
}

impl State {
    /// Takes out the first entry that is stuck; moves the suspects' times on.
    fn find_stuck(&mut self, now: Instant) -> Option<Entry> {
        let index = self.entries.iter_mut().position(|entry| {
            if entry.due > now {
                return false;
            }
            let (pulse, polled) = entry.scope.pulse();
            let stuck = polled && entry.suspect == Some(pulse);
            entry.suspect = polled.then_some(pulse);
            entry.due = now + GRACE;
            stuck
        })?;
        Some(self.entries.swap_remove(index))
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("drain", &self.0.drain)
            .finish_non_exhaustive()
    }
}

/// An invocation that is being watched, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    watchdog: Watchdog,
    id: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.watchdog.0.lock();
        let entries = &mut state.entries;
        let index = entries.iter().position(|entry| entry.id == self.id);
        let entry = index.map(|index| entries.swap_remove(index));
        drop(state);
        // Its span may be the last one, and what follows the end of a span is not to hold others up.
        drop(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faas_sdk_scope::Instance;

    struct Recorder(Mutex<mpsc::Sender<String>>);

    impl Recorder {
        fn say(&self, what: &str) {
            self.0
                .lock()
                .expect("the sender")
                .send(what.to_owned())
                .expect("a listener");
        }
    }

    impl Stuck for Recorder {
        fn answer(&self, id: &str, _within: Duration) {
            self.say(&format!("answer {id}"));
        }

        fn stop(&self) {
            self.say("stop");
        }
    }

    fn watchdog() -> (Watchdog, Arc<Recorder>, mpsc::Receiver<String>) {
        let (sender, said) = mpsc::channel();
        let recorder = Arc::new(Recorder(Mutex::new(sender)));
        let exit = Arc::clone(&recorder);
        let watchdog = Watchdog::with_exit(Duration::from_secs(5), move || exit.say("exit"));
        (watchdog, recorder, said)
    }

    const SOON: Duration = Duration::from_millis(10);
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_lone_handler_that_never_yields_ends_the_process_at_once() {
        let (watchdog, recorder, said) = watchdog();
        let instance = Instance::new();
        let (_, _flight) = instance.arrive();
        let scope = Scope::new(&instance, Some(SOON));
        let _watch = watchdog.watch(
            &scope,
            "a".into(),
            &Span::none(),
            Facts::default(),
            SOON,
            recorder,
        );
        scope.poll(|| {
            assert_eq!(said.recv_timeout(LONG).expect("an answer"), "answer a");
            assert_eq!(said.recv_timeout(LONG).expect("the end"), "exit");
        });
    }

    #[test]
    fn with_company_it_stops_and_drains_first() {
        let (watchdog, recorder, said) = watchdog();
        let instance = Instance::new();
        let (_, _flight) = instance.arrive();
        let (_, company) = instance.arrive();
        let scope = Scope::new(&instance, Some(SOON));
        let _watch = watchdog.watch(
            &scope,
            "a".into(),
            &Span::none(),
            Facts::default(),
            SOON,
            recorder,
        );
        scope.poll(|| {
            assert_eq!(said.recv_timeout(LONG).expect("an answer"), "answer a");
            assert_eq!(said.recv_timeout(LONG).expect("the stop"), "stop");
            assert!(said.try_recv().is_err(), "it waits for the other one");
            drop(company);
            assert_eq!(said.recv_timeout(LONG).expect("the end"), "exit");
        });
    }

    #[test]
    fn a_handler_that_waits_is_left_to_its_timer() {
        let (watchdog, recorder, said) = watchdog();
        let scope = Scope::new(&Instance::new(), Some(SOON));
        let watch = watchdog.watch(
            &scope,
            "a".into(),
            &Span::none(),
            Facts::default(),
            Duration::ZERO,
            recorder,
        );
        // Polled now and then, but never stuck in one poll.
        for _ in 0..20 {
            scope.poll(|| ());
            assert!(said.recv_timeout(Duration::from_millis(5)).is_err());
        }
        drop(watch);
        assert!(watchdog.0.lock().entries.is_empty());
    }
}
