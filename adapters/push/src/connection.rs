use crate::activity::{Activity, Phase};
use crate::service::Endpoint;
use crate::shared::{Course, Shared};
use crate::wire::Wire;
use crate::{Codec, Limits};
use faas_sdk_scope::CancelReason;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Serves one connection until its client, a fault, a timeout or the end of the server ends it.
pub(crate) async fn serve<C: Codec>(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared<C>>) {
    let limits = shared.profile.limits.clone();
    let (wire, activity) = Wire::new(stream, limits.write_stall);
    #[cfg(feature = "h2c")]
    let wire = {
        let mut wire = wire;
        let mut course = shared.course.subscribe();
        let protocol = tokio::select! {
            biased;
            protocol = tokio::time::timeout(limits.head_read, crate::http2::detect(&mut wire)) => {
                protocol
            }
            _ = course.wait_for(|course| *course > Course::Serving) => return,
        };
        match protocol {
            Ok(Ok(crate::http2::Protocol::Http1)) => wire,
            Ok(Ok(crate::http2::Protocol::Http2)) => {
                return crate::http2::serve(wire, activity, peer, shared).await;
            }
            Ok(Err(_)) => return,
            Err(_elapsed) => return time_out(wire, limits.write_stall).await,
        }
    };
    let endpoint = Endpoint::new(Arc::clone(&shared), Arc::clone(&activity), peer);
    let mut connection = builder(&limits).serve_connection(TokioIo::new(wire), endpoint);
    let end = run(Pin::new(&mut connection), &activity, &shared).await;
    let wire = connection.into_parts().io.into_inner();
    match end {
        End::Closed(Err(error)) if error.is_user() && activity.is_close_delimited() => {
            // Closed in order, a broken answer would look like a whole one.
            wire.reset();
        }
        End::Closed(result) => {
            let refused = match result {
                Ok(()) => false,
                Err(error) => {
                    tracing::debug!(%peer, %error, "the connection failed");
                    error.is_parse()
                }
            };
            if refused || activity.is_unread() {
                linger(wire, limits.linger, &shared).await;
            }
        }
        End::SlowHead => {
            tracing::debug!(%peer, "the request head took too long");
            if !wire.is_stalled() {
                time_out(wire, limits.write_stall).await;
            }
        }
        End::Idle => tracing::debug!(%peer, "the connection was idle"),
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    let head = limits.head.max(8 << 10);
    // The timeout of the head is ours: the server's own also counts while a connection is idle.
    builder
        .header_read_timeout(None)
        .max_header_size(head)
        .max_buf_size(head.max(400 << 10));
    if limits.headers != 100 {
        builder.max_headers(limits.headers);
    }
    builder
}

/// Why a connection ended.
pub(crate) enum End {
    Closed(hyper::Result<()>),
    SlowHead,
    Idle,
}

/// A connection of either version of the protocol.
pub(crate) trait Graceful: Future<Output = hyper::Result<()>> {
    /// Ends it with the answers that are under way.
    fn finish(self: Pin<&mut Self>);
}

impl<C: Codec> Graceful for http1::Connection<TokioIo<Wire>, Endpoint<C>> {
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Polls a connection under its timers and follows the course of the server.
pub(crate) async fn run<C: Codec>(
    mut connection: Pin<&mut impl Graceful>,
    activity: &Activity,
    shared: &Shared<C>,
) -> End {
    let limits = &shared.profile.limits;
    let mut course = shared.course.subscribe();
    let mut known = Course::Serving;
    // One timer for everything; it is moved only where it has to fire sooner.
    let mut timer = std::pin::pin!(tokio::time::sleep(limits.head_read));
    let mut watched = activity.phase();
    loop {
        let current = *course.borrow_and_update();
        if current > known {
            known = current;
            connection.as_mut().finish();
            if current == Course::Cancelling {
                activity.cancel(CancelReason::Shutdown);
            }
        }
        let mut changed = std::pin::pin!(course.changed());
        let polled = std::future::poll_fn(|cx| {
            if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                return Poll::Ready(Some(result));
            }
            let phase = activity.phase();
            if matches!(phase, Phase::Head(_)) && phase != watched {
                timer.as_mut().reset(Instant::now() + limits.head_read);
                watched = phase;
            }
            if timer.as_mut().poll(cx).is_ready() || changed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            Poll::Pending
        });
        if let Some(result) = polled.await {
            return End::Closed(result);
        }
        if timer.is_elapsed() {
            let phase = activity.phase();
            match phase {
                Phase::Head(_) if phase == watched => return End::SlowHead,
                Phase::Idle(_) if phase == watched => return End::Idle,
                _ => {}
            }
            watched = phase;
            timer.as_mut().reset(Instant::now() + limits.idle);
        }
    }
}

/// Closes a connection whose client may still be sending, so that it reads the answer first:
/// closed with unread bytes, the socket would take the answer back.
async fn linger<C>(mut wire: Wire, time: Duration, shared: &Shared<C>) {
    let mut course = shared.course.subscribe();
    let drained = async {
        let mut rest = vec![0; 16 << 10];
        if wire.shutdown().await.is_ok() {
            while matches!(wire.read(&mut rest).await, Ok(1..)) {}
        }
    };
    tokio::select! {
        () = drained => {}
        () = tokio::time::sleep(time) => {}
        _ = course.wait_for(|course| *course == Course::Cancelling) => {}
    }
}

/// Answers a request whose head did not come in time.
async fn time_out(mut wire: Wire, time: Duration) {
    let answer = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    // Whoever does not take it has not waited for it.
    let _ = tokio::time::timeout(time, async {
        wire.write_all(answer).await?;
        wire.shutdown().await
    })
    .await;
}
