use crate::connection::Connection;
use crate::node::no_timeouts;
use crate::server::Server;
use crate::status::Counters;
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_redis::redis::cluster::ClusterConfig;
use deadpool_redis::redis::{RedisError, RedisResult, Value, cmd};
use std::sync::Arc;
use std::time::Duration;

/// Makes the connections of a pool.
///
/// It is not deadpool-redis's own, because that connects to clusters so that requests are sent again
/// behind our back, and to clusters and through sentinels with neither own authorities nor own times.
/// A single server is left to it.
pub(crate) struct Opener {
    server: Arc<Server>,
    single: Option<deadpool_redis::Manager>,
    counters: Arc<Counters>,
    /// After how long the node of a cluster is taken for dead.
    response: Option<Duration>,
}

impl Opener {
    pub(crate) fn new(
        server: &Arc<Server>,
        counters: &Arc<Counters>,
        response: Option<Duration>,
    ) -> RedisResult<Self> {
        let single = match &**server {
            Server::Single(info) => Some(deadpool_redis::Manager::new_with_config(
                info.clone(),
                no_timeouts(),
            )?),
            _ => None,
        };
        Ok(Self {
            server: Arc::clone(server),
            single,
            counters: Arc::clone(counters),
            response,
        })
    }

    async fn open(&self) -> RedisResult<Connection> {
        if let Some(single) = &self.single {
            return Ok(Connection::Node(managed::Manager::create(single).await?));
        }
        match &*self.server {
            Server::Single(_) => Err(std::io::Error::other("no client of a single server").into()),
            Server::Sentinel(sentinels) => Ok(Connection::Node(sentinels.open().await?)),
            Server::Cluster(client) => {
                let mut config = ClusterConfig::new();
                if let Some(response) = self.response {
                    config = config.set_response_timeout(response);
                }
                let cluster = client.get_async_connection_with_config(config).await?;
                Ok(Connection::Cluster(cluster))
            }
        }
    }
}

impl managed::Manager for Opener {
    type Type = Connection;
    type Error = RedisError;

    async fn create(&self) -> Result<Connection, RedisError> {
        let opened = self.open().await?;
        self.counters.opened();
        Ok(opened)
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        metrics: &Metrics,
    ) -> RecycleResult<RedisError> {
        if let (Connection::Node(node), Some(single)) = (&mut *connection, &self.single) {
            return managed::Manager::recycle(single, node, metrics).await;
        }
        match connection.query(&cmd("PING")).await? {
            Value::SimpleString(_) => Ok(()),
            _ => Err(RecycleError::message("no answer to a PING")),
        }
    }
}
