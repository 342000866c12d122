//! A request body sent chunk by chunk.

use std::fmt;
use std::future::{pending, poll_fn};
use std::io::{IoSlice, Write};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ClientError;
use super::connection::{Answer, Checkout, Connection};
use super::decode::Decoder;
use super::request::field;
use super::socket::{self, Sent};

/// A chunked request under way, from [`Connection::upload`].
///
/// The server may answer at any time; the upload then stops and only [`answer`](Self::answer)
/// makes sense. Dropping an upload before its end closes the connection, by which the server sees
/// that the body is incomplete. A connection found closed at the first write is replaced once, as
/// described at [`Connection`]; after that the pieces sent are gone and nothing is repeated.
pub struct Upload<'c> {
    connection: &'c mut Connection,
    /// Sent with the first piece.
    head: &'c [u8],
    limit: Duration,
    decoder: Decoder,
    state: State,
    resent: bool,
}

enum State {
    Fresh,
    Open(TcpStream),
    /// All is sent.
    Ended(TcpStream),
    /// The server has answered before that.
    Answered(TcpStream),
    Broken,
}

/// What became of a piece of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The server took it, or the system holds it for the server.
    Taken,
    /// The server has answered and wants no more.
    Answered,
}

impl Connection {
    /// Prepares a request whose body is sent in chunks as they come to be. `head` must end as
    /// [`RequestWriter::chunked`](super::RequestWriter::chunked) ends it; it is sent with the first
    /// chunk. `limit` is the longest the server may take to accept a piece, and to answer at the end.
    pub fn upload<'c>(&'c mut self, head: &'c [u8], limit: Duration) -> Upload<'c> {
        let decoder = Decoder::new(self.options.limits, false);
        Upload {
            connection: self,
            head,
            limit,
            decoder,
            state: State::Fresh,
            resent: false,
        }
    }
}

impl<'c> Upload<'c> {
    /// Sends one chunk; an empty one is nothing. The server has the limit for each piece it
    /// accepts of it, so that a slow reader that goes on is waited for.
    ///
    /// Dropping the future breaks the upload off unless it had completed.
    ///
    /// # Errors
    ///
    /// No connection, a failed write without an answer, or nothing accepted within the limit.
    pub async fn send(&mut self, chunk: &[u8]) -> Result<Progress, ClientError> {
        if chunk.is_empty() {
            return match self.state {
                State::Fresh | State::Open(_) => Ok(Progress::Taken),
                State::Answered(_) => Ok(Progress::Answered),
                State::Ended(_) | State::Broken => Err(ClientError::Interrupted),
            };
        }
        let mut line = [0_u8; 18];
        let mut rest = &mut line[..];
        // Sixteen digits and a line end fit.
        let _ = write!(rest, "{:x}\r\n", chunk.len());
        let unused = rest.len();
        let size = &line[..line.len() - unused];
        self.write(&[size, chunk, b"\r\n"]).await
    }

    /// Completes when the server has answered or closed the connection, which ends the upload:
    /// [`answer`](Self::answer) tells which. To be awaited beside the source of the next chunk.
    ///
    /// Dropping the future loses nothing.
    pub async fn answered(&mut self) {
        while let State::Open(stream) = &self.state {
            let buf = &mut self.connection.buf;
            let heard = poll_fn(|cx| socket::poll_listen(stream, buf, cx)).await;
            if !matches!(heard, Ok(1..)) || self.has_final() {
                self.stop();
            }
        }
        if let State::Fresh = self.state {
            pending::<()>().await;
        }
    }

    /// Sends the last chunk and the trailers, and reads the answer. Characters a trailer may not
    /// hold become spaces, as in [`RequestWriter`](super::RequestWriter).
    ///
    /// Dropping the future closes the connection.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and what [`answer`](Self::answer) gives.
    pub async fn finish(mut self, trailers: &[(&str, &[u8])]) -> Result<Answer<'c>, ClientError> {
        let mut end = b"0\r\n".to_vec();
        for (name, value) in trailers {
            field(&mut end, name, value);
        }
        end.extend_from_slice(b"\r\n");
        if self.write(&[&end]).await? == Progress::Taken
            && let State::Open(stream) = std::mem::replace(&mut self.state, State::Broken)
        {
            self.state = State::Ended(stream);
        }
        self.answer().await
    }

    /// Reads the answer; the request need not be complete.
    ///
    /// # Errors
    ///
    /// No answer within the limit, or one that cannot be used.
    pub async fn answer(self) -> Result<Answer<'c>, ClientError> {
        let Self {
            connection,
            limit,
            mut decoder,
            state,
            resent,
            ..
        } = self;
        let (mut stream, complete) = match state {
            State::Ended(stream) => (stream, true),
            State::Open(stream) | State::Answered(stream) => (stream, false),
            State::Fresh | State::Broken => return Err(ClientError::Interrupted),
        };
        let Connection {
            buf,
            head,
            options,
            alarm,
            ..
        } = &mut *connection;
        let answer = socket::receive(&mut stream, &mut decoder, buf, head, options.stall);
        let body = alarm
            .within(limit, answer)
            .await
            .ok_or(ClientError::Timeout {
                waited_for: "answer",
                limit,
            })??;
        if complete && decoder.is_reusable() {
            connection.give_back(stream);
        }
        Ok(Answer {
            head: &connection.head,
            body,
            resent,
        })
    }

    /// Writes pieces, the head before the first of them.
    async fn write(&mut self, pieces: &[&[u8]]) -> Result<Progress, ClientError> {
        match std::mem::replace(&mut self.state, State::Broken) {
            State::Fresh => {
                let Checkout { stream, reused } = self.connection.checkout().await?;
                match self.write_on(stream, self.head, pieces).await {
                    Err(error) if reused && self.connection.may_resend(&error) => {
                        self.resent = true;
                        let stream = self.connection.open().await?;
                        self.write_on(stream, self.head, pieces).await
                    }
                    done => done,
                }
            }
            State::Open(stream) => self.write_on(stream, b"", pieces).await,
            State::Answered(stream) => {
                self.state = State::Answered(stream);
                Ok(Progress::Answered)
            }
            State::Ended(_) | State::Broken => Err(ClientError::Interrupted),
        }
    }

    async fn write_on(
        &mut self,
        mut stream: TcpStream,
        head: &[u8],
        pieces: &[&[u8]],
    ) -> Result<Progress, ClientError> {
        let mut parts = [IoSlice::new(head); 4];
        for (part, piece) in parts[1..].iter_mut().zip(pieces) {
            *part = IoSlice::new(piece);
        }
        let mut unsent = &mut parts[..=pieces.len()];
        loop {
            let length = |parts: &[IoSlice<'_>]| parts.iter().map(|part| part.len()).sum::<usize>();
            let (before, limit) = (length(unsent), self.limit);
            let sent = socket::send(&mut stream, &mut unsent, &mut self.connection.buf);
            match timeout(limit, sent).await {
                Ok(Ok(Sent::All)) => {
                    self.state = State::Open(stream);
                    return Ok(Progress::Taken);
                }
                Ok(Ok(Sent::Interrupted)) => {
                    if self.has_final() {
                        self.state = State::Answered(stream);
                        return Ok(Progress::Answered);
                    }
                }
                Ok(Ok(Sent::Closed)) => return Err(ClientError::Closed),
                Ok(Err(error)) => {
                    // A server that refuses a request may have answered before it closed.
                    let buf = &mut self.connection.buf;
                    let heard = poll_fn(|cx| socket::poll_listen(&stream, buf, cx));
                    if !matches!(timeout(limit, heard).await, Ok(Ok(1..))) {
                        return Err(ClientError::Send(error));
                    }
                    self.state = State::Answered(stream);
                    return Ok(Progress::Answered);
                }
                Err(_) if length(unsent) < before => {}
                Err(_) => {
                    return Err(ClientError::Timeout {
                        waited_for: "go on",
                        limit,
                    });
                }
            }
        }
    }

    /// Whether the final answer has begun.
    fn has_final(&mut self) -> bool {
        let Connection { buf, head, .. } = &mut *self.connection;
        self.decoder.skip_interim(buf, head)
    }

    fn stop(&mut self) {
        if let State::Open(stream) = std::mem::replace(&mut self.state, State::Broken) {
            self.state = State::Answered(stream);
        }
    }
}

impl fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Fresh => "fresh",
            State::Open(_) => "open",
            State::Ended(_) => "ended",
            State::Answered(_) => "answered",
            State::Broken => "broken",
        };
        f.debug_struct("Upload")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
