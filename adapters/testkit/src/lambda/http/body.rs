//! The body of a request, as far as it was read.

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::Headers;

/// How much is read and dropped beyond a limit before the connection is given up, in bytes.
const DRAIN_LIMIT: usize = 64 << 20;
/// Chunk boundaries kept; the bytes of later chunks join the last one.
const MAX_CHUNKS: usize = 1 << 16;

/// Why a body cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum BodyError {
    #[error("the connection ended inside the body")]
    Ended,
    #[error("no byte of the body came in time")]
    Slow,
    #[error("a chunk size is not hexadecimal, too long or not ended by CRLF")]
    ChunkSize,
    #[error("a chunk is not ended by CRLF")]
    ChunkEnd,
    #[error("the trailers are refused: {0}")]
    Trailers(String),
    #[error("the body exceeds every limit")]
    Endless,
}

/// A body as far as it was read.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) trailers: Headers,
    data: BytesMut,
    ends: Vec<usize>,
    limit: usize,
    dropped: usize,
}

impl Body {
    /// Keeps `limit` bytes and drops the others.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            trailers: Vec::new(),
            data: BytesMut::new(),
            ends: Vec::new(),
            limit,
            dropped: 0,
        }
    }

    /// Whether there was more than the limit.
    pub(crate) fn too_large(&self) -> bool {
        self.dropped > 0
    }

    /// Bytes kept so far.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        let keep = bytes.len().min(self.limit - self.data.len());
        self.data.extend_from_slice(&bytes[..keep]);
        self.dropped += bytes.len() - keep;
        if self.dropped > DRAIN_LIMIT {
            return Err(BodyError::Endless);
        }
        Ok(())
    }

    pub(super) fn end_chunk(&mut self) {
        if self.ends.len() < MAX_CHUNKS {
            self.ends.push(self.data.len());
        } else if let Some(last) = self.ends.last_mut() {
            *last = self.data.len();
        }
    }

    /// Takes the bytes out, and the chunks they came in.
    pub(crate) fn take(&mut self) -> (Bytes, Vec<Bytes>) {
        let data = self.data.split().freeze();
        let mut from = 0;
        let mut chunks = Vec::with_capacity(self.ends.len());
        for end in &self.ends {
            chunks.push(data.slice(from..*end));
            from = *end;
        }
        (data, chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_body_is_given_up() {
        let mut body = Body::new(0);
        let piece = vec![0_u8; 1 << 20];
        let mut result = Ok(());
        for _ in 0..=64 {
            result = body.push(&piece);
        }
        assert_eq!(result, Err(BodyError::Endless));
    }
}
