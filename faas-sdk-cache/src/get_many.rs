use crate::engine::{Flying, Found, Squadron, Target, spawn};
use crate::error::{Error, ErrorKind};
use crate::handle::Handle;
use crate::key::Key;
use crate::load::{LoadError, Loaded};
use crate::local::{FlightEnd, Join};
use crate::policy::{Policy, policy_setters};
use crate::region::Region;
use crate::stats::Counter;
use crate::value::Cached;
use faas_sdk_scope::BoxFuture;
use futures_util::future::join_all;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

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

    policy_setters!();

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
        let scope_ref = scope.as_ref();
        let found = shared.find_many(scope_ref, &targets).await;
        let mut flights = Vec::new();
        let mut waits = Vec::with_capacity(targets.len());
        let now = shared.instance.moment();
        let fail_safe = self.policy.fail_safe.is_some();
        for ((key, target), found) in self.keys.into_iter().zip(&targets).zip(found) {
            let missing = match found {
                Found::Entry {
                    entry,
                    source,
                    unverified,
                } => {
                    waits.push(Err(
                        shared.serve(scope_ref, &entry, source, unverified, &now)
                    ));
                    continue;
                }
                Found::Missing(missing) => missing,
            };
            shared.count(scope_ref, Counter::Misses, 1);
            let stale = missing
                .stale
                .clone()
                .filter(|stale| stale.may_stand_in(&now, fail_safe));
            let waiting = match shared
                .stripes
                .join(&target.key, target.before(&shared).guards)
            {
                Join::Wait(flight) => flight.wait(),
                Join::Lead(guard) => {
                    let waiting = guard.flight().wait();
                    let flying = Flying {
                        shared: Arc::clone(&shared),
                        scope: scope.clone(),
                        target: Arc::clone(target),
                        guard,
                        missing,
                    };
                    flights.push((key, flying));
                    waiting
                }
            };
            waits.push(Ok((waiting, stale)));
        }
        if !flights.is_empty() {
            spawn(scope_ref, Squadron { flights }.run(loader));
        }
        let policy = self.policy;
        let region = self.region.name;
        let given = waits.into_iter().map(|wait| async {
            let (waiting, stale) = match wait {
                Err(served) => return Ok(served),
                Ok(wait) => wait,
            };
            let end = match policy.patience(stale.is_some()) {
                None => Some(waiting.await),
                Some(patience) => tokio::time::timeout(patience, waiting).await.ok(),
            };
            let error = match end {
                Some(FlightEnd::Done(Ok(entry)) | FlightEnd::Overtaken(entry)) => {
                    let now = shared.instance.moment();
                    return Ok(shared.serve(scope_ref, &entry, entry.origin, false, &now));
                }
                Some(FlightEnd::Done(Err(error))) => error,
                Some(FlightEnd::Abandoned) => Error::new(ErrorKind::Cancelled, region),
                None => Error::new(ErrorKind::Timeout, region),
            };
            match stale {
                Some(stale) => {
                    tracing::warn!(
                        region,
                        error = &error as &dyn std::error::Error,
                        "a stale value stands in for one that could not be loaded"
                    );
                    let now = shared.instance.moment();
                    Ok(shared.serve(scope_ref, &stale, stale.origin, false, &now))
                }
                None => Err(error),
            }
        });
        join_all(given).await.into_iter().collect()
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
