use faas_sdk_core::{Error, ErrorKind};
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Opens a listener on `address`.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`], with the address and the system's reason.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!("can't listen on {address}");
        Error::new(ErrorKind::Unavailable, message).with_source(error)
    })
}

/// How long accepting pauses after an error that will not be gone at once, such as too many open
/// files.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts the next connection on any of the listeners. Cancel-safe.
pub(crate) async fn accept(listeners: &[TcpListener]) -> (TcpStream, SocketAddr) {
    loop {
        let accepted = std::future::poll_fn(|cx| {
            for listener in listeners {
                if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        });
        match accepted.await {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "TCP_NODELAY could not be set");
                }
                return (stream, peer);
            }
            // These are of one connection and say nothing about the next.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted just now");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
