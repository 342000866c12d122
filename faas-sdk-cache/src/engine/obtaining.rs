use crate::engine::Shared;
use crate::engine::flying::Flying;
use crate::engine::interpret::{Meaning, interpret};
use crate::engine::missing::Missing;
use crate::engine::target::Target;
use crate::error::{Error, ErrorKind};
use crate::load::{Load, LoadError, Loaded};
use crate::local::{Entry, FlightEnd, Freshness, FullKey, Join, Ticket};
use crate::remote::Down;
use crate::stats::Counter;
use crate::value::{Cached, Source};
use faas_sdk_scope::{Moment, Scope};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// What this process has.
pub(crate) enum Here {
    Fresh(Arc<Entry>),
    /// Fresh, but others may have changed it: the logs have to be read first.
    Unverified(Arc<Entry>),
    Due(Arc<Entry>),
    Nothing,
}

/// What was found without a loader.
pub(crate) enum Found {
    Entry {
        entry: Arc<Entry>,
        source: Source,
        unverified: bool,
    },
    Missing(Missing),
}

/// What comes of a look at both levels.
enum Approach {
    Found {
        entry: Arc<Entry>,
        source: Source,
        unverified: bool,
    },
    Flight(Missing, Join),
}

impl Shared {
    /// Looks into this process. A value of another type counts as nothing: two regions share a name.
    pub(crate) fn here<V: 'static>(&self, key: &FullKey, now: &Moment) -> Here {
        let entry = self.table.get(key).filter(|entry| entry.is::<V>());
        let Some(entry) = entry else {
            return Here::Nothing;
        };
        match entry.freshness(now) {
            Freshness::Fresh if self.is_due(&entry.guards.shard, now) => Here::Unverified(entry),
            Freshness::Fresh => Here::Fresh(entry),
            Freshness::Due => Here::Due(entry),
            Freshness::Dead => Here::Nothing,
        }
    }

    /// A ticket to store here what is read or kept from now on, if the region does so.
    pub(crate) fn ticket<V>(&self, target: &Target<V>) -> Option<Ticket> {
        target
            .is_local()
            .then(|| self.stripes.ticket(target.key.hash()))
    }

    /// Looks into this process, after a look at the logs if they are due.
    async fn find_here<V: Send + Sync + 'static>(self: &Arc<Self>, target: &Target<V>) -> Found {
        let found = |entry, unverified| Found::Entry {
            entry,
            source: Source::L1,
            unverified,
        };
        if !target.is_local() {
            return Found::Missing(Missing::default());
        }
        match self.here::<V>(&target.key, &self.instance.moment()) {
            Here::Fresh(entry) => return found(entry, false),
            Here::Nothing => return Found::Missing(Missing::default()),
            Here::Due(entry) => return Found::Missing(Missing::of(entry)),
            Here::Unverified(entry) => {
                let names = target.unknown_names(self);
                if self.verify(&target.shard, names).await == Err(Down) {
                    return found(entry, true);
                }
            }
        }
        // The logs have just been read, even if so little as nothing may pass before they are due.
        match self.here::<V>(&target.key, &self.instance.moment()) {
            Here::Fresh(entry) | Here::Unverified(entry) => found(entry, false),
            Here::Due(entry) => Found::Missing(Missing::of(entry)),
            Here::Nothing => Found::Missing(Missing::default()),
        }
    }

    /// Asks the remote level, and keeps what it says.
    async fn find_remote<V: Send + Sync + 'static>(
        self: &Arc<Self>,
        scope: Option<&Scope>,
        target: &Target<V>,
        mut missing: Missing,
    ) -> Found {
        if target.remote(self).is_none() {
            return Found::Missing(missing);
        }
        let key = &target.key;
        if self.recovery.holds(key.bytes()) {
            self.replay_soon();
            missing.unasked = true;
            return self.make_do(missing);
        }
        let (guards, ticket) = (target.guards(), self.ticket(target));
        let read = self
            .read(&target.shard, key.bytes(), target.unknown_names(self))
            .await;
        let Ok(bytes) = read else {
            self.stats.tell(scope, Counter::RemoteErrors);
            missing.unasked = true;
            return self.make_do(missing);
        };
        if missing.stale.is_some() {
            // The logs may have been read along, and told that it is no more.
            missing.stale = self.stale_here::<V>(key);
        }
        let Some(bytes) = bytes else {
            return Found::Missing(missing);
        };
        // Whoever waited for the same read may have been faster.
        if target.is_local()
            && let Here::Fresh(entry) = self.here::<V>(key, &self.instance.moment())
        {
            return Found::Entry {
                entry,
                source: Source::L2,
                unverified: false,
            };
        }
        let (meaning, version) = interpret(self, scope, target, guards, bytes).await;
        missing.rejected = version;
        match meaning {
            Meaning::Fresh(entry) => {
                let entry = Arc::new(entry);
                if let Some(ticket) = ticket {
                    self.stripes.store(key.hash(), ticket, || {
                        self.table
                            .insert(&key.stored(), &entry, &self.instance.moment());
                    });
                }
                return Found::Entry {
                    entry,
                    source: Source::L2,
                    unverified: false,
                };
            }
            Meaning::Stale(entry) => {
                let newer = |stale: &Arc<Entry>| stale.version < entry.version;
                if missing.stale.as_ref().is_none_or(newer) {
                    missing.stale = Some(Arc::new(entry));
                }
            }
            Meaning::Useless => {}
        }
        Found::Missing(missing)
    }

    /// What this process has of a key and would not serve without a question.
    pub(crate) fn stale_here<V: 'static>(&self, key: &FullKey) -> Option<Arc<Entry>> {
        match self.here::<V>(key, &self.instance.moment()) {
            Here::Fresh(entry) | Here::Unverified(entry) | Here::Due(entry) => Some(entry),
            Here::Nothing => None,
        }
    }

    /// Without the remote level, a value is served that it should have been asked about.
    pub(crate) fn make_do(&self, missing: Missing) -> Found {
        let now = self.instance.moment();
        let usable = missing
            .stale
            .as_ref()
            .filter(|stale| stale.may_stand_in(&now, false));
        match usable.map(Arc::clone) {
            Some(entry) => Found::Entry {
                entry,
                source: Source::L1,
                unverified: true,
            },
            None => Found::Missing(missing),
        }
    }

    /// Looks at both levels.
    pub(crate) async fn find<V: Send + Sync + 'static>(
        self: &Arc<Self>,
        scope: Option<&Scope>,
        target: &Target<V>,
    ) -> Found {
        match self.find_here(target).await {
            Found::Missing(missing) => self.find_remote(scope, target, missing).await,
            found @ Found::Entry { .. } => found,
        }
    }

    /// Counts an entry that is served, and gives it out.
    pub(crate) fn serve<V: Send + Sync + 'static>(
        &self,
        scope: Option<&Scope>,
        entry: &Entry,
        source: Source,
        unverified: bool,
        now: &Moment,
    ) -> Option<Cached<V>> {
        match source {
            Source::L1 => self.count(scope, Counter::L1Hits, 1),
            Source::L2 => self.count(scope, Counter::L2Hits, 1),
            Source::Loader => {}
        }
        let cached = entry.cached(now, source, unverified)?;
        if cached.stale {
            self.count(scope, Counter::Stale, 1);
        }
        Some(cached)
    }

    /// Gives the value from the levels or from the loader.
    pub(crate) async fn obtain<V, L, F, Fut>(
        self: Arc<Self>,
        scope: Option<Scope>,
        target: Target<V>,
        loader: F,
    ) -> Result<Cached<V>, Error>
    where
        V: Send + Sync + 'static,
        L: Into<Loaded<V>> + 'static,
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, LoadError>> + Send + 'static,
    {
        let (target, scope_ref) = (Arc::new(target), scope.as_ref());
        let mut loader = Some(loader);
        let mut led = false;
        let start = Instant::now();
        loop {
            let ticket = self.ticket(&target);
            let (missing, joined) = match self.approach(scope_ref, &target).await {
                Approach::Found {
                    entry,
                    source,
                    unverified,
                } => {
                    return self.give(scope_ref, &target, &entry, source, unverified);
                }
                Approach::Flight(missing, joined) => (missing, joined),
            };
            let waiting = match joined {
                Join::Wait(flight) => flight.wait(),
                Join::Lead(guard) => {
                    let Some(loader) = loader.take() else {
                        return Err(Error::new(ErrorKind::Cancelled, target.region.name));
                    };
                    let waiting = guard.flight().wait();
                    let flying = Flying {
                        shared: Arc::clone(&self),
                        scope: scope.clone(),
                        target: Arc::clone(&target),
                        guard,
                        missing: missing.clone(),
                    };
                    spawn(scope_ref, flying.run(loader));
                    led = true;
                    waiting
                }
            };
            let now = self.instance.moment();
            let fail_safe = target.policy.fail_safe.is_some();
            let stale = missing
                .stale
                .filter(|stale| stale.may_stand_in(&now, fail_safe));
            let patience = target.policy.patience(stale.is_some());
            let error = match end_within(start, patience, waiting).await {
                Some(FlightEnd::Done(Ok(entry))) => {
                    return self.give(scope_ref, &target, &entry, entry.origin, false);
                }
                // Whoever joined late may have done so after the invalidation.
                Some(FlightEnd::Overtaken(entry)) if led => {
                    return self.give(scope_ref, &target, &entry, entry.origin, false);
                }
                Some(FlightEnd::Overtaken(_) | FlightEnd::Abandoned) => continue,
                Some(FlightEnd::Done(Err(error))) => error,
                None => Error::new(ErrorKind::Timeout, target.region.name),
            };
            let Some(stale) = stale else {
                return Err(error);
            };
            tracing::warn!(
                region = target.region.name,
                error = &error as &dyn std::error::Error,
                "a stale value stands in for one that could not be loaded"
            );
            return self.fall_back(scope_ref, &target, &stale, ticket);
        }
    }

    /// Looks at both levels, and joins the flight of the key if neither will do.
    async fn approach<V: Send + Sync + 'static>(
        self: &Arc<Self>,
        scope: Option<&Scope>,
        target: &Target<V>,
    ) -> Approach {
        let mut missing = match self.find_here(target).await {
            Found::Entry {
                entry,
                source,
                unverified,
            } => {
                return Approach::Found {
                    entry,
                    source,
                    unverified,
                };
            }
            Found::Missing(missing) => missing,
        };
        let mut flight = self.stripes.flight(&target.key);
        if flight.is_some() && self.is_due(&target.shard, &self.instance.moment()) {
            // A load that began before a change elsewhere is not for whoever comes after it.
            let _asked = self.verify(&target.shard, Vec::new()).await;
            flight = self.stripes.flight(&target.key);
        }
        if let Some(flight) = flight {
            return Approach::Flight(missing, Join::Wait(flight));
        }
        match self.find_remote(scope, target, missing).await {
            Found::Entry {
                entry,
                source,
                unverified,
            } => {
                return Approach::Found {
                    entry,
                    source,
                    unverified,
                };
            }
            Found::Missing(nothing) => missing = nothing,
        }
        self.count(scope, Counter::Misses, 1);
        let joined = self.stripes.join(&target.key, target.before(self).guards);
        // Another flight may have landed since the look.
        let landed = match &joined {
            Join::Lead(_) if target.is_local() => {
                self.here::<V>(&target.key, &self.instance.moment())
            }
            _ => Here::Nothing,
        };
        match (joined, landed) {
            (Join::Lead(guard), Here::Fresh(entry)) => {
                guard.end(Ok(Arc::clone(&entry)));
                Approach::Found {
                    entry,
                    source: Source::Loader,
                    unverified: false,
                }
            }
            (joined, _) => Approach::Flight(missing, joined),
        }
    }

    /// Serves a stale value, now and until the throttle is over.
    pub(crate) fn fall_back<V: Send + Sync + 'static>(
        &self,
        scope: Option<&Scope>,
        target: &Target<V>,
        stale: &Entry,
        ticket: Option<Ticket>,
    ) -> Result<Cached<V>, Error> {
        let now = self.instance.moment();
        let entry = Arc::new(stale.rearm(&now, target.throttle()));
        // Whoever has put something newer there keeps it.
        if let Some(ticket) = ticket
            && !matches!(self.here::<V>(&target.key, &now), Here::Fresh(_))
        {
            self.stripes.store(target.key.hash(), ticket, || {
                self.table.insert(&target.key.stored(), &entry, &now);
            });
        }
        self.give(scope, target, &entry, entry.origin, false)
    }

    fn give<V: Send + Sync + 'static>(
        &self,
        scope: Option<&Scope>,
        target: &Target<V>,
        entry: &Entry,
        source: Source,
        unverified: bool,
    ) -> Result<Cached<V>, Error> {
        self.serve(scope, entry, source, unverified, &self.instance.moment())
            .ok_or_else(|| Error::absent(target.region.name))
    }
}

/// Waits for the end of a flight, for so long from `start` at most.
pub(crate) async fn end_within(
    start: Instant,
    patience: Option<Duration>,
    waiting: impl Future<Output = FlightEnd>,
) -> Option<FlightEnd> {
    // A time that no clock reaches is none.
    match patience.and_then(|patience| start.checked_add(patience)) {
        None => Some(waiting.await),
        Some(until) => tokio::time::timeout_at(until, waiting).await.ok(),
    }
}

/// Starts work that a caller need not wait for to its end: within the invocation's scope, if it has
/// one.
pub(crate) fn spawn(scope: Option<&Scope>, work: impl Future<Output = ()> + Send + 'static) {
    let work = work.in_current_span();
    match scope {
        Some(scope) => drop(scope.spawn(work)),
        None => drop(tokio::spawn(work)),
    }
}
