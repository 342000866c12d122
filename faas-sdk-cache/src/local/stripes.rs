use super::entry::{Entry, Guards};
use super::key::{FullKey, StoredKey};
use crate::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Guards what may enter the level in this process: a value that was read or loaded before its key was
/// invalidated must not. Keys share a number of stripes.
#[derive(Debug)]
pub(crate) struct Stripes(Box<[Mutex<Stripe>]>);

#[derive(Debug, Default)]
struct Stripe {
    /// Moves with every invalidation of a key of the stripe.
    generation: u64,
    flights: Vec<(StoredKey, Arc<Flight>)>,
}

/// The state of a key before it was read from the remote level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(u64);

/// One load of one key, for which others may wait.
#[derive(Debug)]
pub(crate) struct Flight {
    end: watch::Sender<Option<FlightEnd>>,
    /// As it was when the flight began: nobody joins it once that has changed.
    guards: Guards,
}

/// How a flight ends.
#[derive(Clone, Debug)]
pub(crate) enum FlightEnd {
    Done(Result<Arc<Entry>, Error>),
    /// Something of what it loaded was invalidated meanwhile: good for its leader, who asked before.
    Overtaken(Arc<Entry>),
    /// It was dropped; whoever waited tries again.
    Abandoned,
}

/// The part in a flight.
#[derive(Debug)]
pub(crate) enum Join {
    Lead(FlightGuard),
    Wait(Arc<Flight>),
}

const STRIPES: usize = 512;

impl Stripes {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self((0..STRIPES).map(|_| Mutex::default()).collect()))
    }

    pub(crate) fn ticket(&self, hash: u64) -> Ticket {
        Ticket(self.stripe(hash).generation)
    }

    /// The flight of a key that is under way.
    pub(crate) fn flight(&self, key: &FullKey) -> Option<Arc<Flight>> {
        let flight = self.stripe(key.hash()).find(key).map(Arc::clone);
        flight.filter(|flight| flight.guards.hold())
    }

    /// Joins the flight of a key, or starts it.
    pub(crate) fn join(self: &Arc<Self>, key: &FullKey, guards: Guards) -> Join {
        let mut stripe = self.stripe(key.hash());
        if let Some(flight) = stripe.find(key) {
            if flight.guards.hold() {
                return Join::Wait(Arc::clone(flight));
            }
            stripe.forget(key);
        }
        Join::Lead(self.start(&mut stripe, key, guards))
    }

    /// Starts a flight in place of whatever flies: for a value that its program has chosen. `remove` runs
    /// while nothing can be stored.
    pub(crate) fn lead(
        self: &Arc<Self>,
        key: &FullKey,
        guards: Guards,
        remove: impl FnOnce(),
    ) -> FlightGuard {
        let mut stripe = self.stripe(key.hash());
        stripe.generation += 1;
        stripe.forget(key);
        remove();
        self.start(&mut stripe, key, guards)
    }

    fn start(self: &Arc<Self>, stripe: &mut Stripe, key: &FullKey, guards: Guards) -> FlightGuard {
        let flight = Arc::new(Flight {
            end: watch::Sender::new(None),
            guards,
        });
        let stored = key.stored();
        stripe.flights.push((stored.clone(), Arc::clone(&flight)));
        FlightGuard {
            stripes: Arc::clone(self),
            key: stored,
            flight,
        }
    }

    /// Invalidates a key: what is on its way to it will not be stored, and its flight counts for those
    /// only who wait for it already. `remove` runs while nothing can be stored.
    pub(crate) fn void(&self, key: &FullKey, remove: impl FnOnce()) {
        let mut stripe = self.stripe(key.hash());
        stripe.generation += 1;
        stripe.forget(key);
        remove();
    }

    /// Runs `store` unless a key of the stripe was invalidated since the ticket was taken.
    pub(crate) fn store(&self, hash: u64, ticket: Ticket, store: impl FnOnce()) -> bool {
        let stripe = self.stripe(hash);
        let valid = stripe.generation == ticket.0;
        if valid {
            store();
        }
        valid
    }

    fn stripe(&self, hash: u64) -> MutexGuard<'_, Stripe> {
        // The table uses the low bits; the remainder is below the number of stripes.
        let index = usize::try_from((hash >> 32) % STRIPES as u64).unwrap_or_default();
        self.0[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stripe {
    fn find(&self, key: &FullKey) -> Option<&Arc<Flight>> {
        let same = |(flying, _): &&(StoredKey, _)| flying.bytes() == key.bytes();
        self.flights.iter().find(same).map(|(_, flight)| flight)
    }

    fn forget(&mut self, key: &FullKey) {
        self.flights
            .retain(|(flying, _)| flying.bytes() != key.bytes());
    }

    /// Takes the flight out; says whether it was still there.
    fn detach(&mut self, flight: &Arc<Flight>) -> bool {
        let place = self
            .flights
            .iter()
            .position(|(_, flying)| Arc::ptr_eq(flying, flight));
        place.map(|place| self.flights.swap_remove(place)).is_some()
    }
}

impl Flight {
    /// Waits for its end, from now on visibly. Cancel-safe.
    pub(crate) fn wait(&self) -> impl Future<Output = FlightEnd> + use<> {
        let mut receiver = self.end.subscribe();
        async move {
            match receiver.wait_for(Option::is_some).await {
                Ok(end) => end.clone().unwrap_or(FlightEnd::Abandoned),
                // The leader is gone without a trace.
                Err(_closed) => FlightEnd::Abandoned,
            }
        }
    }
}

/// Leads a flight. Dropped without an end, it abandons it.
#[derive(Debug)]
pub(crate) struct FlightGuard {
    stripes: Arc<Stripes>,
    key: StoredKey,
    flight: Arc<Flight>,
}

impl FlightGuard {
    pub(crate) fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    /// Whether anyone waits for its end.
    pub(crate) fn is_awaited(&self) -> bool {
        self.flight.end.receiver_count() > 0
    }

    /// Ends it with a value, which `store` puts into the level if the key was not invalidated
    /// meanwhile. Says whether it was stored.
    pub(crate) fn store(
        self,
        entry: Arc<Entry>,
        store: impl FnOnce(&StoredKey, &Arc<Entry>),
    ) -> bool {
        let valid = {
            let mut stripe = self.stripes.stripe(self.key.hash());
            let valid = stripe.detach(&self.flight);
            if valid {
                // What was read before is older than this.
                stripe.generation += 1;
                store(&self.key, &entry);
            }
            valid
        };
        self.flight
            .end
            .send_replace(Some(FlightEnd::Done(Ok(entry))));
        valid
    }

    /// Ends it with a value that is for its leader alone.
    pub(crate) fn overtaken(self, entry: Arc<Entry>) {
        self.stripes.stripe(self.key.hash()).detach(&self.flight);
        self.flight
            .end
            .send_replace(Some(FlightEnd::Overtaken(entry)));
    }

    /// Ends it with a result that is not stored.
    pub(crate) fn end(self, result: Result<Arc<Entry>, Error>) {
        self.stripes.stripe(self.key.hash()).detach(&self.flight);
        self.flight.end.send_replace(Some(FlightEnd::Done(result)));
    }
}

impl Drop for FlightGuard {
    fn drop(&mut self) {
        if self.flight.end.borrow().is_none() {
            self.stripes.stripe(self.key.hash()).detach(&self.flight);
            self.flight.end.send_replace(Some(FlightEnd::Abandoned));
        }
    }
}
