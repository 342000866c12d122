use crate::support::{Gate, Unreliable};
use async_trait::async_trait;
use faas_sdk_cache::store::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Holds answers back, by call; may swap its store.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    store: Arc<Mutex<Unreliable>>,
    held: Arc<Mutex<HashMap<&'static str, Gate>>>,
}

impl Late {
    pub(crate) fn over(store: Unreliable) -> Self {
        Self {
            store: Arc::new(Mutex::new(store)),
            held: Arc::default(),
        }
    }

    pub(crate) fn hold(&self, call: &'static str) -> Gate {
        let gate = Gate::new();
        self.held.lock().expect("a lock").insert(call, gate.clone());
        gate
    }

    pub(crate) fn swap(&self, s: Unreliable) {
        *self.store.lock().expect("a lock") = s;
    }

    fn store(&self) -> Unreliable {
        self.store.lock().expect("a lock").clone()
    }

    async fn after(&self, call: &'static str) {
        let gate = self.held.lock().expect("a lock").remove(call);
        if let Some(gate) = gate {
            gate.pass().await;
        }
    }
}

#[async_trait]
impl CacheStore for Late {
    fn guarantees(&self) -> Guarantees {
        Guarantees::FULL
    }

    async fn read(&self, read: Read<'_>) -> Result<ReadAnswer, StoreError> {
        let answer = self.store().read(read).await;
        self.after("read").await;
        answer
    }

    async fn lease(&self, shard: u16, r: &[LeaseRequest<'_>]) -> Result<Vec<Lease>, StoreError> {
        let answer = self.store().lease(shard, r).await;
        self.after("lease").await;
        answer
    }

    async fn fill(&self, shard: u16, f: &[Fill<'_>]) -> Result<Vec<Option<Version>>, StoreError> {
        let answer = self.store().fill(shard, f).await;
        self.after("fill").await;
        answer
    }

    async fn release(&self, shard: u16, l: &[(&[u8], Token)]) -> Result<(), StoreError> {
        self.store().release(shard, l).await
    }

    async fn write(&self, shard: u16, w: &[Write<'_>]) -> Result<Vec<Option<Version>>, StoreError> {
        let answer = self.store().write(shard, w).await;
        self.after("write").await;
        answer
    }

    async fn invalidate(
        &self,
        shard: u16,
        k: &[&[u8]],
        how: Invalidation,
    ) -> Result<Version, StoreError> {
        let answer = self.store().invalidate(shard, k, how).await;
        self.after("invalidate").await;
        answer
    }

    async fn advance(&self, names: &[&str]) -> Result<Version, StoreError> {
        let answer = self.store().advance(names).await;
        self.after("advance").await;
        answer
    }
}
