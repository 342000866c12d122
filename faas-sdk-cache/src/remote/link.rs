use crate::breaker::Breaker;
use crate::store::{CacheStore, Guarantees, StoreError};
use faas_sdk_scope::Instance;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A store, with a time limit and a circuit breaker around every call.
#[derive(Debug)]
pub(crate) struct Remote {
    store: Arc<dyn CacheStore>,
    guarantees: Guarantees,
    breaker: Breaker,
    timeout: Duration,
    /// Whether the last call succeeded: the log tells when that changes, not each time.
    healthy: AtomicBool,
}

/// The remote level did not answer, or was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Down;

/// Why a call was not made or not answered.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("the circuit breaker is open")]
    Open,
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}

impl Remote {
    pub(crate) fn new(store: Arc<dyn CacheStore>, breaker: Breaker, timeout: Duration) -> Self {
        let guarantees = store.guarantees();
        Self {
            store,
            guarantees,
            breaker,
            timeout,
            healthy: AtomicBool::new(true),
        }
    }

    pub(crate) fn store(&self) -> &dyn CacheStore {
        &*self.store
    }

    pub(crate) fn guarantees(&self) -> Guarantees {
        self.guarantees
    }

    /// Makes a call of the store, unless the circuit is open. Cancel-safe.
    pub(crate) async fn call<T>(
        &self,
        instance: &Instance,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let Some(permit) = self.breaker.admit(&instance.now()) else {
            return Err(StoreError::Unavailable(Box::new(NoAnswer::Open)));
        };
        let result = match tokio::time::timeout(self.timeout, call).await {
            Ok(result) => result,
            Err(_elapsed) => Err(StoreError::Unavailable(Box::new(NoAnswer::Timeout(
                self.timeout,
            )))),
        };
        match &result {
            Ok(_) => {
                permit.success();
                if !self.healthy.swap(true, Ordering::Relaxed) {
                    tracing::info!("the remote cache answers again");
                }
            }
            Err(error) => {
                // A server that refuses one thing, for want of memory or permission, does others.
                if let StoreError::Unavailable(_) = error {
                    permit.failure(&instance.now());
                } else {
                    permit.success();
                }
                if self.healthy.swap(false, Ordering::Relaxed) {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "the remote cache failed: this process serves what it has and loads the rest"
                    );
                }
            }
        }
        result
    }
}
