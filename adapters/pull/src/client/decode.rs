//! One answer out of a byte buffer, without I/O.
//!
//! The result depends on the bytes alone, never on how they were split into reads; property tests
//! hold it to that.

use bytes::{Bytes, BytesMut};

use super::chunked::Chunked;
use super::empty_line::find_empty_line;
use super::limits::Limits;
use super::{Head, ProtocolError};

/// Interim (1xx) answers skipped before the final one.
const MAX_INTERIM: u8 = 16;

/// Decodes one answer. An error is given again by every later call.
#[derive(Debug)]
pub(super) struct Decoder {
    limits: Limits,
    to_head_request: bool,
    state: State,
    interim: u8,
    reusable: bool,
}

#[derive(Debug)]
enum State {
    /// The head, and up to where it was searched for its end.
    Head(usize),
    Sized(usize),
    Chunked(Chunked),
    ToClose,
    Done,
    Failed(ProtocolError),
}

impl Decoder {
    /// `to_head_request`: the answer has no body, whatever its head says.
    pub(super) fn new(limits: Limits, to_head_request: bool) -> Self {
        Self {
            limits,
            to_head_request,
            state: State::Head(0),
            interim: 0,
            reusable: false,
        }
    }

    /// Takes what it can out of `buf`: `head` is filled as soon as it is complete, the body is
    /// returned when it is. `eof` says that nothing will be added to `buf`.
    pub(super) fn decode(
        &mut self,
        buf: &mut BytesMut,
        head: &mut Head,
        eof: bool,
    ) -> Result<Option<Bytes>, ProtocolError> {
        let done = match self.read_head(buf, head) {
            Ok(()) => self.read_body(buf, eof),
            Err(error) => Err(error),
        };
        match done {
            Ok(None) if eof => self.fail(ProtocolError::Truncated),
            Ok(done) => Ok(done),
            Err(error) => self.fail(error),
        }
    }

    /// Takes interim answers out of `buf` and says whether the final one has begun, be it with an
    /// error. What there is of that is left to [`decode`](Self::decode).
    pub(super) fn skip_interim(&mut self, buf: &mut BytesMut, head: &mut Head) -> bool {
        if let Err(error) = self.read_head(buf, head) {
            self.state = State::Failed(error);
        }
        self.has_head() || !buf.is_empty()
    }

    fn fail<T>(&mut self, error: ProtocolError) -> Result<T, ProtocolError> {
        self.state = State::Failed(error.clone());
        Err(error)
    }

    fn read_head(&mut self, buf: &mut BytesMut, head: &mut Head) -> Result<(), ProtocolError> {
        while let State::Head(searched) = &mut self.state {
            check_start(buf)?;
            // As a rule the whole head comes in one read, and a single pass is enough.
            if *searched > 0 || !head.take_whole(buf, self.limits.head) {
                let Some(end) = head_end(buf, searched, self.limits.head)? else {
                    break;
                };
                head.take(buf, end)?;
            }
            self.state = if head.status() < 200 {
                self.skip(head)?
            } else {
                self.framing(head)?
            };
        }
        Ok(())
    }

    fn read_body(&mut self, buf: &mut BytesMut, eof: bool) -> Result<Option<Bytes>, ProtocolError> {
        let limit = self.limits.body;
        let body = match &mut self.state {
            State::Sized(length) if buf.len() >= *length => buf.split_to(*length).freeze(),
            State::Chunked(chunks) => match chunks.decode(buf, self.limits)? {
                Some(body) => body,
                None => return Ok(None),
            },
            State::ToClose if buf.len() > limit => {
                return Err(ProtocolError::BodyTooLarge { limit });
            }
            State::ToClose if eof => buf.split().freeze(),
            State::Head(_) | State::Sized(_) | State::ToClose => return Ok(None),
            State::Done => Bytes::new(),
            State::Failed(error) => return Err(error.clone()),
        };
        self.state = State::Done;
        Ok(Some(body))
    }

    /// How many bytes the buffer must hold for the next step, as far as it is known; never more
    /// than the body limit and a line end.
    pub(super) fn wanted(&self) -> usize {
        match &self.state {
            State::Sized(length) => *length,
            State::Chunked(chunks) => chunks.wanted(),
            State::Head(_) | State::ToClose | State::Done | State::Failed(_) => 0,
        }
    }

    /// Whether the head of the final answer was read, or failed to be.
    fn has_head(&self) -> bool {
        !matches!(self.state, State::Head(_))
    }

    /// Whether an interim answer or more was read.
    pub(super) fn has_begun(&self) -> bool {
        self.has_head() || self.interim > 0
    }

    /// Whether the connection may carry another exchange once this answer is complete.
    pub(super) fn is_reusable(&self) -> bool {
        self.reusable && matches!(self.state, State::Done)
    }

    fn skip(&mut self, head: &mut Head) -> Result<State, ProtocolError> {
        if head.status() == 101 {
            return Err(ProtocolError::SwitchesProtocols);
        }
        if self.interim == MAX_INTERIM {
            return Err(ProtocolError::TooManyInterim { limit: MAX_INTERIM });
        }
        self.interim += 1;
        head.clear();
        Ok(State::Head(0))
    }

    /// How the body is framed (RFC 9112, section 6.3), stricter where it leaves a choice: an
    /// answer with two readings has none.
    fn framing(&mut self, head: &Head) -> Result<State, ProtocolError> {
        let length = content_length(head)?;
        let chunked = is_chunked(head)?;
        if chunked && length.is_some() {
            return Err(ProtocolError::LengthAndChunked);
        }
        self.reusable = head.http11 && !closes(head);
        if self.to_head_request || matches!(head.status(), 204 | 304) {
            return Ok(State::Sized(0));
        }
        if chunked {
            return Ok(State::Chunked(Chunked::new()));
        }
        match length {
            Some(length) => usize::try_from(length)
                .ok()
                .filter(|length| *length <= self.limits.body)
                .map(State::Sized)
                .ok_or(ProtocolError::BodyTooLarge {
                    limit: self.limits.body,
                }),
            None => {
                self.reusable = false;
                Ok(State::ToClose)
            }
        }
    }
}

fn content_length(head: &Head) -> Result<Option<u64>, ProtocolError> {
    let mut values = head.all("content-length");
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(ProtocolError::DuplicateContentLength);
    }
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(ProtocolError::ContentLength);
    }
    let number = value.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    number.map(Some).ok_or(ProtocolError::ContentLength)
}

fn is_chunked(head: &Head) -> Result<bool, ProtocolError> {
    let mut values = head.all("transfer-encoding");
    match (values.next(), values.next()) {
        (None, _) => Ok(false),
        (Some(value), None) if head.http11 && value.eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err(ProtocolError::TransferEncoding),
    }
}

fn closes(head: &Head) -> bool {
    let mut options = head
        .all("connection")
        .flat_map(|value| value.split(|b| *b == b','));
    options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// Refuses what does not begin as an answer does. Said at once: a server that speaks something else
/// may wait for us, and a poll has no time limit.
fn check_start(buf: &[u8]) -> Result<(), ProtocolError> {
    const START: &[u8] = b"HTTP/1.";
    let start = buf.len().min(START.len());
    if buf[..start] == START[..start] {
        Ok(())
    } else {
        Err(ProtocolError::NotHttp)
    }
}

/// Where the head ends, or `None` if it does not yet.
fn head_end(
    buf: &[u8],
    searched: &mut usize,
    limit: usize,
) -> Result<Option<usize>, ProtocolError> {
    match find_empty_line(buf, searched) {
        Some(end) if end <= limit => Ok(Some(end)),
        None if buf.len() <= limit => Ok(None),
        _ => Err(ProtocolError::HeadTooLarge { limit }),
    }
}

#[cfg(test)]
mod tests;
