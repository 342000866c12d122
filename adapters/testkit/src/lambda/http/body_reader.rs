//! Reads the body of a request, however it is framed.

use bytes::{Buf, BytesMut};

use super::body::{Body, BodyError};
use super::chunked::Chunked;
use super::head::{Framing, Head, HeadError};

/// Takes a body off the input, piece by piece.
#[derive(Debug)]
pub(crate) enum BodyReader {
    Length(u64),
    Chunked(Chunked),
}

impl BodyReader {
    /// The reader for a request; with `strict`, trailers must be announced.
    pub(crate) fn new(head: &Head, strict: bool) -> Result<Self, HeadError> {
        Ok(match head.framing()? {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => {
                let announced =
                    strict.then(|| head.members("trailer").map(str::to_owned).collect());
                Self::Chunked(Chunked::new(announced))
            }
        })
    }

    /// Moves what there is from `input` to `body`; true at the end of the body.
    pub(crate) fn decode(
        &mut self,
        input: &mut BytesMut,
        body: &mut Body,
    ) -> Result<bool, BodyError> {
        match self {
            Self::Length(left) => {
                let take = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                body.push(&input[..take])?;
                input.advance(take);
                *left -= take as u64;
                Ok(*left == 0)
            }
            Self::Chunked(reader) => reader.decode(input, body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_limit_is_dropped_but_read() {
        let mut body = Body::new(3);
        let mut reader = BodyReader::Length(5);
        let mut input = BytesMut::from(&b"abcdeNEXT"[..]);
        assert_eq!(reader.decode(&mut input, &mut body), Ok(true));
        assert!(body.too_large());
        assert_eq!(&body.take().0[..], b"abc");
        assert_eq!(&input[..], b"NEXT");
    }
}
