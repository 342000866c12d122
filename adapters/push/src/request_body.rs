use crate::activity::Activity;
use bytes::Bytes;
use faas_sdk_core::{Error, ErrorKind};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// The body of a request under the profile's limits.
pub(crate) struct RequestBody {
    incoming: Incoming,
    limit: usize,
    left: usize,
    idle: Duration,
    /// Runs while somebody waits for the next piece.
    waiting: Option<Pin<Box<Sleep>>>,
    ended: bool,
    activity: Arc<Activity>,
}

impl RequestBody {
    pub(crate) fn new(
        incoming: Incoming,
        limit: usize,
        idle: Duration,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            incoming,
            limit,
            left: limit,
            idle,
            waiting: None,
            ended: false,
            activity,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(cx) else {
            let idle = this.idle;
            let waiting = this
                .waiting
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
            ready!(waiting.as_mut().poll(cx));
            this.ended = true;
            this.activity.leave_unread();
            return Poll::Ready(Some(Err(too_slow(idle))));
        };
        this.waiting = None;
        match frame {
            None => {
                this.ended = true;
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                this.ended = true;
                Poll::Ready(Some(Err(broken(error))))
            }
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                let Some(left) = this.left.checked_sub(length) else {
                    this.ended = true;
                    this.activity.leave_unread();
                    return Poll::Ready(Some(Err(too_large(this.limit))));
                };
                this.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.is_end_stream() {
            self.activity.leave_unread();
        }
    }
}

pub(crate) fn too_large(limit: usize) -> Error {
    let message = format!("the request body is larger than {limit} bytes");
    Error::new(ErrorKind::PayloadTooLarge, message)
}

/// The code of an error that is answered with status 408, which no [`ErrorKind`] has.
pub(crate) const REQUEST_TIMEOUT: &str = "request_timeout";

fn too_slow(idle: Duration) -> Error {
    let message = format!("nothing more of the request body came for {idle:?}");
    Error::new(ErrorKind::InvalidInput, message).with_code(REQUEST_TIMEOUT)
}

fn broken(error: hyper::Error) -> Error {
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
    let malformed = cause.is_some_and(|cause: &io::Error| {
        matches!(
            cause.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
        )
    });
    let (kind, message) = if malformed {
        (ErrorKind::InvalidInput, "the request body is malformed")
    } else {
        let message = "the caller went away in the middle of the request body";
        (ErrorKind::Cancelled, message)
    };
    Error::new(kind, message).with_source(error)
}
