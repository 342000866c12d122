//! Reading and writing one socket, and the receive buffer that outlives it.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::decode::Decoder;
use super::{ClientError, Endpoint, Head};

/// Size of a fresh receive buffer: an ordinary event and its answer fit.
const FRESH: usize = 8 << 10;
/// Least room for a read.
const ROOM: usize = 2 << 10;
/// A larger buffer is given back after the exchange that needed it.
const KEPT: usize = 64 << 10;

/// Empties the receive buffer and makes room in it. Memory is reused when nothing refers to it any
/// more, which is the rule: then this allocates nothing.
pub(super) fn prepare(buf: &mut BytesMut) {
    buf.clear();
    let reclaimed = buf.try_reclaim(FRESH);
    if buf.capacity() > KEPT || (!reclaimed && buf.capacity() < ROOM) {
        *buf = BytesMut::with_capacity(FRESH);
    }
}

/// Opens a connection to the endpoint.
pub(super) async fn connect(
    endpoint: &Endpoint,
    limit: Duration,
) -> Result<TcpStream, ClientError> {
    let failed = |source| ClientError::Connect {
        authority: endpoint.authority().to_owned(),
        source,
    };
    let stream = timeout(
        limit,
        TcpStream::connect((endpoint.host(), endpoint.port())),
    )
    .await
    .map_err(|_| ClientError::Timeout {
        waited_for: "accept the connection",
        limit,
    })?
    .map_err(failed)?;
    // A request is written whole, so holding back its tail could only delay it.
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

/// Whether an idle connection is as the last exchange left it: open, with nothing to read.
pub(super) fn is_idle(stream: &TcpStream, buf: &mut BytesMut) -> bool {
    matches!(stream.try_read_buf(buf), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// How a write ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Everything was taken.
    All,
    /// The server spoke first; what it said is in the receive buffer.
    Interrupted,
    /// The server closed the connection first.
    Closed,
}

/// Writes all of `parts`, in one system call if the socket takes it. Only while it does not, the
/// server is listened to: one that refuses a request may stop reading it.
///
/// On return `parts` is what was not written.
pub(super) async fn send(
    stream: &mut TcpStream,
    parts: &mut &mut [IoSlice<'_>],
    buf: &mut BytesMut,
) -> io::Result<Sent> {
    // Empty parts would read as a write of nothing.
    IoSlice::advance_slices(parts, 0);
    poll_fn(|cx| poll_send(stream, parts, buf, cx)).await
}

fn poll_send(
    stream: &mut TcpStream,
    parts: &mut &mut [IoSlice<'_>],
    buf: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Sent>> {
    while !parts.is_empty() {
        let stream_mut = Pin::new(&mut *stream);
        let written = match &**parts {
            // The system does this with less work.
            [only] => stream_mut.poll_write(cx, only),
            several => stream_mut.poll_write_vectored(cx, several),
        };
        match written {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(written)) => IoSlice::advance_slices(parts, written),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {
                let heard = ready!(poll_listen(stream, buf, cx))?;
                return Poll::Ready(Ok(if heard == 0 {
                    Sent::Closed
                } else {
                    Sent::Interrupted
                }));
            }
        }
    }
    Poll::Ready(Ok(Sent::All))
}

/// Reads what the server says; pending while it says nothing. 0 is the end of the stream.
pub(super) fn poll_listen(
    stream: &TcpStream,
    buf: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(cx))?;
        buf.reserve(ROOM);
        match stream.try_read_buf(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
        }
    }
}

/// Reads the rest of an answer. The wait for its first byte has no limit here; after it, each read
/// has to bring something within `stall`.
///
/// When this fails, `decoder` and `buf` tell whether any of the answer came.
pub(super) async fn receive(
    stream: &mut TcpStream,
    decoder: &mut Decoder,
    buf: &mut BytesMut,
    head: &mut Head,
    stall: Duration,
) -> Result<Bytes, ClientError> {
    loop {
        if let Some(body) = decoder.decode(buf, head, false)? {
            return Ok(body);
        }
        let missing = decoder.wanted().saturating_sub(buf.len());
        if missing.max(ROOM) > buf.capacity() - buf.len() {
            buf.reserve(missing.max(FRESH));
        }
        let silent = is_silent(decoder, buf);
        let read = stream.read_buf(buf);
        let read = if silent {
            read.await
        } else {
            // The socket is looked at before the clock: a process frozen here and woken after the
            // limit still finds what has come.
            timeout(stall, read)
                .await
                .map_err(|_| ClientError::Timeout {
                    waited_for: "go on",
                    limit: stall,
                })?
        };
        match read {
            Ok(0) if silent => return Err(ClientError::Closed),
            Ok(0) => {
                let body = decoder.decode(buf, head, true)?;
                return body.ok_or_else(|| super::ProtocolError::Truncated.into());
            }
            Ok(_) => {}
            Err(error) if silent && is_closed(&error) => return Err(ClientError::Closed),
            Err(error) => return Err(ClientError::Receive(error)),
        }
    }
}

/// Whether no byte of an answer has come.
pub(super) fn is_silent(decoder: &Decoder, buf: &BytesMut) -> bool {
    buf.is_empty() && !decoder.has_begun()
}

/// Whether the error says that the peer had closed the connection.
pub(super) fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected
    )
}
