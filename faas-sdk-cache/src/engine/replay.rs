use crate::engine::Shared;
use crate::remote::Owed;
use crate::store::{Invalidation, StoreError, Write};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// How many keys one call takes.
const CHUNK: usize = 128;

type Debt = (Bytes, u64, Owed);

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
        let done = self.replay_all(keys, &names).await;
        match done {
            Ok(()) => tracing::info!("changes that the remote cache had missed are repeated"),
            Err(error) => tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the remote cache does not take missed changes yet"
            ),
        }
        !self.recovery.is_owing()
    }

    async fn replay_all(&self, keys: Vec<Debt>, names: &[String]) -> Result<(), StoreError> {
        let Some(remote) = &self.remote else {
            return Ok(());
        };
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let generation = remote
                .call(&self.instance, remote.store().advance(&names))
                .await?;
            self.tags.advanced(&names, generation);
            self.recovery.settle_names(&names);
        }
        let mut by_shard: HashMap<u16, Vec<Debt>> = HashMap::new();
        for debt in keys {
            by_shard
                .entry(self.shard(&debt.0).index())
                .or_default()
                .push(debt);
        }
        for (shard, debts) in by_shard {
            for chunk in debts.chunks(CHUNK) {
                self.replay_chunk(shard, chunk).await?;
            }
        }
        Ok(())
    }

    async fn replay_chunk(&self, shard: u16, debts: &[Debt]) -> Result<(), StoreError> {
        let Some(remote) = &self.remote else {
            return Ok(());
        };
        let of = |wanted: fn(&Owed) -> bool| -> Vec<&[u8]> {
            debts
                .iter()
                .filter(|debt| wanted(&debt.2))
                .map(|debt| &debt.0[..])
                .collect()
        };
        let removed = of(|owed| matches!(owed, Owed::Remove));
        let expired = of(|owed| matches!(owed, Owed::Expire));
        for (keys, how) in [
            (removed, Invalidation::Remove),
            (expired, Invalidation::Expire),
        ] {
            if !keys.is_empty() {
                remote
                    .call(&self.instance, remote.store().invalidate(shard, &keys, how))
                    .await?;
            }
        }
        let writes: Vec<_> = debts.iter().filter_map(as_write).collect();
        if !writes.is_empty() {
            remote
                .call(&self.instance, remote.store().write(shard, &writes))
                .await?;
        }
        for (key, number, _) in debts {
            self.recovery.paid(key, *number);
        }
        Ok(())
    }
}

fn as_write((key, _, owed): &Debt) -> Option<Write<'_>> {
    let Owed::Write {
        envelope,
        physical,
        unless_after,
    } = owed
    else {
        return None;
    };
    Some(Write {
        key,
        envelope: envelope.clone(),
        physical: *physical,
        unless_after: Some(*unless_after),
    })
}
