use super::scripts::Call;
use crate::store::StoreError;
use faas_sdk_redis::redis::{Cmd, Pipeline, Value};
use faas_sdk_redis::{Error, Redis, Retry, Script};
use std::time::Duration;

/// Sends commands, each within a time.
#[derive(Clone, Debug)]
pub(super) struct Link {
    redis: Redis,
    pub(super) timeout: Duration,
}

impl Link {
    pub(super) fn new(redis: Redis, timeout: Duration) -> Self {
        Self { redis, timeout }
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.redis.is_cluster()
    }

    /// A command that reads. `None`: its key holds a value of a type that it is not for.
    pub(super) async fn query(&self, command: &Cmd) -> Result<Option<Value>, StoreError> {
        match self.redis.query(command, Retry::Once, self.timeout).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code() == Some("WRONGTYPE") => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Commands that read, in their order.
    pub(super) async fn pipeline(
        &self,
        pipeline: &Pipeline,
    ) -> Result<std::vec::IntoIter<Value>, StoreError> {
        let values = self
            .redis
            .pipeline(pipeline, Retry::Once, self.timeout)
            .await;
        Ok(values.map_err(failed)?.into_iter())
    }

    pub(super) async fn script(
        &self,
        script: &Script,
        call: Call<'_>,
        retry: Retry,
    ) -> Result<Value, StoreError> {
        let args: Vec<&[u8]> = call.args.iter().map(|arg| &**arg).collect();
        let value = self
            .redis
            .script(script, &call.keys, &args, retry, self.timeout)
            .await;
        value.map_err(failed)
    }
}

fn failed(error: Error) -> StoreError {
    StoreError::Refused(Box::new(error))
}
