use crate::error::Error;
use crate::fault;
use crate::opener::Opener;
use crate::server::Server;
use crate::status::Counters;
use deadpool::Runtime;
use deadpool::managed::{Object, Pool, PoolError, Timeouts};
use deadpool_redis::redis::RedisError;
use faas_sdk_scope::Epoch;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The pools of the present epoch: what one from before a freeze still has in store is of no use.
pub(crate) struct Pools {
    server: Arc<Server>,
    /// How messages call the server.
    pub(crate) target: String,
    pub(crate) counters: Arc<Counters>,
    pub(crate) sizes: Sizes,
    current: Mutex<Option<Arc<Pair>>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) links: usize,
    pub(crate) dedicated: usize,
    pub(crate) connect: Duration,
    pub(crate) command: Duration,
}

/// The pools of one epoch.
pub(crate) struct Pair {
    pub(crate) epoch: Epoch,
    /// Links are taken out for good. They come from a pool of their own so that they are always new
    /// and never wait for a dedicated connection.
    pub(crate) links: Pool<Opener>,
    pub(crate) dedicated: Pool<Opener>,
}

impl Pools {
    pub(crate) fn new(server: Server, target: String, sizes: Sizes) -> Self {
        Self {
            server: Arc::new(server),
            target,
            counters: Arc::default(),
            sizes,
            current: Mutex::new(None),
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(&*self.server, Server::Cluster(_))
    }

    pub(crate) fn of(&self, epoch: Epoch) -> Result<Arc<Pair>, Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = &*current
            && pair.epoch >= epoch
        {
            return Ok(Arc::clone(pair));
        }
        let pair = Arc::new(Pair {
            epoch,
            links: self.pool(
                self.sizes.links,
                Some(self.sizes.command.max(self.sizes.connect)),
            )?,
            dedicated: self.pool(self.sizes.dedicated, None)?,
        });
        if let Some(old) = current.replace(Arc::clone(&pair)) {
            // Who waits there comes back for the new one.
            old.dedicated.close();
        }
        Ok(pair)
    }

    fn pool(&self, size: usize, response: Option<Duration>) -> Result<Pool<Opener>, Error> {
        let opener = Opener::new(&self.server, &self.counters, response)
            .map_err(|error| fault::connecting(&self.target, error))?;
        Pool::builder(opener)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: None,
                create: Some(self.sizes.connect),
                recycle: Some(self.sizes.command),
            })
            .build()
            .map_err(|error| Error::config(format!("`pool_size` cannot be used: {error}")))
    }

    /// What it means that a pool gave none.
    pub(crate) fn failed(&self, error: PoolError<RedisError>) -> Error {
        match error {
            PoolError::Backend(error) => fault::connecting(&self.target, error),
            _ => fault::not_connected(&self.target, self.sizes.connect),
        }
    }
}

/// A connection of a pool.
pub(crate) type Pooled = Object<Opener>;
