use crate::engine::Shared;
use crate::remote::Owed;
use crate::store::{Invalidation, StoreError};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// How many keys or names one call takes.
const CHUNK: usize = 128;

impl Shared {
    /// Starts to repeat changes that the remote level did not take, if there are any and nobody does so.
    /// Lost work is taken up again by whoever reads next.
    pub(crate) fn replay_soon(self: &Arc<Self>) {
        if self.recovery.is_owing() {
            let shared = Arc::clone(self);
            drop(tokio::spawn(async move { shared.replay().await }));
        }
    }

    /// Repeats changes that the remote level did not take. Says whether none is left. Cancel-safe.
    pub(crate) async fn replay(&self) -> bool {
        let Some(_replaying) = self.recovery.start() else {
            return !self.recovery.is_owing();
        };
        let (keys, names) = self.recovery.owed();
        // One that fails does not keep the other from being tried.
        let names = self.replay_names(&names).await;
        let keys = self.replay_keys(keys).await;
        match names.and(keys) {
            Ok(()) => tracing::info!("changes that the remote cache had missed are repeated"),
            Err(error) => tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the remote cache does not take missed changes yet"
            ),
        }
        !self.recovery.is_owing()
    }

    async fn replay_names(&self, names: &[String]) -> Result<(), StoreError> {
        let Some(remote) = &self.remote else {
            return Ok(());
        };
        for chunk in names.chunks(CHUNK) {
            let names: Vec<&str> = chunk.iter().map(String::as_str).collect();
            let mark = self.recovery.mark();
            let advance = remote.store().advance(&names);
            let generation = remote.call(&self.instance, advance).await?;
            let settled = self.recovery.settle_names(&names, mark);
            self.tags.advanced(&settled, generation);
        }
        Ok(())
    }

    async fn replay_keys(&self, keys: Vec<(Bytes, Owed)>) -> Result<(), StoreError> {
        let Some(remote) = &self.remote else {
            return Ok(());
        };
        let mut calls: HashMap<(u16, Owed), Vec<Bytes>> = HashMap::new();
        for (key, owed) in keys {
            let shard = self.shard(&key).index();
            calls.entry((shard, owed)).or_default().push(key);
        }
        for ((shard, owed), keys) in calls {
            let how = match owed {
                Owed::Remove => Invalidation::Remove,
                Owed::Expire => Invalidation::Expire,
            };
            for chunk in keys.chunks(CHUNK) {
                let keys: Vec<&[u8]> = chunk.iter().map(|key| &key[..]).collect();
                let mark = self.recovery.mark();
                let invalidate = remote.store().invalidate(shard, &keys, how);
                remote.call(&self.instance, invalidate).await?;
                keys.iter().for_each(|key| self.recovery.settle(key, mark));
            }
        }
        Ok(())
    }
}
