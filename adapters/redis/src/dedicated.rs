use crate::error::{Error, ErrorKind};
use crate::fault;
use crate::pools::Pooled;
use crate::request::{Batch, Request};
use crate::retry::Retry;
use crate::slot::Shared;
use deadpool::managed::{Object, PoolError};
use deadpool_redis::redis::{Cmd, Pipeline, Value};
use faas_sdk_scope::Epoch;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// A connection for one user alone. When dropped it goes back to the pool, unless a request on it was
/// not answered or the process was frozen meanwhile: then it is closed.
///
/// State of the connection, such as a `SELECT`, has to be put back by who changes it.
pub struct Dedicated {
    pooled: Option<Pooled>,
    shared: Arc<Shared>,
    epoch: Epoch,
    /// A request was not answered yet.
    open: bool,
}

impl Dedicated {
    pub(crate) async fn open(shared: &Arc<Shared>, within: Duration) -> Result<Self, Error> {
        let pools = &shared.pools;
        let started = Instant::now();
        loop {
            let epoch = shared.thaw.epoch();
            shared.failures.check(epoch)?;
            let pair = pools.of(epoch)?;
            let left = within.saturating_sub(started.elapsed());
            match timeout(left, pair.dedicated.get()).await {
                Ok(Ok(pooled)) if pair.epoch >= shared.thaw.epoch() => {
                    shared.failures.succeeded();
                    return Ok(Self {
                        pooled: Some(pooled),
                        shared: Arc::clone(shared),
                        epoch: pair.epoch,
                        open: false,
                    });
                }
                // The process was frozen meanwhile.
                Ok(Ok(pooled)) => drop(Object::take(pooled)),
                Ok(Err(PoolError::Closed)) => {}
                Ok(Err(error)) => {
                    let error = pools.failed(error);
                    shared.failures.failed(pair.epoch, &error);
                    pools.counters.failed();
                    return Err(error);
                }
                Err(_) => {
                    let text = format!(
                        "no dedicated connection to Redis at {} within {} ms; `pool_size` is {}",
                        pools.target,
                        within.as_millis(),
                        pools.sizes.dedicated
                    );
                    return Err(Error::new(ErrorKind::Unavailable, text));
                }
            }
        }
    }

    /// Sends a command and waits for its reply: `within` should be longer than the command blocks.
    /// If it is dropped before that, the connection can no longer be used.
    ///
    /// # Errors
    ///
    /// If it is refused or not answered in time, or if a former one was not answered or the process
    /// was frozen since the connection was had.
    pub async fn query(&mut self, command: &Cmd, within: Duration) -> Result<Value, Error> {
        self.run(command, within).await
    }

    /// Sends several commands at once, as [`Redis::pipeline`](crate::Redis::pipeline) does.
    ///
    /// # Errors
    ///
    /// Those of [`Dedicated::query`], and if any of the commands is refused.
    pub async fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        within: Duration,
    ) -> Result<Vec<Value>, Error> {
        let retry = Retry::Never;
        self.run(&Batch { pipeline, retry }, within).await
    }

    async fn run<R: Request>(&mut self, request: &R, within: Duration) -> Result<R::Reply, Error> {
        let Some(pooled) = &mut self.pooled else {
            return Err(unusable());
        };
        if self.open || self.epoch < self.shared.thaw.epoch() {
            return Err(unusable());
        }
        self.open = true;
        let result = match Instant::now().checked_add(within) {
            Some(deadline) => timeout_at(deadline, request.send(pooled)).await,
            None => Ok(request.send(pooled).await),
        };
        match result {
            Ok(Ok(reply)) => {
                self.open = false;
                Ok(reply)
            }
            Ok(Err(error)) => {
                self.open = fault::of(&error) != fault::Fault::Answered;
                Err(fault::request(error))
            }
            Err(_) => Err(fault::not_answered(within)),
        }
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        let usable = !self.open && self.epoch >= self.shared.thaw.epoch();
        if let Some(pooled) = self.pooled.take()
            && !usable
        {
            drop(Object::take(pooled));
        }
    }
}

impl fmt::Debug for Dedicated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedicated")
            .field("server", &self.shared.pools.target)
            .field("usable", &!self.open)
            .finish_non_exhaustive()
    }
}

fn unusable() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the dedicated connection is of no use since a request was not answered or a freeze; take another",
    )
}
