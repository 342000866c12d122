//! A reply that is sent while it comes to be.

use std::time::Duration;

use bytes::Bytes;
use faas_sdk_core::{Body, Error, Result};
use faas_sdk_scope::Scope;
use tokio::time::timeout;

use super::codec::{Codec, Delivery, Report};
use super::delivery;
use super::shared::Shared;
use super::slot::{Line, Slot, until_cancelled};
use crate::{Answer, ClientError, Progress};

/// How long a prelude is held back for the first piece. An error until then fails the invocation
/// as a whole, which says more than a stream that breaks.
const FIRST_PIECE: Duration = Duration::from_millis(100);

/// How a stream ended.
enum End {
    Finished,
    Failed(Error),
    /// The platform answered before the end.
    Answered,
    Lost(ClientError),
}

impl<C: Codec> Slot<C> {
    /// Sends the head in `line.out`, then `prelude` and the pieces of `body`.
    pub(super) async fn stream(
        &self,
        line: &mut Line,
        call: &C::Call,
        scope: &Scope,
        prelude: Bytes,
        mut body: Body,
    ) {
        let Shared { codec, profile, .. } = &*self.shared;
        let mut first = if prelude.is_empty() {
            Some(self.piece(scope, &mut body).await)
        } else {
            timeout(FIRST_PIECE, self.piece(scope, &mut body))
                .await
                .ok()
        };
        if let Some(Err(error)) = first {
            drop(body);
            match self.encode(call, Err(error), &mut line.out) {
                Some(Report::Whole) => self.post(line, call, b"").await,
                Some(Report::Bytes(whole)) => self.post(line, call, &whole).await,
                Some(Report::Stream { .. }) => {
                    tracing::error!(request_id = codec.id(call), "an error cannot be streamed");
                }
                None => {}
            }
            return;
        }
        let mut upload = line.connection.upload(&line.out, profile.post_timeout);
        let mut sent = upload.send(&prelude).await;
        let end = loop {
            match sent {
                Ok(Progress::Taken) => {}
                Ok(Progress::Answered) => break End::Answered,
                Err(error) => break End::Lost(error),
            }
            let piece = match first.take() {
                Some(piece) => piece,
                None => tokio::select! {
                    biased;
                    () = upload.answered() => break End::Answered,
                    piece = self.piece(scope, &mut body) => piece,
                },
            };
            sent = match piece {
                Ok(Some(data)) => upload.send(&data).await,
                Ok(None) => break End::Finished,
                Err(error) => break End::Failed(error),
            };
        };
        // Nobody reads the rest, if there is one.
        drop(body);
        let answer = match end {
            End::Finished => upload.finish(&[]).await,
            End::Failed(error) => match codec.trailers(&error) {
                Some(trailers) => {
                    let trailers: Vec<_> = trailers
                        .iter()
                        .map(|(name, value)| (*name, &**value))
                        .collect();
                    upload.finish(&trailers).await
                }
                None => {
                    tracing::warn!(request_id = codec.id(call), "the stream is broken off");
                    return;
                }
            },
            End::Answered => upload
                .answer()
                .await
                .inspect(|answer| self.warn_early(call, answer)),
            End::Lost(error) => Err(error),
        };
        delivery::conclude(codec, codec.id(call), answer);
    }

    async fn piece(&self, scope: &Scope, body: &mut Body) -> Result<Option<Bytes>> {
        until_cancelled(&self.shared.cancel, scope, body.next_data()).await
    }

    fn warn_early(&self, call: &C::Call, answer: &Answer<'_>) {
        let (codec, status) = (&self.shared.codec, answer.head.status());
        if codec.delivered(status) == Delivery::Accepted {
            let request_id = codec.id(call);
            tracing::warn!(
                request_id,
                status,
                "the platform answered before the end of the stream"
            );
        }
    }
}
