use super::clock::ServerClock;
use super::reply::{array, number};
use super::scripts::Call;
use crate::store::StoreError;
use faas_sdk_redis::redis::{Cmd, Pipeline, Value};
use faas_sdk_redis::{Error, ErrorKind, Redis, Retry, Script};
use faas_sdk_scope::{Clock as _, SystemClock};
use std::time::Duration;

/// What is answered by a server that is busy with a script, and by a cluster whose slots move for longer
/// than a command waits.
const LATER: [&str; 3] = ["BUSY", "MOVED", "ASK"];

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
        call: &Call<'_>,
        retry: Retry,
    ) -> Result<Value, StoreError> {
        let value = self
            .redis
            .script(script, &call.keys, &call.args, retry, self.timeout)
            .await;
        value.map_err(failed)
    }

    /// A script with a deadline, which must do nothing once its caller has given up; what it answers
    /// after the time.
    ///
    /// It is not sent again either: of two, the first one might come last.
    pub(super) async fn script_in_time(
        &self,
        script: &Script,
        call: Call<'_>,
        clock: &ServerClock,
    ) -> Result<Vec<Value>, StoreError> {
        let mut call = call;
        for _attempt in 0..2 {
            call.set_deadline(clock.after(&SystemClock.now(), self.timeout));
            let mut answer = array(self.script(script, &call, Retry::Never).await?)?;
            let time = answer.first().map(number).transpose()?;
            clock.told(
                SystemClock.now(),
                time.ok_or(StoreError::Garbled("no time"))?,
            );
            if answer.len() > 1 {
                answer.remove(0);
                return Ok(answer);
            }
            // Too late, or the clock has been set: now it is known.
        }
        Err(StoreError::Unavailable(
            "the server's clock does not stand still".into(),
        ))
    }
}

fn failed(error: Error) -> StoreError {
    match error.kind() {
        ErrorKind::Protocol => StoreError::Garbled("no reply of Redis"),
        ErrorKind::Unavailable => StoreError::Unavailable(Box::new(error)),
        ErrorKind::Refused if error.code().is_some_and(|code| LATER.contains(&code)) => {
            StoreError::Unavailable(Box::new(error))
        }
        _ => StoreError::Refused(Box::new(error)),
    }
}
