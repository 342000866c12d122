use crate::coherence::{ALL, tag_name};
use crate::engine::Shared;
use crate::engine::storing::{Content, Prepared, prepare};
use crate::engine::target::Target;
use crate::error::{Error, ErrorKind};
use crate::local::FullKey;
use crate::remote::{Mark, Owed};
use crate::stats::Counter;
use crate::store::{Invalidation, StoreError, Version, Write};
use faas_sdk_scope::Scope;
use std::sync::Arc;
use std::time::Duration;

/// A change of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Remove,
    Expire,
}

impl Shared {
    /// Stores a value at both levels. In this process it is there when this returns; if the remote level
    /// fails, what it has under the key is removed later.
    pub(crate) async fn set<V: Send + Sync + 'static>(
        self: &Arc<Self>,
        scope: Option<&Scope>,
        target: &Target<V>,
        value: V,
        strict: bool,
    ) -> Result<(), Error> {
        let region = target.region.name;
        let key = &target.key;
        let names = target.unknown_names(self);
        let due = !names.is_empty() || self.is_due(&target.shard, &self.instance.moment());
        if due && target.remote(self).is_some() {
            // Under generations that have passed, nobody else would take the value.
            // If it fails, the write will most likely fail, too.
            let _asked = self.verify(&target.shard, names).await;
        }
        // What is being loaded or read now is older than this value; whoever comes now waits for it.
        let before = target.before(self);
        let guard = self
            .stripes
            .lead(key, before.guards.clone(), || self.table.remove(key));
        let content = Content {
            value: Some(Arc::new(value)),
            ttl: None,
            etag: None,
            cost: Duration::ZERO,
            tags: Vec::new(),
        };
        let (prepared, fault) = prepare(self, scope, target, content, before);
        let Prepared {
            mut entry,
            envelope,
            physical,
        } = prepared;
        let outcome = match (target.remote(self), envelope) {
            (Some(remote), Some(envelope)) => {
                let unsettled = Unsettled::new(self, key, Owed::Remove);
                let write = Write {
                    key: key.bytes(),
                    envelope,
                    physical,
                    unless_after: None,
                };
                let writes = [write];
                let shard = target.shard.index();
                let write = remote.store().write(shard, &writes);
                match remote.call(&self.instance, write).await {
                    Ok(mut versions) => {
                        unsettled.settle();
                        entry.version = versions.pop().flatten().unwrap_or_default();
                        Ok(())
                    }
                    Err(error) => {
                        self.count(scope, Counter::RemoteErrors, 1);
                        let refused = matches!(error, StoreError::Refused(_));
                        drop(unsettled);
                        if refused {
                            // What is there must not outlive a value that there is no room for.
                            let removed = self.invalidate(scope, target, Change::Remove).await;
                            entry.version = removed.unwrap_or_default();
                        }
                        Err(Error::remote(region, error))
                    }
                }
            }
            // What is there must not outlive a value that cannot be stored.
            (Some(_), None) => {
                let removed = self.invalidate(scope, target, Change::Remove).await;
                entry.version = removed.as_ref().copied().unwrap_or_default();
                match fault {
                    Err(fault) => Err(Error::with(ErrorKind::Encode, region, fault)),
                    Ok(()) => removed.map(drop),
                }
            }
            (None, _) => Ok(()),
        };
        let entry = Arc::new(entry);
        if entry.version == 0 {
            target.shard.stored_blindly();
        }
        if target.is_local() && entry.is_kept() {
            guard.store(entry, |key, entry| {
                if self.table.insert(key, entry, &self.instance.moment()) {
                    self.count(scope, Counter::TooLarge, 1);
                }
            });
        } else {
            guard.end(Ok(entry));
        }
        self.settle(outcome, strict)
    }

    /// Removes or expires a key at both levels: first here, so that nobody finds it while the remote
    /// level still has it, and again afterwards, because someone may have read it there meanwhile.
    pub(crate) async fn change<V>(
        self: &Arc<Self>,
        scope: Option<&Scope>,
        target: &Target<V>,
        change: Change,
        strict: bool,
    ) -> Result<(), Error> {
        self.change_here(target, change);
        let outcome = self.invalidate(scope, target, change).await;
        self.change_here(target, change);
        self.settle(outcome.map(drop), strict)
    }

    fn change_here<V>(&self, target: &Target<V>, change: Change) {
        let key = &target.key;
        match change {
            Change::Remove => self.void(key),
            Change::Expire => self.stripes.void(key, || {
                self.table.get(key).iter().for_each(|entry| entry.expire());
            }),
        }
    }

    /// Invalidates a key at the remote level. The version of the change; 0 if there is no such level.
    pub(crate) async fn invalidate<V>(
        &self,
        scope: Option<&Scope>,
        target: &Target<V>,
        change: Change,
    ) -> Result<Version, Error> {
        let Some(remote) = target.remote(self) else {
            return Ok(0);
        };
        let (how, owed) = match change {
            Change::Remove => (Invalidation::Remove, Owed::Remove),
            Change::Expire => (Invalidation::Expire, Owed::Expire),
        };
        let (keys, shard) = ([target.key.bytes()], target.shard.index());
        let unsettled = Unsettled::new(self, &target.key, owed);
        let invalidate = remote.store().invalidate(shard, &keys, how);
        match remote.call(&self.instance, invalidate).await {
            Ok(version) => {
                unsettled.settle();
                Ok(version)
            }
            Err(error) => {
                self.count(scope, Counter::RemoteErrors, 1);
                Err(Error::remote(target.region.name, error))
            }
        }
    }

    /// Gives names new generations: everything stored under them is void.
    async fn advance(
        &self,
        scope: Option<&Scope>,
        names: &[&str],
        region: &'static str,
        strict: bool,
    ) -> Result<(), Error> {
        let Some(remote) = self.remote.as_ref().filter(|_| self.tags.is_remote()) else {
            self.tags.advance_here(names);
            return Ok(());
        };
        // Until the remote level has issued it, nothing under the names is served.
        self.owe_names(names);
        let mark = self.recovery.mark();
        let advance = remote.store().advance(names);
        let outcome = match remote.call(&self.instance, advance).await {
            Ok(generation) => {
                let settled = self.recovery.settle_names(names, mark);
                self.tags.advanced(&settled, generation);
                Ok(())
            }
            Err(error) => {
                self.count(scope, Counter::RemoteErrors, 1);
                Err(Error::remote(region, error))
            }
        };
        self.settle(outcome, strict)
    }

    pub(crate) async fn remove_by_tags(
        &self,
        scope: Option<&Scope>,
        tags: &[&str],
        strict: bool,
    ) -> Result<(), Error> {
        let names: Vec<String> = tags.iter().map(|tag| tag_name(tag)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.advance(scope, &names, "tags", strict).await
    }

    pub(crate) async fn clear(
        &self,
        scope: Option<&Scope>,
        region: Option<&'static str>,
        strict: bool,
    ) -> Result<(), Error> {
        match region {
            Some(region) => {
                let names = self.tags.region(region);
                self.advance(scope, &[&names.name], region, strict).await
            }
            None => self.advance(scope, &[ALL], "all regions", strict).await,
        }
    }

    /// Remembers a change that the remote level did not take.
    fn owe(&self, key: &FullKey, owed: Owed) {
        if !self.recovery.owe(key.bytes(), owed) {
            self.owe_everything();
        }
    }

    fn owe_names(&self, names: &[&str]) {
        if self.recovery.owe_names(names) {
            self.tags.suspend(names);
        } else {
            self.owe_everything();
        }
    }

    fn owe_everything(&self) {
        tracing::warn!("too many changes wait for the remote cache: all of it will be cleared");
        self.tags.suspend(&[ALL]);
        self.recovery.owe_everything(ALL);
    }

    /// An error counts only where the caller asked for it; what failed is repeated in any case.
    fn settle(&self, outcome: Result<(), Error>, strict: bool) -> Result<(), Error> {
        match outcome {
            Err(error) if !strict => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the remote cache was not changed yet"
                );
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// A change that was sent, maybe, and not answered: dropped like that, it is owed.
struct Unsettled<'a> {
    shared: &'a Shared,
    key: &'a FullKey,
    owed: Owed,
    mark: Mark,
    settled: bool,
}

impl<'a> Unsettled<'a> {
    fn new(shared: &'a Shared, key: &'a FullKey, owed: Owed) -> Self {
        let mark = shared.recovery.mark();
        Self {
            shared,
            key,
            owed,
            mark,
            settled: false,
        }
    }

    fn settle(mut self) {
        self.settled = true;
        self.shared.recovery.settle(self.key.bytes(), self.mark);
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.owe(self.key, self.owed);
        }
    }
}
