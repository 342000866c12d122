use crate::Codec;
use crate::activity::Activity;
use crate::connection::{self, End, Graceful};
use crate::service::Endpoint;
use crate::shared::Shared;
use crate::wire::Wire;
use bytes::BytesMut;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::AsyncReadExt;

/// What an HTTP/2 client that knows beforehand begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Finds out what the client speaks and leaves the bytes where they were.
pub(crate) async fn detect(wire: &mut Wire) -> io::Result<Protocol> {
    let mut read = BytesMut::with_capacity(PREFACE.len());
    let mut piece = [0; PREFACE.len()];
    let protocol = loop {
        let wanted = PREFACE.len() - read.len();
        if wanted == 0 {
            break Protocol::Http2;
        }
        let got = wire.read(&mut piece[..wanted]).await?;
        read.extend_from_slice(&piece[..got]);
        if got == 0 || !PREFACE.starts_with(&read) {
            break Protocol::Http1;
        }
    };
    wire.unread(read.freeze());
    Ok(protocol)
}

/// Serves a connection that begins with the preface.
pub(crate) async fn serve<C: Codec>(
    wire: Wire,
    activity: Arc<Activity>,
    peer: SocketAddr,
    shared: Arc<Shared<C>>,
) {
    activity.multiplex();
    let limits = &shared.profile.limits;
    let endpoint = Endpoint::new(Arc::clone(&shared), Arc::clone(&activity), peer);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let head = u32::try_from(limits.head).unwrap_or(u32::MAX);
    builder.timer(TokioTimer::new()).max_header_list_size(head);
    let connection = std::pin::pin!(builder.serve_connection(TokioIo::new(wire), endpoint));
    if let End::Closed(Err(error)) = connection::run(connection, &activity, &shared).await {
        tracing::debug!(%peer, %error, "the connection failed");
    }
}

impl<C: Codec> Graceful for http2::Connection<TokioIo<Wire>, Endpoint<C>, TokioExecutor> {
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
