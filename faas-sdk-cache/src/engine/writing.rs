use crate::coherence::{ALL, tag_name};
use crate::engine::Shared;
use crate::engine::storing::{Content, Prepared, prepare};
use crate::engine::target::Target;
use crate::error::{Error, ErrorKind};
use crate::remote::Owed;
use crate::stats::Counter;
use crate::store::{Invalidation, StoreError, Write};
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
    /// fails, it is told later, unless `strict`.
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
        // What is being loaded or read now is older than this value.
        self.void(key);
        let ticket = self.stripes.ticket(key.hash());
        let before = target.before(self);
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
                let write = Write {
                    key: key.bytes(),
                    envelope: envelope.clone(),
                    physical,
                    unless_after: None,
                };
                let writes = [write];
                let shard = target.shard.index();
                let written = remote
                    .call(&self.instance, remote.store().write(shard, &writes))
                    .await;
                match written {
                    Ok(mut versions) => {
                        self.recovery.settle(key.bytes());
                        entry.version = versions.pop().flatten().unwrap_or_default();
                        target.shard.saw(entry.version);
                        Ok(())
                    }
                    // What is there must not outlive a value that there is no room for.
                    Err(error @ StoreError::Refused(_)) => {
                        self.count(scope, Counter::RemoteErrors, 1);
                        self.invalidate(scope, target, Change::Remove)
                            .await
                            .and(Err(Error::remote(region, error)))
                    }
                    Err(error) => {
                        let floor = target.shard.latest(&self.instance.moment());
                        // Without the store's time nothing tells whose value is newer.
                        let owed = floor.map_or(Owed::Remove, |unless_after| Owed::Write {
                            envelope,
                            physical,
                            unless_after,
                        });
                        Err(self.owe(scope, key.bytes(), owed, error, region))
                    }
                }
            }
            // What is there must not outlive a value that cannot be stored.
            (Some(_), None) => {
                let removed = self.invalidate(scope, target, Change::Remove).await;
                match fault {
                    Err(fault) => Err(Error::with(ErrorKind::Encode, region, fault)),
                    Ok(()) => removed,
                }
            }
            (None, _) => Ok(()),
        };
        if target.is_local() {
            let entry = Arc::new(entry);
            self.stripes.store(key.hash(), ticket, || {
                if self
                    .table
                    .insert(&key.stored(), &entry, &self.instance.moment())
                {
                    self.count(scope, Counter::TooLarge, 1);
                }
            });
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
        self.settle(outcome, strict)
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

    async fn invalidate<V>(
        &self,
        scope: Option<&Scope>,
        target: &Target<V>,
        change: Change,
    ) -> Result<(), Error> {
        let Some(remote) = target.remote(self) else {
            return Ok(());
        };
        let (how, owed) = match change {
            Change::Remove => (Invalidation::Remove, Owed::Remove),
            Change::Expire => (Invalidation::Expire, Owed::Expire),
        };
        let (keys, shard) = ([target.key.bytes()], target.shard.index());
        match remote
            .call(&self.instance, remote.store().invalidate(shard, &keys, how))
            .await
        {
            Ok(_version) => {
                self.recovery.settle(target.key.bytes());
                Ok(())
            }
            Err(error) => Err(self.owe(scope, target.key.bytes(), owed, error, target.region.name)),
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
        self.tags.suspend(names);
        self.recovery.owe_names(names);
        let outcome = match remote
            .call(&self.instance, remote.store().advance(names))
            .await
        {
            Ok(generation) => {
                self.recovery.settle_names(names);
                self.tags.advanced(names, generation);
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
    fn owe(
        &self,
        scope: Option<&Scope>,
        key: &[u8],
        owed: Owed,
        error: StoreError,
        region: &'static str,
    ) -> Error {
        self.count(scope, Counter::RemoteErrors, 1);
        if !self.recovery.owe(key, owed) {
            tracing::warn!("too many changes wait for the remote cache: all of it will be cleared");
            self.tags.suspend(&[ALL]);
            self.recovery.owe_names(&[ALL]);
        }
        Error::remote(region, error)
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
