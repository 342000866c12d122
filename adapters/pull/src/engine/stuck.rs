//! The answer for a handler that never yields.

use std::time::Duration;

use faas_sdk_core::{Error, ErrorKind, Stuck};

use super::codec::{Codec, Delivery, Report};
use super::slot::Slot;
use crate::client::post_blocking;

impl<C: Codec> Stuck for Slot<C> {
    fn answer(&self, id: &str, within: Duration) {
        let codec = &self.shared.codec;
        let call = self.current().take_if(|call| codec.id(call) == id);
        // Without it, the answer is on its way already.
        let Some(call) = call else { return };
        let error = Error::new(
            ErrorKind::Timeout,
            "the handler did not yield until its deadline",
        );
        let mut out = Vec::new();
        match self.encode(&call, Err(error), &mut out) {
            Some(Report::Whole) => {}
            Some(Report::Bytes(body)) => out.extend_from_slice(&body),
            Some(Report::Stream { .. }) | None => return,
        }
        match post_blocking(codec.endpoint(), &out, within) {
            Ok(status) if codec.delivered(status) == Delivery::Accepted => {}
            Ok(status) => {
                tracing::error!(request_id = id, status, "the platform refused the report");
            }
            Err(error) => {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(
                    request_id = id,
                    error,
                    "the report did not reach the platform"
                );
            }
        }
    }

    fn stop(&self) {
        self.shared.quit.request();
    }
}
