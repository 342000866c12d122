//! One keep-alive connection and the exchanges on it.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::alarm::Alarm;
use super::decode::Decoder;
use super::limits::Limits;
use super::socket::{self, Sent};
use super::{ClientError, Endpoint, Head};

/// Time limits and sizes of a [`Connection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionOptions {
    /// For opening a connection. Default 5 s.
    pub connect: Duration,
    /// For each further piece of an answer once it has begun. Default 30 s.
    pub stall: Duration,
    /// How much of an answer is accepted.
    pub limits: Limits,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

/// An HTTP/1.1 client on one plain TCP socket, for one exchange at a time.
///
/// The socket is opened by the first exchange and kept for all that follow. It is given up, and
/// the next exchange opens another, when the server closes it, answers `connection: close` or in
/// HTTP/1.0, breaks the protocol, answers before it has taken the request, or when an exchange
/// fails or its future is dropped. Answers are read to their end before they are returned, so
/// nothing of one exchange can be taken for the next. One receive buffer serves all answers.
///
/// # When a request is sent again
///
/// A server may close an idle connection at the moment it is used again. A request is therefore
/// sent a second time, on a new connection and at most once, if all of this holds: the connection
/// had carried an exchange before; not one byte of an answer was read; the write failed or the
/// server closed the connection (a time limit is not enough). [`poll`](Self::poll) is safe to
/// repeat by its nature. A [`post`](Self::post) may in rare cases reach the server twice:
/// [`Answer::resent`] says when that is possible, and a caller whose requests carry an id takes
/// the server's refusal of the second for the success of the first.
#[derive(Debug)]
pub struct Connection {
    endpoint: Arc<Endpoint>,
    pub(super) options: ConnectionOptions,
    stream: Option<TcpStream>,
    pub(super) buf: BytesMut,
    pub(super) head: Head,
    pub(super) alarm: Alarm,
    opened: u64,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer<'c> {
    /// Status and headers.
    pub head: &'c Head,
    /// The body, decoded; a slice of the receive buffer unless it came in several chunks.
    pub body: Bytes,
    /// Whether the request was sent twice, see [`Connection`].
    pub resent: bool,
}

/// A connection taken out for one exchange.
pub(super) struct Checkout {
    pub(super) stream: TcpStream,
    /// Whether it has carried an exchange before.
    pub(super) reused: bool,
}

impl Connection {
    /// A connection to be opened by its first exchange.
    #[must_use]
    pub fn new(endpoint: Arc<Endpoint>, options: ConnectionOptions) -> Self {
        let (buf, head) = (BytesMut::new(), Head::default());
        Self {
            endpoint,
            options,
            stream: None,
            buf,
            head,
            alarm: Alarm::default(),
            opened: 0,
        }
    }

    /// Sends a request without a body and waits for the answer for as long as it takes. Only once
    /// the answer has begun, [`ConnectionOptions::stall`] applies.
    ///
    /// Dropping the future closes the connection; an answer on its way is lost.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or one that cannot be used.
    pub async fn poll(&mut self, request: &[u8]) -> Result<Answer<'_>, ClientError> {
        let (body, resent) = self.exchange(request, b"").await?;
        Ok(Answer {
            head: &self.head,
            body,
            resent,
        })
    }

    /// Sends `head` and `body`, in one write if the socket takes it, and reads the answer, all of
    /// it within `limit`.
    ///
    /// Dropping the future closes the connection; the server may have got the request.
    ///
    /// # Errors
    ///
    /// As [`poll`](Self::poll), and [`ClientError::Timeout`].
    pub async fn post(
        &mut self,
        head: &[u8],
        body: &[u8],
        limit: Duration,
    ) -> Result<Answer<'_>, ClientError> {
        // A dropped future takes the alarm with it: the next one is made then.
        let mut alarm = std::mem::take(&mut self.alarm);
        let exchanged = alarm.within(limit, self.exchange(head, body)).await;
        self.alarm = alarm;
        let (body, resent) = exchanged.ok_or(ClientError::Timeout {
            waited_for: "answer",
            limit,
        })??;
        Ok(Answer {
            head: &self.head,
            body,
            resent,
        })
    }

    /// The head of the last answer, when it got as far as that: an answer whose body could not be
    /// used may still say what it was about.
    #[must_use]
    pub fn last_head(&self) -> Option<&Head> {
        (self.head.status() != 0).then_some(&self.head)
    }

    /// How many sockets were opened so far.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Closes the socket, if one is open.
    pub fn close(&mut self) {
        self.stream = None;
    }

    async fn exchange(&mut self, head: &[u8], body: &[u8]) -> Result<(Bytes, bool), ClientError> {
        let Checkout { stream, reused } = self.checkout().await?;
        match self.attempt(stream, head, body).await {
            Err(error) if reused && self.may_resend(&error) => {
                tracing::debug!(%error, "the idle connection was gone, sending again");
                let stream = self.open().await?;
                Ok((self.attempt(stream, head, body).await?, true))
            }
            done => Ok((done?, false)),
        }
    }

    async fn attempt(
        &mut self,
        mut stream: TcpStream,
        head: &[u8],
        body: &[u8],
    ) -> Result<Bytes, ClientError> {
        let Self {
            options,
            buf,
            head: answer,
            ..
        } = self;
        let mut decoder = Decoder::new(options.limits, head.starts_with(b"HEAD "));
        let parts = &mut [IoSlice::new(head), IoSlice::new(body)];
        let mut unsent = &mut parts[..if body.is_empty() { 1 } else { 2 }];
        let mut complete = false;
        while !complete {
            match socket::send(&mut stream, &mut unsent, buf).await {
                Ok(Sent::All) => complete = true,
                Ok(Sent::Interrupted) if !decoder.skip_interim(buf, answer) => {}
                // The rest of the request is not wanted.
                Ok(Sent::Interrupted) => break,
                Ok(Sent::Closed) => return Err(ClientError::Closed),
                Err(error) => {
                    // A server that refuses a request may have answered before it closed.
                    let answer =
                        socket::receive(&mut stream, &mut decoder, buf, answer, options.stall);
                    let answer = timeout(options.stall, answer).await;
                    return answer
                        .ok()
                        .and_then(Result::ok)
                        .ok_or(ClientError::Send(error));
                }
            }
        }
        let body = socket::receive(&mut stream, &mut decoder, buf, answer, options.stall).await?;
        if complete && decoder.is_reusable() {
            self.give_back(stream);
        }
        Ok(body)
    }

    /// See the rule in the type's documentation. Every failure before an answer's first byte leaves
    /// the buffer and the head empty.
    pub(super) fn may_resend(&self, error: &ClientError) -> bool {
        let gone = match error {
            ClientError::Closed => true,
            ClientError::Send(error) => socket::is_closed(error),
            _ => false,
        };
        gone && self.buf.is_empty() && self.last_head().is_none()
    }

    /// The kept connection if it is still good, otherwise a new one.
    pub(super) async fn checkout(&mut self) -> Result<Checkout, ClientError> {
        self.head.clear();
        socket::prepare(&mut self.buf);
        if let Some(stream) = self.stream.take() {
            if socket::is_idle(&stream, &mut self.buf) {
                return Ok(Checkout {
                    stream,
                    reused: true,
                });
            }
            // Closed, or it said something nobody asked for.
            self.buf.clear();
        }
        Ok(Checkout {
            stream: self.open().await?,
            reused: false,
        })
    }

    pub(super) async fn open(&mut self) -> Result<TcpStream, ClientError> {
        let stream = socket::connect(&self.endpoint, self.options.connect).await?;
        self.opened += 1;
        tracing::debug!(
            authority = self.endpoint.authority(),
            opened = self.opened,
            "connection opened"
        );
        Ok(stream)
    }

    /// Keeps the connection for the next exchange, unless something followed the answer.
    pub(super) fn give_back(&mut self, stream: TcpStream) {
        if self.buf.is_empty() {
            self.stream = Some(stream);
        }
    }
}
