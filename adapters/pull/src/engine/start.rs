//! What comes before the first poll.

use std::sync::Arc;

use faas_sdk_core::{Error, ErrorKind, Result, report};
use tokio::time::{sleep, timeout};

use super::codec::{Codec, Delivery, refusal};
use super::delivery;
use super::profile::Profile;
use super::shared::Shared;
use crate::{Connection, ConnectionOptions};

/// How often the request before the first poll is sent before serving is given up.
const READY_ATTEMPTS: u32 = 6;

impl<C: Codec> Shared<C> {
    /// Runs the init hooks, whose failure is reported, and says that the function is ready.
    pub(super) async fn start(&self) -> Result<()> {
        let init = self.hooks.init();
        let done = match self.profile.init {
            None => init.await,
            Some(limit) => timeout(limit, init).await.unwrap_or_else(|_| {
                let message = format!("the init hooks took longer than {limit:?}");
                Err(Error::new(ErrorKind::Timeout, message))
            }),
        };
        if let Err(error) = done {
            report(&error, None, "the function could not be initialised");
            report_init_error(&self.codec, &self.profile, &error).await;
            return Err(error);
        }
        self.say_ready().await
    }

    async fn say_ready(&self) -> Result<()> {
        let mut out = Vec::new();
        if !self.codec.ready(&mut out) {
            return Ok(());
        }
        let mut connection = self.connection();
        for attempt in 1.. {
            let error = match connection.post(&out, b"", self.profile.post_timeout).await {
                Ok(answer) if self.codec.delivered(answer.head.status()) == Delivery::Accepted => {
                    break;
                }
                Ok(answer) => refusal("the ready request", answer.head, &answer.body),
                Err(error) => {
                    let message = "the platform could not be told that the function is ready";
                    Error::new(ErrorKind::Unavailable, message).with_source(error)
                }
            };
            report(&error, None, "not ready");
            if attempt == READY_ATTEMPTS {
                return Err(error);
            }
            sleep(self.profile.backoff.pause(attempt)).await;
        }
        Ok(())
    }
}

/// Tells the platform, if it wants to know, that the function cannot be served.
pub(super) async fn report_init_error<C: Codec>(codec: &C, profile: &Profile, error: &Error) {
    let mut out = Vec::new();
    if !codec.init_error(error, &mut out) {
        return;
    }
    let mut connection =
        Connection::new(Arc::clone(codec.endpoint()), ConnectionOptions::default());
    let answer = connection.post(&out, b"", profile.post_timeout).await;
    delivery::conclude(codec, "init", answer);
}
