use crate::connection::Connection;
use crate::retry::Retry;
use deadpool_redis::redis::{Cmd, Pipeline, RedisResult, Value};

/// Something to send, and its reply.
pub(crate) trait Request: Sync {
    type Reply: Send;

    fn send(
        &self,
        connection: &mut Connection,
    ) -> impl Future<Output = RedisResult<Self::Reply>> + Send;
}

impl Request for Cmd {
    type Reply = Value;

    async fn send(&self, connection: &mut Connection) -> RedisResult<Value> {
        connection.query(self).await
    }
}

/// Commands that are sent together.
pub(crate) struct Batch<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) retry: Retry,
}

impl Request for Batch<'_> {
    type Reply = Vec<Value>;

    async fn send(&self, connection: &mut Connection) -> RedisResult<Vec<Value>> {
        connection.pipeline(self.pipeline, self.retry).await
    }
}
