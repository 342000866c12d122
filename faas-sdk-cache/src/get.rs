use crate::chance;
use crate::engine::{Flying, Found, Here, spawn};
use crate::error::Error;
use crate::handle::Handle;
use crate::key::Key;
use crate::load::{Load, LoadError, Loaded};
use crate::local::{Entry, FullKey, Join};
use crate::policy::{Policy, loading_setters, storing_setters};
use crate::region::{Levels, Region};
use crate::stats::Counter;
use crate::value::{Cached, Source};
use faas_sdk_scope::{BoxFuture, Moment};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A value about to be got; made by [`Cache::get`](crate::Cache::get).
///
/// Awaited as it is, it looks at both levels and answers `None` if neither has a fresh value.
#[must_use = "it does nothing until it is awaited"]
pub struct Get<'a, V, K: ?Sized> {
    handle: &'a Handle,
    region: &'a Region<V>,
    key: &'a K,
    policy: Policy,
    tags: Vec<String>,
    allow_stale: bool,
}

impl<'a, V, K: Key + ?Sized> Get<'a, V, K> {
    pub(crate) fn new(handle: &'a Handle, region: &'a Region<V>, key: &'a K) -> Self {
        Self {
            handle,
            region,
            key,
            policy: region.policy,
            tags: Vec::new(),
            allow_stale: false,
        }
    }

    storing_setters!();
    loading_setters!();

    /// Adds a tag to what is loaded.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Without a loader: takes a stale value as well, if fail-safe has kept one.
    pub fn allow_stale(mut self) -> Self {
        self.allow_stale = true;
        self
    }

    /// Gets the value, or has it loaded: once for all who want the key at the time, in this process and,
    /// where the remote level has leases, in all instances.
    ///
    /// The loader is told of a stale value, and answers a value, an `Option`, or [`Loaded`]. It runs
    /// beside the caller: dropping the returned future does not stop it, and others may wait for it. On
    /// a hit nothing is allocated and nothing awaited.
    ///
    /// # Errors
    ///
    /// What kept the value from being loaded, where nothing stale may stand in. Failures of the remote
    /// level are none: then this process has its values and the loader.
    pub fn or_load<L, F, Fut>(self, loader: F) -> OrLoad<'a, V, K, F>
    where
        V: Send + Sync + 'static,
        L: Into<Loaded<V>> + 'static,
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, LoadError>> + Send + 'static,
    {
        OrLoad(State::Start(self, loader))
    }

    fn load<L, F, Fut>(
        self,
        loader: F,
        key: FullKey,
    ) -> BoxFuture<'static, Result<Cached<V>, Error>>
    where
        V: Send + Sync + 'static,
        L: Into<Loaded<V>> + 'static,
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, LoadError>> + Send + 'static,
    {
        let Handle { shared, scope } = self.handle.clone();
        let target = self
            .handle
            .target(self.region, key, self.policy, &self.tags);
        Box::pin(shared.obtain(scope, target, loader))
    }
}

impl<'a, V, K> IntoFuture for Get<'a, V, K>
where
    V: Send + Sync + 'static,
    K: Key + Sync + ?Sized,
{
    type Output = Result<Option<Cached<V>>, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                handle,
                region,
                key,
                policy,
                tags,
                allow_stale,
            } = self;
            let target = handle.target(region, handle.full_key(region, key)?, policy, &tags);
            let shared = &handle.shared;
            let scope = handle.scope();
            match shared.find(scope, &target).await {
                Found::Entry {
                    entry,
                    source,
                    unverified,
                } => Ok(shared.serve(scope, &entry, source, unverified, &shared.instance.moment())),
                Found::Missing(missing) => {
                    shared.count(scope, Counter::Misses, 1);
                    let now = shared.instance.moment();
                    let stale = missing.stale.filter(|stale| {
                        allow_stale && stale.may_stand_in(&now, policy.fail_safe.is_some())
                    });
                    Ok(stale
                        .and_then(|stale| shared.serve(scope, &stale, stale.origin, false, &now)))
                }
            }
        })
    }
}

/// Gets a value or has it loaded; made by [`Get::or_load`].
#[must_use = "it does nothing until it is awaited"]
pub struct OrLoad<'a, V, K: ?Sized, F>(State<'a, V, K, F>);

enum State<'a, V, K: ?Sized, F> {
    Start(Get<'a, V, K>, F),
    Running(BoxFuture<'static, Result<Cached<V>, Error>>),
    Done,
}

// Nothing in it is pinned: a loader is moved out before it is called.
impl<V, K: ?Sized, F> Unpin for OrLoad<'_, V, K, F> {}

impl<V, K, L, F, Fut> Future for OrLoad<'_, V, K, F>
where
    V: Send + Sync + 'static,
    K: Key + ?Sized,
    L: Into<Loaded<V>> + 'static,
    F: FnOnce(Load<V>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<L, LoadError>> + Send + 'static,
{
    type Output = Result<Cached<V>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Start(get, _) = &self.0 {
            // Nothing is moved for a hit.
            let look = get.look();
            if let Look::Served(result) = look {
                return Poll::Ready(result);
            }
            let State::Start(get, loader) = std::mem::replace(&mut self.0, State::Done) else {
                return Poll::Pending;
            };
            match look {
                Look::Served(result) => return Poll::Ready(result),
                Look::Early(cached, key, entry) => {
                    get.refresh(loader, key, entry);
                    return Poll::Ready(Ok(cached));
                }
                Look::Missing(key) => self.0 = State::Running(get.load(loader, key)),
            }
        }
        let State::Running(running) = &mut self.0 else {
            return Poll::Pending;
        };
        let polled = running.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = State::Done;
        }
        polled
    }
}

/// What this process has to say without awaiting anything.
enum Look<V> {
    Served(Result<Cached<V>, Error>),
    /// It is served, and to be loaded anew meanwhile.
    Early(Cached<V>, FullKey, Arc<Entry>),
    Missing(FullKey),
}

impl<V: Send + Sync + 'static, K: Key + ?Sized> Get<'_, V, K> {
    fn look(&self) -> Look<V> {
        let key = match self.handle.full_key(self.region, self.key) {
            Ok(key) => key,
            Err(error) => return Look::Served(Err(error)),
        };
        if self.region.levels == Levels::Remote {
            return Look::Missing(key);
        }
        let Handle { shared, scope } = self.handle;
        let now = shared.instance.moment();
        let Here::Fresh(entry) = shared.here::<V>(&key, &now) else {
            return Look::Missing(key);
        };
        match shared.serve(scope.as_ref(), &entry, Source::L1, false, &now) {
            None => Look::Served(Err(Error::absent(self.region.name))),
            Some(cached) => match self.policy.eager {
                Some(share) if is_early(&entry, share, &now) => Look::Early(cached, key, entry),
                _ => Look::Served(Ok(cached)),
            },
        }
    }

    /// Loads anew what is still served, unless someone does so.
    fn refresh<L, F, Fut>(self, loader: F, key: FullKey, entry: Arc<Entry>)
    where
        L: Into<Loaded<V>> + 'static,
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, LoadError>> + Send + 'static,
    {
        let Handle { shared, scope } = self.handle;
        let Join::Lead(guard) = shared.stripes.join(&key, entry.guards.clone()) else {
            return;
        };
        let target = Arc::new(
            self.handle
                .target(self.region, key, self.policy, &self.tags),
        );
        let flying = Flying::early(Arc::clone(shared), scope.clone(), target, guard, entry);
        spawn(scope.as_ref(), flying.run(loader));
    }
}

/// Whether a value that is still fresh is to be loaded anew by this caller: the window opens at `share`
/// of its lifetime, and within it chance decides.
fn is_early(entry: &Entry, share: f64, now: &Moment) -> bool {
    let (age, remaining) = (entry.age(now), entry.remaining(now));
    let share = (1.0 - share).clamp(0.0, 1.0);
    let window = age.saturating_add(remaining).as_secs_f64() * share;
    // Not a number is no window.
    let window = Duration::try_from_secs_f64(window).unwrap_or_default();
    // A quick load would be started in the last moment only, and come too late for a slow reader.
    let cost = entry.cost.max(window / 10);
    remaining < window && !entry.rearmed && chance::refresh_early(remaining, cost, 1.0)
}

impl<V, K: ?Sized> fmt::Debug for Get<'_, V, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get")
            .field("region", &self.region.name)
            .finish_non_exhaustive()
    }
}

impl<V, K: ?Sized, F> fmt::Debug for OrLoad<'_, V, K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrLoad").finish_non_exhaustive()
    }
}
