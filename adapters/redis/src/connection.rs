use crate::cluster::Redirecting;
use crate::retry::Retry;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::cluster_async::ClusterConnection;
use deadpool_redis::redis::{Cmd, Pipeline, RedisResult, Value};

/// What requests are sent over. Clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    pub(crate) async fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            // Without the boxed future of `query_async`.
            Self::Node(node) => node.send_packed_command(command).await?.extract_error(),
            Self::Cluster(cluster) => {
                let mut redirecting = Redirecting::new(cluster, true);
                Box::pin(command.query_async(&mut redirecting)).await
            }
        }
    }

    pub(crate) async fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        retry: Retry,
    ) -> RedisResult<Vec<Value>> {
        match self {
            Self::Node(node) => pipeline.query_async(node).await,
            Self::Cluster(cluster) => {
                // Of several commands some may have been done when one is redirected.
                let again = retry == Retry::Once || pipeline.cmd_iter().count() < 2;
                let mut redirecting = Redirecting::new(cluster, again);
                Box::pin(pipeline.query_async(&mut redirecting)).await
            }
        }
    }
}
