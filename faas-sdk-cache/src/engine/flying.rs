use crate::engine::Shared;
use crate::engine::leased::Leased;
use crate::engine::missing::Missing;
use crate::engine::storing::{Content, Prepared, prepare};
use crate::engine::target::{Before, Target};
use crate::engine::turn::{Turn, turn};
use crate::engine::writing::Change;
use crate::error::{BoxError, Error, ErrorKind};
use crate::load::{Answer, Load, LoadError, Loaded, LoadedOptions};
use crate::local::{Entry, FlightGuard};
use crate::stats::Counter;
use crate::store::{Fill, Version, Write};
use faas_sdk_scope::{CatchUnwind, Scope};
use std::sync::Arc;
use std::time::Duration;

/// One load, for all who wait for it.
pub(crate) struct Flying<V> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) scope: Option<Scope>,
    pub(crate) target: Arc<Target<V>>,
    pub(crate) guard: FlightGuard,
    pub(crate) missing: Missing,
}

/// Whether a loaded value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Yes,
    /// Its loader does not want it.
    No,
    /// There is no such thing, which is not remembered.
    Gone,
    /// One of its tags was removed during the load.
    Overtaken,
}

/// For how long at most a stale value is served while another instance loads.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl<V: Send + Sync + 'static> Flying<V> {
    /// The load of a value that is still fresh.
    pub(crate) fn early(
        shared: Arc<Shared>,
        scope: Option<Scope>,
        target: Arc<Target<V>>,
        guard: FlightGuard,
        fresh: Arc<Entry>,
    ) -> Self {
        let rejected = (fresh.version != 0).then_some(fresh.version);
        let missing = Missing {
            stale: Some(fresh),
            rejected,
            unasked: false,
        };
        Self {
            shared,
            scope,
            target,
            guard,
            missing,
        }
    }

    /// Loads, stores, and tells all who wait.
    pub(crate) async fn run<L, F, Fut>(mut self, loader: F)
    where
        L: Into<Loaded<V>> + 'static,
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, LoadError>> + Send + 'static,
    {
        let start = self.shared.instance.moment();
        let Self {
            shared,
            scope,
            target,
            missing,
            ..
        } = &mut self;
        let leased = match turn(shared, scope.as_ref(), target, missing, &start).await {
            Turn::Leased(leased) => Some(leased),
            Turn::Unleased => None,
            Turn::Found(entry) => return self.land(entry),
            Turn::Elsewhere(stale, lease) => return self.rearm(&stale, lease),
            Turn::TooLong => return self.fail(ErrorKind::Timeout, None),
        };
        self.learn_names().await;
        let before = self.target.before(&self.shared);
        let start = self.shared.instance.moment();
        let sent = leased.as_ref().map_or(start, |leased| leased.sent);
        let allowed = self.allowed(start.since(&sent));
        let loaded = match self.load(loader, allowed).await {
            Ok(loaded) => loaded,
            Err((kind, source)) => return self.fail(kind, source),
        };
        let cost = self.shared.instance.moment().since(&start);
        let (content, stored) = match self.content(loaded, &before, cost).await {
            Ok(content) => content,
            Err(kind) => return self.fail(kind, None),
        };
        let prepared = self.prepare(content, before);
        match stored {
            Stored::Yes => self.store(prepared, leased).await,
            stored => self.leave(prepared, stored).await,
        }
    }

    pub(crate) fn prepare(&self, content: Content<V>, before: Before) -> Prepared {
        let scope = self.scope.as_ref();
        let (prepared, fault) = prepare(&self.shared, scope, &self.target, content, before);
        if let Err(error) = fault {
            tracing::warn!(
                region = self.target.region.name,
                error = &*error as &dyn std::error::Error,
                "a loaded value cannot be stored remotely"
            );
        }
        prepared
    }

    /// Ends with what is not stored.
    pub(crate) async fn leave(self, prepared: Prepared, stored: Stored) {
        if stored == Stored::Gone {
            self.forget().await;
        }
        let entry = Arc::new(prepared.entry);
        if stored == Stored::Overtaken {
            self.guard.overtaken(entry);
        } else {
            self.guard.end(Ok(entry));
        }
    }

    /// Reads generations that were forgotten since the key was looked up: without them what is loaded
    /// could not be stored remotely.
    async fn learn_names(&self) {
        let names = self.target.unknown_names(&self.shared);
        if !names.is_empty() && !self.missing.unasked && self.target.remote(&self.shared).is_some()
        {
            // If it fails, the value stays in this process.
            let _asked = self.shared.verify(&self.target.shard, names).await;
        }
    }

    async fn load<L, F, Fut>(&self, loader: F, allowed: Duration) -> Result<Loaded<V>, Failure>
    where
        L: Into<Loaded<V>> + 'static,
        F: FnOnce(Load<V>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<L, LoadError>> + Send + 'static,
    {
        let stale = self.missing.stale.as_ref();
        let load = Load {
            stale: stale.and_then(|stale| stale.value.clone()?.downcast().ok()),
            etag: stale.and_then(|stale| stale.etag.clone()),
            allowed,
        };
        self.shared.count(self.scope.as_ref(), Counter::Loads, 1);
        guarded(allowed, async move { loader(load).await })
            .await
            .map(Into::into)
    }

    /// How long the load may take when so much of its lease is over: as long as that and the invocation
    /// last.
    pub(crate) fn allowed(&self, spent: Duration) -> Duration {
        let lease = self.target.policy.lease.saturating_sub(spent);
        let remaining = self.scope.as_ref().and_then(Scope::remaining);
        remaining.map_or(lease, |remaining| lease.min(remaining))
    }

    /// Drops what is left of a value that the loader says is gone, where that is not remembered.
    async fn forget(&self) {
        if self.missing.stale.is_some() || self.missing.rejected.is_some() {
            self.shared.void(&self.target.key);
            let scope = self.scope.as_ref();
            // If it fails, it is owed.
            let _owed = self
                .shared
                .invalidate(scope, &self.target, Change::Remove)
                .await;
        }
    }

    /// What the loader's answer means, and whether it may be stored.
    pub(crate) async fn content(
        &self,
        loaded: Loaded<V>,
        before: &Before,
        cost: Duration,
    ) -> Result<(Content<V>, Stored), ErrorKind> {
        let Loaded { answer, options } = loaded;
        let LoadedOptions {
            ttl,
            mut tags,
            mut etag,
            not_stored,
        } = options;
        let value = match answer {
            Answer::Value(value) => Some(Arc::new(value)),
            Answer::Absent => None,
            Answer::NotModified => {
                let stale = self
                    .missing
                    .stale
                    .as_ref()
                    .ok_or(ErrorKind::NothingToKeep)?;
                let value = stale.value.clone().and_then(|value| value.downcast().ok());
                tags.extend(stale.guards.tags().map(|(name, _)| name.to_owned()));
                etag = etag.or_else(|| stale.etag.clone());
                Some(value.ok_or(ErrorKind::NothingToKeep)?)
            }
        };
        tags.sort_unstable();
        tags.dedup();
        tags.retain(|tag| !self.target.tags.contains(tag));
        let guards = self.shared.late_guards(&self.target, &tags, before).await;
        let negative = value.is_none() && ttl.or(self.target.policy.negative_ttl).is_none();
        let stored = if guards.is_none() {
            self.shared.count(self.scope.as_ref(), Counter::Refused, 1);
            Stored::Overtaken
        } else if negative || (not_stored && value.is_none()) {
            Stored::Gone
        } else if not_stored {
            Stored::No
        } else {
            Stored::Yes
        };
        let content = Content {
            value,
            ttl,
            etag,
            cost,
            tags: guards.unwrap_or_default(),
        };
        Ok((content, stored))
    }

    pub(crate) async fn store(self, prepared: Prepared, leased: Option<Leased>) {
        let Prepared {
            entry,
            envelope,
            physical,
        } = prepared;
        let remote = self.target.remote(&self.shared);
        if let (Some(remote), Some(envelope)) = (remote, envelope) {
            let key = self.target.key.bytes();
            let shard = self.target.shard.index();
            let filled = match leased {
                Some(leased) => {
                    let fill = Fill {
                        key,
                        token: leased.token,
                        envelope,
                        physical,
                    };
                    let fills = [fill];
                    let filled =
                        remote.call(&self.shared.instance, remote.store().fill(shard, &fills));
                    let filled = filled.await;
                    leased.used();
                    Some(filled)
                }
                None if !remote.guarantees().leases && !self.missing.unasked => {
                    let writes = [Write {
                        key,
                        envelope,
                        physical,
                        unless_after: None,
                    }];
                    let written =
                        remote.call(&self.shared.instance, remote.store().write(shard, &writes));
                    Some(written.await)
                }
                None => None,
            };
            if let Some(filled) = filled {
                let version = filled.map(|mut versions| versions.pop().flatten());
                return self.land_filled(entry, version.map_err(drop));
            }
        }
        self.land(entry);
    }

    /// Ends with a value that the remote level has been given: the version it was given there, `None` if
    /// it was refused.
    pub(crate) fn land_filled(self, mut entry: Entry, version: Result<Option<Version>, ()>) {
        let scope = self.scope.as_ref();
        match version {
            Ok(Some(version)) => entry.version = version,
            Ok(None) => {
                self.shared.count(scope, Counter::Refused, 1);
                return self.guard.overtaken(Arc::new(entry));
            }
            Err(()) => self.shared.count(scope, Counter::RemoteErrors, 1),
        }
        self.land(entry);
    }

    /// Ends with a value that is stored here, if the key was not invalidated meanwhile.
    pub(crate) fn land(self, entry: Entry) {
        let Self {
            shared,
            scope,
            target,
            guard,
            ..
        } = self;
        let entry = Arc::new(entry);
        if !target.is_local() {
            return guard.end(Ok(entry));
        }
        if entry.version == 0 {
            target.shard.stored_blindly();
        }
        let mut too_large = false;
        let stored = guard.store(entry, |key, entry| {
            too_large = shared.table.insert(key, entry, &shared.instance.moment());
        });
        if too_large {
            shared.count(scope.as_ref(), Counter::TooLarge, 1);
        }
        if !stored {
            shared.count(scope.as_ref(), Counter::Refused, 1);
        }
    }

    /// Ends with a stale value, which is served without another try for a while. `lease` is what is left
    /// of another instance's: its value may be there at any moment.
    pub(crate) fn rearm(self, stale: &Entry, lease: Duration) {
        let now = self.shared.instance.moment();
        if stale.is_stale(&now) {
            let pause = self.target.throttle().min(lease).min(LOOK_AGAIN);
            let entry = stale.rearm(&now, pause);
            self.land(entry);
        } else {
            // It is still fresh: this was an early refresh.
            self.guard
                .end(Ok(Arc::new(stale.rearm(&now, Duration::ZERO))));
        }
    }

    pub(crate) fn fail(self, kind: ErrorKind, source: Option<BoxError>) {
        let Self {
            shared,
            scope,
            target,
            guard,
            ..
        } = self;
        shared.count(scope.as_ref(), Counter::LoadErrors, 1);
        let region = target.region.name;
        let error = match source {
            Some(source) => Error::with(kind, region, source),
            None => Error::new(kind, region),
        };
        if !guard.is_awaited() {
            tracing::warn!(
                region,
                error = &error as &dyn std::error::Error,
                "a load in the background failed"
            );
        }
        guard.end(Err(error));
    }
}

/// Why a loader brought nothing.
pub(crate) type Failure = (ErrorKind, Option<BoxError>);

/// Runs a loader for as long as it is allowed, with a panic for an error: it has to be called within.
pub(crate) async fn guarded<T>(
    allowed: Duration,
    loading: impl Future<Output = Result<T, LoadError>> + Send,
) -> Result<T, Failure> {
    match tokio::time::timeout(allowed, CatchUnwind::new(Box::pin(loading))).await {
        Ok(Ok(Ok(loaded))) => Ok(loaded),
        Ok(Ok(Err(error))) => Err((ErrorKind::Load, Some(error.0))),
        Ok(Err(panic)) => Err((ErrorKind::Panicked, panic_message(&*panic))),
        Err(_elapsed) => Err((ErrorKind::Timeout, None)),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> Option<BoxError> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .map(Into::into)
}
