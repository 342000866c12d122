use crate::engine::{Change, Shared};
use crate::error::Error;
use crate::get::Get;
use crate::get_many::GetMany;
use crate::handle::Handle;
use crate::key::Key;
use crate::region::Region;
use crate::set::Set;
use crate::stats::CacheStats;
use crate::write::{Clear, Invalidate, RemoveByTags};
use faas_sdk_scope::Scope;
use std::fmt;
use std::sync::Arc;

/// A cache. Cheap to clone; all clones share what is stored.
#[derive(Clone)]
pub struct Cache(Handle);

impl Cache {
    /// A handle that counts for an invocation, and whose loads belong to it: they are awaited before the
    /// reply where nothing may outlive it.
    #[must_use]
    pub fn bind(&self, scope: &Scope) -> Self {
        Self(Handle {
            shared: Arc::clone(&self.0.shared),
            scope: Some(scope.clone()),
        })
    }

    /// Starts to get a value. Await it to look at both levels, or give it a loader:
    /// [`or_load`](Get::or_load).
    pub fn get<'a, V, K: Key + ?Sized>(
        &'a self,
        region: &'a Region<V>,
        key: &'a K,
    ) -> Get<'a, V, K> {
        Get::new(&self.0, region, key)
    }

    /// Starts to get several values: one read of the remote level for each of its shards, one call of
    /// the loader.
    pub fn get_many<'a, V, K: Key>(
        &'a self,
        region: &'a Region<V>,
        keys: Vec<K>,
    ) -> GetMany<'a, V, K> {
        GetMany::new(&self.0, region, keys)
    }

    /// Starts to store a value at both levels. Other instances that have the key see the new value
    /// within the bound.
    pub fn set<'a, V, K: Key + ?Sized>(
        &'a self,
        region: &'a Region<V>,
        key: &'a K,
        value: V,
    ) -> Set<'a, V, K> {
        Set::new(&self.0, region, key, value)
    }

    /// Removes a key at both levels, and voids loads of it that are under way anywhere.
    pub fn remove<'a, V, K: Key + ?Sized>(
        &'a self,
        region: &'a Region<V>,
        key: &'a K,
    ) -> Invalidate<'a, V, K> {
        Invalidate::new(&self.0, region, key, Change::Remove)
    }

    /// Expires a key at both levels: it will be loaded anew, and the old value may stand in if that
    /// fails.
    pub fn expire<'a, V, K: Key + ?Sized>(
        &'a self,
        region: &'a Region<V>,
        key: &'a K,
    ) -> Invalidate<'a, V, K> {
        Invalidate::new(&self.0, region, key, Change::Expire)
    }

    /// Whether either level has a fresh value. The value is read as [`Cache::get`] does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::KeyTooLong`](crate::ErrorKind::KeyTooLong).
    pub async fn contains<V, K>(&self, region: &Region<V>, key: &K) -> Result<bool, Error>
    where
        V: Send + Sync + 'static,
        K: Key + Sync + ?Sized,
    {
        Ok(self.get(region, key).await?.is_some())
    }

    /// Removes all entries that have the tag, everywhere. One write, whatever the number of entries.
    pub fn remove_by_tag<'a>(&'a self, tag: &'a str) -> RemoveByTags<'a> {
        RemoveByTags::new(&self.0, vec![tag])
    }

    /// Removes all entries of a region, everywhere. One write, whatever the number of entries.
    pub fn clear<'a, V>(&'a self, region: &Region<V>) -> Clear<'a> {
        Clear::new(&self.0, Some(region.name))
    }

    /// Removes all entries of all regions, everywhere.
    pub fn clear_all(&self) -> Clear<'_> {
        Clear::new(&self.0, None)
    }

    /// Repeats what the remote level did not take while it was down: invalidations and values. That
    /// happens by itself with the next reads; call it before the process may freeze. Says whether
    /// nothing is left.
    pub async fn flush(&self) -> bool {
        self.0.shared.replay().await
    }

    /// What has been counted since the cache was made.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        self.0.shared.stats.snapshot()
    }

    /// How many entries this process holds, and their weight in bytes, roughly: the storage counts with
    /// some delay.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        self.0.shared.table.size()
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self(Handle {
            shared,
            scope: None,
        })
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("table", &self.0.shared.table)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
