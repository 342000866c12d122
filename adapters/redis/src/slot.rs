use crate::backoff::Failures;
use crate::connection::Connection;
use crate::error::Error;
use crate::fault;
use crate::health::Health;
use crate::idle::Idle;
use crate::link::Link;
use crate::pools::Pools;
use crate::thaw::Thaw;
use deadpool::managed::Object;
use faas_sdk_scope::Epoch;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// What the slots of a client have in common.
pub(crate) struct Shared {
    pub(crate) pools: Pools,
    pub(crate) failures: Failures,
    pub(crate) thaw: Thaw,
}

/// The place of one link, which is connected when it is first wanted and again when it was given up.
#[derive(Default)]
pub(crate) struct Slot {
    state: Mutex<State>,
    /// The number of the link; 0 if there is none.
    current: AtomicU64,
    idle: Idle,
    pub(crate) health: Health,
}

#[derive(Default)]
struct State {
    link: Option<Link>,
    /// How many links there have been.
    made: u64,
    attempt: Option<Attempt>,
}

type Outcome = Result<Link, Error>;

/// Connecting that is under way, in a task of its own that ends by itself: those who wait come and go.
#[derive(Clone)]
struct Attempt {
    epoch: Epoch,
    outcome: watch::Receiver<Option<Outcome>>,
}

impl Slot {
    /// The link, if there is one of this epoch.
    pub(crate) fn ready(&self, epoch: Epoch) -> Option<Link> {
        let current = self.current.load(Acquire);
        if current == 0 {
            return None;
        }
        if let Some(link) = self.idle.take()
            && link.number == current
            && link.epoch >= epoch
        {
            return Some(link);
        }
        let state = self.state();
        let link = state.link.as_ref().filter(|link| link.epoch >= epoch)?;
        Some(link.clone())
    }

    /// Takes a link back that has answered.
    pub(crate) fn put_back(&self, link: Link) {
        self.idle.put(link, |link| self.is_current(link));
    }

    /// Whether it has not been given up.
    pub(crate) fn is_current(&self, link: &Link) -> bool {
        link.number == self.current.load(Acquire)
    }

    /// Waits for a link of the present epoch. Cancel-safe.
    pub(crate) async fn connect(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        started: Instant,
        deadline: Instant,
    ) -> Outcome {
        loop {
            let epoch = shared.thaw.epoch();
            if let Some(link) = self.ready(epoch) {
                return Ok(link);
            }
            let mut attempt = self.attempt(shared, epoch)?;
            let told = attempt.outcome.wait_for(Option::is_some);
            let outcome = match timeout_at(deadline, told).await {
                Ok(Ok(outcome)) => outcome.clone(),
                // Its runtime ended.
                Ok(Err(_)) => None,
                Err(_) => {
                    let waited = deadline.saturating_duration_since(started);
                    return Err(fault::not_connected(&shared.pools.target, waited));
                }
            };
            match outcome {
                Some(outcome) if attempt.epoch >= shared.thaw.epoch() => return outcome,
                // What came of it before a thaw says nothing.
                _ => self.forget(&attempt),
            }
        }
    }

    /// Gives up a link, if it has not been before. Commands that wait for answers on it go on.
    pub(crate) fn give_up(&self, link: &Link, shared: &Shared) {
        let given_up = self.take_if(|now| now.number == link.number);
        if given_up.is_some() {
            shared.pools.counters.replaced();
            tracing::debug!("a connection to Redis is given up after a failure");
        }
    }

    fn attempt(self: &Arc<Self>, shared: &Arc<Shared>, epoch: Epoch) -> Result<Attempt, Error> {
        if self.take_if(|link| link.epoch < epoch).is_some() {
            shared.pools.counters.replaced();
            tracing::debug!("a connection to Redis is given up after a thaw");
        }
        let mut state = self.state();
        if let Some(attempt) = &state.attempt
            && attempt.epoch >= epoch
        {
            return Ok(attempt.clone());
        }
        shared.failures.check(epoch)?;
        let (tell, outcome) = watch::channel(None);
        let attempt = Attempt { epoch, outcome };
        state.attempt = Some(attempt.clone());
        drop(state);
        let (slot, shared, own) = (Arc::clone(self), Arc::clone(shared), attempt.clone());
        tokio::spawn(async move {
            let outcome = slot.settle(&shared, &own, open(&shared, epoch).await);
            tell.send_replace(Some(outcome));
        });
        Ok(attempt)
    }

    fn settle(
        &self,
        shared: &Shared,
        attempt: &Attempt,
        opened: Result<Connection, Error>,
    ) -> Outcome {
        let outcome = match opened {
            Ok(connection) => {
                shared.failures.succeeded();
                Ok(self.keep(connection, attempt.epoch))
            }
            Err(error) => {
                shared.failures.failed(attempt.epoch, &error);
                shared.pools.counters.failed();
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "connecting to Redis failed"
                );
                Err(error)
            }
        };
        self.forget(attempt);
        outcome
    }

    fn keep(&self, connection: Connection, epoch: Epoch) -> Link {
        let mut state = self.state();
        state.made += 1;
        let link = Link {
            connection,
            epoch,
            made: Instant::now(),
            number: state.made,
        };
        // After a thaw another attempt may have been faster.
        if state.link.as_ref().is_none_or(|now| now.epoch < epoch) {
            let old = state.link.replace(link.clone());
            self.current.store(link.number, Release);
            drop(state);
            drop(old);
            self.idle.clear();
            self.health.answered(Instant::now());
        }
        link
    }

    /// Takes the link out with all its clones that nobody uses.
    fn take_if(&self, condition: impl FnOnce(&mut Link) -> bool) -> Option<Link> {
        let mut state = self.state();
        let link = state.link.take_if(condition)?;
        self.current.store(0, Release);
        drop(state);
        self.idle.clear();
        Some(link)
    }

    fn forget(&self, attempt: &Attempt) {
        let mut state = self.state();
        let same = |now: &mut Attempt| now.outcome.same_channel(&attempt.outcome);
        state.attempt.take_if(same);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open(shared: &Shared, epoch: Epoch) -> Result<Connection, Error> {
    let pools = &shared.pools;
    let pair = pools.of(epoch)?;
    match timeout(pools.sizes.connect, pair.links.get()).await {
        Ok(Ok(object)) => Ok(Object::take(object)),
        Ok(Err(error)) => Err(pools.failed(error)),
        Err(_) => Err(fault::not_connected(&pools.target, pools.sizes.connect)),
    }
}
