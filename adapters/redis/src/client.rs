use crate::backoff::Failures;
use crate::config::RedisConfig;
use crate::dedicated::Dedicated;
use crate::error::Error;
use crate::exchange::exchange;
use crate::pools::{Pools, Sizes};
use crate::request::{Batch, Request};
use crate::retry::Retry;
use crate::script::Script;
use crate::server::Server;
use crate::slot::{Shared, Slot};
use crate::status::Status;
use crate::thaw::Thaw;
use crate::validate;
use deadpool_redis::redis::{Cmd, Pipeline, Value};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// Far enough for a wait that its caller does not want to bound.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Connections to Redis or Valkey. Cheap to clone; clones share everything.
///
/// Nothing is connected before the first command, which has to run on a Tokio runtime with timers and
/// I/O. In all methods `within` bounds the whole call, connecting and a repetition included. Within
/// that, connecting may take `connect_timeout`, and each wait for a reply `command_timeout`. All are
/// cancel-safe: a dropped call may have been done or not, and harms no other one.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    slots: Box<[Arc<Slot>]>,
    next: AtomicUsize,
}

impl Redis {
    pub(crate) fn assemble(config: RedisConfig, thaw: Thaw) -> Result<Self, Error> {
        validate::check(&config)?;
        let (server, target) = Server::new(&config)?;
        let sizes = Sizes {
            links: config.links,
            dedicated: config.pool_size,
            connect: config.connect_timeout,
            command: config.command_timeout,
        };
        let shared = Shared {
            pools: Pools::new(server, target, sizes),
            failures: Failures::new(config.backoff, config.backoff_limit),
            thaw,
        };
        Ok(Self(Arc::new(Inner {
            shared: Arc::new(shared),
            slots: (0..config.links).map(|_| Arc::default()).collect(),
            next: AtomicUsize::new(0),
        })))
    }

    /// Sends a command and waits for its reply.
    ///
    /// # Errors
    ///
    /// If it is refused, is not answered in time, or cannot be sent; see [`ErrorKind`](crate::ErrorKind).
    /// With [`Retry::Never`] that may be because the server has closed an idle connection, which is
    /// noticed only when it is used.
    pub async fn query(
        &self,
        command: &Cmd,
        retry: Retry,
        within: Duration,
    ) -> Result<Value, Error> {
        self.run(command, retry, within).await
    }

    /// Sends several commands at once and waits for their replies, without those of commands marked
    /// with `ignore`. On a cluster all their keys have to be in one slot.
    ///
    /// # Errors
    ///
    /// Those of [`Redis::query`], and if any of the commands is refused.
    pub async fn pipeline(
        &self,
        pipeline: &Pipeline,
        retry: Retry,
        within: Duration,
    ) -> Result<Vec<Value>, Error> {
        self.run(&Batch { pipeline, retry }, retry, within).await
    }

    /// Runs a script by its digest, and with its code if the server does not know it. On a cluster all
    /// keys have to be in one slot.
    ///
    /// # Errors
    ///
    /// Those of [`Redis::query`].
    pub async fn script<K: AsRef<[u8]>, A: AsRef<[u8]>>(
        &self,
        script: &Script,
        keys: &[K],
        args: &[A],
        retry: Retry,
        within: Duration,
    ) -> Result<Value, Error> {
        let started = Instant::now();
        let command = script.by_hash(keys, args);
        match self.run(&command, retry, within).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                let left = within.saturating_sub(started.elapsed());
                let command = script.by_code(keys, args);
                Box::pin(self.run(&command, retry, left)).await
            }
            result => result,
        }
    }

    /// A connection for one user alone, for commands that block. Waits for one of the
    /// [`pool_size`](RedisConfig::pool_size) if all are in use. `within` bounds that alone, and
    /// `command_timeout` does not. Cancel-safe.
    ///
    /// # Errors
    ///
    /// If it cannot be had in time, or made.
    pub async fn dedicated(&self, within: Duration) -> Result<Dedicated, Error> {
        Dedicated::open(&self.0.shared, within).await
    }

    /// Whether it is a cluster, by its settings.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.0.shared.pools.is_cluster()
    }

    /// What has happened to its connections.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.shared.pools.counters.status()
    }

    async fn run<R: Request>(
        &self,
        request: &R,
        retry: Retry,
        within: Duration,
    ) -> Result<R::Reply, Error> {
        let within = within.min(FAR);
        exchange(&self.0.shared, self.slot(), request, retry, within).await
    }

    fn slot(&self) -> &Arc<Slot> {
        let slots = &self.0.slots;
        let next = match slots.len() {
            1 => 0,
            links => self.0.next.fetch_add(1, Relaxed) % links,
        };
        &slots[next]
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("server", &self.0.shared.pools.target)
            .field("cluster", &self.is_cluster())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
