use crate::engine::{Flying, Found, Here, Shared, Squadron, Target, end_within, spawn};
use crate::error::{Error, ErrorKind};
use crate::handle::Handle;
use crate::key::Key;
use crate::load::{LoadError, Loaded};
use crate::local::{Entry, FlightEnd, Join, Ticket};
use crate::policy::{Policy, loading_setters, storing_setters};
use crate::region::Region;
use crate::stats::Counter;
use crate::value::{Cached, Source};
use faas_sdk_scope::{BoxFuture, Scope};
use futures_util::future::join_all;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Several values about to be got; made by [`Cache::get_many`](crate::Cache::get_many).
///
/// Awaited as it is, it answers for each key the value that either level has fresh.
#[must_use = "it does nothing until it is awaited"]
pub struct GetMany<'a, V, K> {
    handle: &'a Handle,
    region: &'a Region<V>,
    keys: Vec<K>,
    policy: Policy,
    tags: Vec<String>,
}

impl<'a, V, K: Key> GetMany<'a, V, K> {
    pub(crate) fn new(handle: &'a Handle, region: &'a Region<V>, keys: Vec<K>) -> Self {
        Self {
            handle,
            region,
            keys,
            policy: region.policy,
            tags: Vec::new(),
        }
    }

    storing_setters!();
    loading_setters!();

    /// Adds a tag to what is loaded.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    fn targets(&self) -> Result<Vec<Arc<Target<V>>>, Error> {
        let target = |key| {
            let key = self.handle.full_key(self.region, key)?;
            Ok(Arc::new(self.handle.target(
                self.region,
                key,
                self.policy,
                &self.tags,
            )))
        };
        self.keys.iter().map(target).collect()
    }
}

impl<'a, V, K> GetMany<'a, V, K>
where
    V: Send + Sync + 'static,
    K: Key + Eq + Hash + Clone + Send + Sync + 'static,
{
    /// Gets the values, or has those that are missing loaded by one call. The loader answers pairs of a
    /// key and a value, an `Option` or a [`Loaded`]; what it does not name is absent. Answers for each
    /// key, in order, the value or `None` if there is no such thing.
    ///
    /// A key that is being loaded by another caller in this process is waited for. One that another
    /// instance is loading is loaded along, and left to that instance to store.
    ///
    /// # Errors
    ///
    /// What kept a value from being loaded, where nothing stale may stand in for it.
    pub async fn or_load_many<L, I, F, Fut>(
        self,
        loader: F,
    ) -> Result<Vec<Option<Cached<V>>>, Error>
    where
        L: Into<Loaded<V>> + Send + 'static,
        I: IntoIterator<Item = (K, L)> + Send + 'static,
        I::IntoIter: Send,
        F: FnOnce(Vec<K>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<I, LoadError>> + Send + 'static,
    {
        let targets = self.targets()?;
        let Handle { shared, scope } = self.handle.clone();
        let mut loader = Some(loader);
        let mut given: Vec<Option<Option<Cached<V>>>> = targets.iter().map(|_| None).collect();
        let start = Instant::now();
        // Another round is for keys whose load by someone else was given up or overtaken.
        while given.iter().any(Option::is_none) {
            let open: Vec<usize> = (0..given.len())
                .filter(|index| given[*index].is_none())
                .collect();
            let round = Round {
                shared: &shared,
                scope: scope.as_ref(),
                targets: open
                    .iter()
                    .map(|index| Arc::clone(&targets[*index]))
                    .collect(),
                start,
            };
            let keys: Vec<&K> = open.iter().map(|index| &self.keys[*index]).collect();
            let (flights, waits) = round.join(&keys).await;
            if !flights.is_empty() {
                let Some(loader) = loader.take() else {
                    return Err(Error::new(ErrorKind::Cancelled, self.region.name));
                };
                spawn(scope.as_ref(), Squadron { flights }.run(loader));
            }
            let ends = waits
                .into_iter()
                .zip(&round.targets)
                .map(|(wait, target)| round.end(wait, target));
            for (index, end) in open.into_iter().zip(join_all(ends).await) {
                given[index] = end?;
            }
        }
        Ok(given.into_iter().flatten().collect())
    }
}

/// One look for keys, and one wait for those that are loaded.
struct Round<'r, V> {
    shared: &'r Arc<Shared>,
    scope: Option<&'r Scope>,
    targets: Vec<Arc<Target<V>>>,
    start: Instant,
}

fn boxed(wait: impl Future<Output = FlightEnd> + Send + 'static) -> BoxFuture<'static, FlightEnd> {
    Box::pin(wait)
}

/// What there is to wait for.
enum Wait<V> {
    Nothing(Option<Cached<V>>),
    Flight {
        waiting: BoxFuture<'static, FlightEnd>,
        stale: Option<Arc<Entry>>,
        ticket: Option<Ticket>,
        led: bool,
    },
}

impl<V: Send + Sync + 'static> Round<'_, V> {
    /// Looks at both levels, and joins the flights of the keys that neither has, or starts them.
    async fn join<'k, K: Clone + 'k>(&self, keys: &[&'k K]) -> (Vec<(K, Flying<V>)>, Vec<Wait<V>>) {
        let Self {
            shared,
            scope,
            targets,
            ..
        } = self;
        let ticket = |target: &Arc<Target<V>>| shared.ticket(target);
        let tickets: Vec<_> = targets.iter().map(ticket).collect();
        let found = shared.find_many(*scope, targets).await;
        let (mut flights, mut waits) = (Vec::new(), Vec::with_capacity(targets.len()));
        for (((key, target), found), ticket) in keys.iter().zip(targets).zip(found).zip(tickets) {
            let now = shared.instance.moment();
            let missing = match found {
                Found::Entry {
                    entry,
                    source,
                    unverified,
                } => {
                    let served = shared.serve(*scope, &entry, source, unverified, &now);
                    waits.push(Wait::Nothing(served));
                    continue;
                }
                Found::Missing(missing) => missing,
            };
            shared.count(*scope, Counter::Misses, 1);
            let fail_safe = target.policy.fail_safe.is_some();
            let stale = missing
                .stale
                .clone()
                .filter(|stale| stale.may_stand_in(&now, fail_safe));
            let (waiting, led) = match shared
                .stripes
                .join(&target.key, target.before(shared).guards)
            {
                Join::Wait(flight) => (boxed(flight.wait()), false),
                Join::Lead(guard) => {
                    // Another flight may have landed since the look.
                    if target.is_local()
                        && let Here::Fresh(entry) = shared.here::<V>(&target.key, &now)
                    {
                        let served = shared.serve(*scope, &entry, Source::L1, false, &now);
                        guard.end(Ok(entry));
                        waits.push(Wait::Nothing(served));
                        continue;
                    }
                    let waiting = boxed(guard.flight().wait());
                    let flying = Flying {
                        shared: Arc::clone(shared),
                        scope: scope.cloned(),
                        target: Arc::clone(target),
                        guard,
                        missing,
                    };
                    flights.push(((*key).clone(), flying));
                    (waiting, true)
                }
            };
            waits.push(Wait::Flight {
                waiting,
                stale,
                ticket,
                led,
            });
        }
        (flights, waits)
    }

    /// What a wait brings; `None` if it has to be looked for again.
    async fn end(
        &self,
        wait: Wait<V>,
        target: &Target<V>,
    ) -> Result<Option<Option<Cached<V>>>, Error> {
        let (waiting, stale, ticket, led) = match wait {
            Wait::Nothing(served) => return Ok(Some(served)),
            Wait::Flight {
                waiting,
                stale,
                ticket,
                led,
            } => (waiting, stale, ticket, led),
        };
        let patience = target.policy.patience(stale.is_some());
        let error = match end_within(self.start, patience, waiting).await {
            Some(FlightEnd::Done(Ok(entry))) => return Ok(Some(self.serve(&entry))),
            Some(FlightEnd::Overtaken(entry)) if led => return Ok(Some(self.serve(&entry))),
            Some(FlightEnd::Overtaken(_) | FlightEnd::Abandoned) => return Ok(None),
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
        self.shared
            .fall_back(self.scope, target, &stale, ticket)
            .map(|cached| Some(Some(cached)))
    }

    fn serve(&self, entry: &Entry) -> Option<Cached<V>> {
        let now = self.shared.instance.moment();
        self.shared
            .serve(self.scope, entry, entry.origin, false, &now)
    }
}

impl<'a, V, K> IntoFuture for GetMany<'a, V, K>
where
    V: Send + Sync + 'static,
    K: Key + Send + Sync,
{
    type Output = Result<Vec<Option<Cached<V>>>, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let (handle, targets) = (self.handle, self.targets());
        Box::pin(async move {
            let targets = targets?;
            let (shared, scope) = (&handle.shared, handle.scope());
            let now = shared.instance.moment();
            let give = |found| match found {
                Found::Entry {
                    entry,
                    source,
                    unverified,
                } => shared.serve(scope, &entry, source, unverified, &now),
                Found::Missing(_) => {
                    shared.count(scope, Counter::Misses, 1);
                    None
                }
            };
            Ok(shared
                .find_many(scope, &targets)
                .await
                .into_iter()
                .map(give)
                .collect())
        })
    }
}

impl<V, K> fmt::Debug for GetMany<'_, V, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetMany")
            .field("region", &self.region.name)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}
