//! Chunked bodies (RFC 9112, section 7.1), without I/O.

use bytes::{Buf, Bytes, BytesMut};

use super::ProtocolError;
use super::empty_line::find_empty_line;
use super::head::MAX_HEADERS;
use super::limits::Limits;

/// Longest size line: sixteen digits and some extensions, which are ignored.
const SIZE_LINE: usize = 256;

/// Collects the chunks of one body.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    body: Collected,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Size,
    /// A chunk of this many bytes and its CRLF.
    Data(usize),
    /// The trailers, and up to where they were searched for their end.
    Trailers(usize),
}

/// A body of one chunk stays a slice of the receive buffer.
#[derive(Debug)]
enum Collected {
    None,
    One(Bytes),
    Many(BytesMut),
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self {
            state: State::Size,
            body: Collected::None,
        }
    }

    /// How many bytes the buffer must hold for the next step, as far as it is known.
    pub(super) fn wanted(&self) -> usize {
        match self.state {
            State::Data(size) => size.saturating_add(2),
            State::Size | State::Trailers(_) => 0,
        }
    }

    /// Takes what it can out of `buf`; the body once its last chunk and the trailers are read.
    pub(super) fn decode(
        &mut self,
        buf: &mut BytesMut,
        limits: Limits,
    ) -> Result<Option<Bytes>, ProtocolError> {
        loop {
            match self.state {
                State::Size => {
                    let Some((line, size)) = size_line(buf)? else {
                        return Ok(None);
                    };
                    let room = limits.body - self.body.len();
                    let size = usize::try_from(size)
                        .ok()
                        .filter(|size| *size <= room)
                        .ok_or(ProtocolError::BodyTooLarge { limit: limits.body })?;
                    buf.advance(line);
                    self.state = if size == 0 {
                        State::Trailers(0)
                    } else {
                        State::Data(size)
                    };
                }
                State::Data(size) => {
                    if buf.len() < size.saturating_add(2) {
                        return Ok(None);
                    }
                    let data = buf.split_to(size);
                    if !buf.starts_with(b"\r\n") {
                        return Err(ProtocolError::ChunkEnd);
                    }
                    buf.advance(2);
                    self.body.push(data);
                    self.state = State::Size;
                }
                State::Trailers(ref mut searched) => {
                    let Some(end) = trailers(buf, searched, limits.head)? else {
                        return Ok(None);
                    };
                    buf.advance(end);
                    return Ok(Some(self.body.take()));
                }
            }
        }
    }
}

impl Collected {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
        }
    }

    fn push(&mut self, data: BytesMut) {
        match self {
            Self::None => *self = Self::One(data.freeze()),
            Self::One(first) => {
                let mut all = BytesMut::with_capacity(2 * (first.len() + data.len()));
                all.extend_from_slice(first);
                all.extend_from_slice(&data);
                *self = Self::Many(all);
            }
            Self::Many(all) => all.extend_from_slice(&data),
        }
    }

    fn take(&mut self) -> Bytes {
        match std::mem::replace(self, Self::None) {
            Self::None => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}

/// The length of the size line, and the size it states.
fn size_line(buf: &[u8]) -> Result<Option<(usize, u64)>, ProtocolError> {
    // The parser takes a line without any digit for zero.
    if buf.first().is_some_and(|b| !b.is_ascii_hexdigit()) {
        return Err(ProtocolError::ChunkSize);
    }
    let window = &buf[..buf.len().min(SIZE_LINE)];
    match httparse::parse_chunk_size(window) {
        Ok(httparse::Status::Complete(line)) => Ok(Some(line)),
        Ok(httparse::Status::Partial) if buf.len() < SIZE_LINE => Ok(None),
        _ => Err(ProtocolError::ChunkSize),
    }
}

/// The length of the trailer section with its empty line.
fn trailers(
    buf: &[u8],
    searched: &mut usize,
    limit: usize,
) -> Result<Option<usize>, ProtocolError> {
    let end = if buf.starts_with(b"\r\n") {
        2
    } else {
        match find_empty_line(buf, searched) {
            Some(end) => end,
            None if buf.len() > limit => return Err(ProtocolError::Trailers),
            None => return Ok(None),
        }
    };
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::parse_headers(&buf[..end], &mut fields) {
        Ok(httparse::Status::Complete((read, _))) if read == end && end <= limit => Ok(Some(end)),
        _ => Err(ProtocolError::Trailers),
    }
}
