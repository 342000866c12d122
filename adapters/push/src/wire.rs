use crate::activity::Activity;
use socket2::SockRef;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Sleep;

/// The socket of one connection: it notes what happens on it and gives up on a peer that does
/// not take what is written.
pub(crate) struct Wire {
    reader: OwnedReadHalf,
    writer: Arc<OwnedWriteHalf>,
    activity: Arc<Activity>,
    /// What was read before it was known which protocol the peer speaks.
    #[cfg(feature = "h2c")]
    peeked: bytes::Bytes,
    write_stall: Duration,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, write_stall: Duration) -> (Self, Arc<Activity>) {
        let (reader, writer) = stream.into_split();
        let writer = Arc::new(writer);
        let activity = Activity::new(Arc::downgrade(&writer));
        let wire = Self {
            reader,
            writer,
            activity: Arc::clone(&activity),
            #[cfg(feature = "h2c")]
            peeked: bytes::Bytes::new(),
            write_stall,
            stalled: None,
        };
        (wire, activity)
    }

    /// Puts bytes back that were read.
    #[cfg(feature = "h2c")]
    pub(crate) fn unread(&mut self, bytes: bytes::Bytes) {
        self.peeked = bytes;
    }

    /// Whether something that was to be written waits for the peer.
    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled.is_some()
    }

    /// Ends the connection so that the peer sees an error, not an end.
    pub(crate) fn reset(self) {
        let whole = Arc::into_inner(self.writer).map(|writer| self.reader.reunite(writer));
        if let Some(Ok(stream)) = whole
            && let Err(error) = SockRef::from(&stream).set_linger(Some(Duration::ZERO))
        {
            tracing::debug!(%error, "a connection could not be reset");
        }
    }

    fn poll_writing(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(&OwnedWriteHalf) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match write(&self.writer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    self.stalled = None;
                    self.activity.sent();
                    return Poll::Ready(written);
                }
            }
            let stream: &TcpStream = (*self.writer).as_ref();
            if stream.poll_write_ready(cx)?.is_pending() {
                let stall = self.write_stall;
                let stalled = self
                    .stalled
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
                ready!(stalled.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        #[cfg(feature = "h2c")]
        if !this.peeked.is_empty() {
            let length = this.peeked.len().min(buf.remaining());
            buf.put_slice(&this.peeked.split_to(length));
            this.activity.received();
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.reader).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            this.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_writing(cx, |writer| writer.try_write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_writing(cx, |writer| writer.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The socket holds nothing back; that it is asked for says that nothing else is left.
        self.activity.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream: &TcpStream = (*self.writer).as_ref();
        let shut = SockRef::from(stream).shutdown(std::net::Shutdown::Write);
        Poll::Ready(match shut {
            // The peer was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            shut => shut,
        })
    }
}
