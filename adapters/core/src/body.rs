use crate::{Error, ErrorKind, Text};
use bytes::{Bytes, BytesMut};
use faas_sdk_scope::{BoxFuture, CatchUnwind};
use http_body::{Frame, SizeHint};
use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

type BoxBody = Pin<Box<dyn http_body::Body<Data = Bytes, Error = Error> + Send>>;

/// A body that is empty, whole, or streamed. It is the same type both ways.
#[derive(Default)]
pub struct Body(Repr);

#[derive(Default)]
enum Repr {
    #[default]
    Empty,
    Bytes(Bytes),
    Stream(BoxBody),
}

impl Body {
    /// No bytes.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Repr::Empty)
    }

    /// A body that is streamed from another implementation, for example of a web framework.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
    {
        Self(Repr::Stream(Box::pin(body)))
    }

    /// A body that `produce` writes piece by piece while it is read. The producer lives inside
    /// the body: nothing is spawned, and it stops when the body is dropped. Each
    /// [`BodySender::send`] waits until the piece before it has been read.
    ///
    /// If the producer fails after the first piece, the reader sees the error in the platform's
    /// own form for a stream that breaks.
    ///
    /// ```
    /// use faas_sdk_core::Body;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> faas_sdk_core::Result<()> {
    /// let body = Body::produce(async move |mut out| {
    ///     out.send("one ").await?;
    ///     out.send("two").await
    /// });
    /// assert_eq!(body.collect(1024).await?, "one two");
    /// # Ok(())
    /// # }
    /// ```
    pub fn produce<F, Fut>(produce: F) -> Self
    where
        F: FnOnce(BodySender) -> Fut,
        Fut: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (sender, pieces) = mpsc::channel(1);
        let producer: BoxFuture<'static, _> = Box::pin(produce(BodySender(sender)));
        let producer = Some(CatchUnwind::new(producer));
        Self::stream(Produced {
            producer,
            pieces,
            end: End::Well,
        })
    }

    /// Whether bytes are still to come from somewhere else.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self.0, Repr::Stream(_))
    }

    /// The bytes, if they are all there.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Repr::Empty => Some(&[]),
            Repr::Bytes(bytes) => Some(bytes),
            Repr::Stream(_) => None,
        }
    }

    /// The bytes if they are all there, else the body again.
    ///
    /// # Errors
    ///
    /// Gives a streamed body back.
    pub fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Repr::Empty => Ok(Bytes::new()),
            Repr::Bytes(bytes) => Ok(bytes),
            Repr::Stream(_) => Err(self),
        }
    }

    /// Reads the body to its end. Trailers are dropped. Not cancel-safe: what was read is lost
    /// with the future.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PayloadTooLarge`] as soon as there are more than `limit` bytes, and whatever
    /// the stream fails with.
    pub async fn collect(self, limit: usize) -> Result<Bytes, Error> {
        let mut body = self;
        let Some(first) = body.next_data().await? else {
            return Ok(Bytes::new());
        };
        let mut read = first.len();
        let mut joined: Option<BytesMut> = None;
        // Only a body of several pieces pays for a copy.
        while read <= limit
            && let Some(piece) = body.next_data().await?
        {
            read += piece.len();
            joined
                .get_or_insert_with(|| BytesMut::from(&*first))
                .extend_from_slice(&piece);
        }
        if read > limit {
            return Err(too_large(limit));
        }
        Ok(joined.map_or(first, BytesMut::freeze))
    }

    /// The next bytes, `None` at the end. Cancel-safe.
    ///
    /// # Errors
    ///
    /// Whatever the stream fails with; nothing comes after an error.
    pub async fn next_data(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame =
                std::future::poll_fn(|cx| http_body::Body::poll_frame(Pin::new(&mut *self), cx));
            match frame.await {
                None => return Ok(None),
                Some(Err(error)) => {
                    self.0 = Repr::Empty;
                    return Err(error);
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

fn too_large(limit: usize) -> Error {
    Error::new(
        ErrorKind::PayloadTooLarge,
        format!("the body is larger than {limit} bytes"),
    )
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.0 {
            Repr::Empty => Poll::Ready(None),
            Repr::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Repr::Empty;
                Poll::Ready(if bytes.is_empty() {
                    None
                } else {
                    Some(Ok(Frame::data(bytes)))
                })
            }
            Repr::Stream(stream) => stream.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Repr::Empty => true,
            Repr::Bytes(bytes) => bytes.is_empty(),
            Repr::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Repr::Empty => SizeHint::with_exact(0),
            Repr::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Repr::Stream(stream) => stream.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Empty => f.write_str("Body::Empty"),
            Repr::Bytes(bytes) => write!(f, "Body::Bytes({})", bytes.len()),
            Repr::Stream(_) => f.write_str("Body::Stream"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() {
            Repr::Empty
        } else {
            Repr::Bytes(bytes)
        })
    }
}

macro_rules! from_bytes_like {
    ($($like:ty),+) => {
        $(impl From<$like> for Body {
            fn from(bytes: $like) -> Self {
                Self::from(Bytes::from(bytes))
            }
        })+
    };
}
from_bytes_like!(Vec<u8>, String, &'static str, &'static [u8]);

impl From<Text> for Body {
    fn from(text: Text) -> Self {
        Self::from(text.into_bytes())
    }
}

/// Writes the pieces of a body made with [`Body::produce`].
#[derive(Debug)]
pub struct BodySender(mpsc::Sender<Bytes>);

impl BodySender {
    /// Writes a piece and waits until there is room for it. Cancel-safe: a dropped call has
    /// written nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cancelled`] if nobody reads any more.
    pub async fn send(&mut self, piece: impl Into<Bytes>) -> Result<(), Error> {
        let piece = piece.into();
        if piece.is_empty() {
            return Ok(());
        }
        self.0
            .send(piece)
            .await
            .map_err(|_| Error::new(ErrorKind::Cancelled, "nobody reads the body any more"))
    }
}

struct Produced {
    producer: Option<CatchUnwind<BoxFuture<'static, Result<(), Error>>>>,
    pieces: mpsc::Receiver<Bytes>,
    end: End,
}

/// How the producer ended; told once its last piece has been read.
enum End {
    Well,
    Failed(Error),
    Panicked(Box<dyn Any + Send>),
}

impl http_body::Body for Produced {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        // A finished producer has dropped its sender, so the channel ends after the last piece.
        if let Some(producer) = &mut this.producer
            && let Poll::Ready(ended) = Pin::new(producer).poll(cx)
        {
            this.producer = None;
            this.end = match ended {
                Ok(Ok(())) => End::Well,
                Ok(Err(error)) => End::Failed(error),
                Err(panic) => End::Panicked(panic),
            };
        }
        if let Some(piece) = ready!(this.pieces.poll_recv(cx)) {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match std::mem::replace(&mut this.end, End::Well) {
            End::Well => Poll::Ready(None),
            End::Failed(error) => Poll::Ready(Some(Err(error))),
            End::Panicked(panic) => resume_unwind(panic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;

    #[tokio::test]
    async fn a_producer_that_fails_gives_its_pieces_first() {
        let mut body = Body::produce(async move |mut out: BodySender| {
            out.send("piece").await?;
            Err(Error::from(ErrorKind::Internal))
        });
        assert_eq!(
            body.next_data().await.expect("a piece").expect("some"),
            "piece"
        );
        assert_eq!(
            body.next_data().await.expect_err("the failure").kind(),
            ErrorKind::Internal
        );
        assert!(body.next_data().await.expect("the end").is_none());
    }

    #[tokio::test]
    async fn a_producer_that_panics_gives_its_pieces_first() {
        let mut body = Body::produce(async move |mut out: BodySender| {
            out.send("piece").await?;
            panic!("on purpose")
        });
        assert_eq!(
            body.next_data().await.expect("a piece").expect("some"),
            "piece"
        );
        let read = CatchUnwind::new(Box::pin(body.next_data()));
        assert!(read.await.is_err(), "the panic");
    }

    #[tokio::test]
    async fn a_producer_may_hand_its_sender_to_another_task() {
        let body = Body::produce(async move |mut out: BodySender| {
            tokio::spawn(async move { out.send("late").await });
            Ok(())
        });
        assert_eq!(body.collect(10).await.expect("the body"), "late");
    }

    #[tokio::test]
    async fn collect_joins_pieces_and_stops_at_its_limit() {
        let pieces = || {
            Body::produce(async move |mut out: BodySender| {
                for piece in ["ab", "", "cd", "ef"] {
                    out.send(piece).await?;
                }
                Ok(())
            })
        };
        assert_eq!(pieces().collect(6).await.expect("in the limit"), "abcdef");
        let error = pieces().collect(5).await.expect_err("above the limit");
        assert_eq!(error.kind(), ErrorKind::PayloadTooLarge);
        assert_eq!(Body::from("abc").collect(3).await.expect("whole"), "abc");
        assert!(Body::from("abcd").collect(3).await.is_err());
    }

    #[test]
    fn a_whole_body_knows_its_size() {
        assert_eq!(Body::from("four").size_hint().exact(), Some(4));
        assert!(Body::from("").is_end_stream());
    }
}
