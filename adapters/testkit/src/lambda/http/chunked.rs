//! The chunked transfer coding with trailers (RFC 9112, section 7.1), read strictly.

use bytes::{Buf, BytesMut};

use super::body::{Body, BodyError};
use super::{HEAD_LIMIT, owned};

const LINE_LIMIT: usize = 256;
const MAX_TRAILERS: usize = 64;
const FORBIDDEN: [&str; 4] = ["content-length", "transfer-encoding", "host", "trailer"];

/// Reads one chunked body; each call takes what it can from the input.
#[derive(Debug)]
pub(crate) struct Chunked {
    step: Step,
    /// Names announced in the `Trailer` header, or `None` if any trailer is accepted.
    announced: Option<Vec<String>>,
}

#[derive(Debug)]
enum Step {
    Size,
    Data(u64),
    DataEnd,
    Trailers { scanned: usize },
}

impl Chunked {
    pub(super) fn new(announced: Option<Vec<String>>) -> Self {
        Self {
            step: Step::Size,
            announced,
        }
    }

    /// Moves what is complete from `input` to `body`; true at the end of the body.
    pub(super) fn decode(
        &mut self,
        input: &mut BytesMut,
        body: &mut Body,
    ) -> Result<bool, BodyError> {
        loop {
            match &mut self.step {
                Step::Size => {
                    let Some(size) = size_line(input)? else {
                        return Ok(false);
                    };
                    self.step = match size {
                        0 => Step::Trailers { scanned: 0 },
                        size => Step::Data(size),
                    };
                }
                Step::Data(left) => {
                    if input.is_empty() {
                        return Ok(false);
                    }
                    let take = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(input.len());
                    body.push(&input[..take])?;
                    input.advance(take);
                    *left -= take as u64;
                    if *left == 0 {
                        self.step = Step::DataEnd;
                    }
                }
                Step::DataEnd => {
                    if input.len() < 2 {
                        return match input.first() {
                            None | Some(b'\r') => Ok(false),
                            Some(_) => Err(BodyError::ChunkEnd),
                        };
                    }
                    if &input[..2] != b"\r\n" {
                        return Err(BodyError::ChunkEnd);
                    }
                    input.advance(2);
                    body.end_chunk();
                    self.step = Step::Size;
                }
                Step::Trailers { scanned } => {
                    let Some(end) = trailers_end(input, *scanned) else {
                        if input.len() > HEAD_LIMIT {
                            return Err(BodyError::Trailers("they exceed the limit".to_owned()));
                        }
                        *scanned = input.len().saturating_sub(3);
                        return Ok(false);
                    };
                    body.trailers = self.trailers(&input[..end])?;
                    input.advance(end);
                    return Ok(true);
                }
            }
        }
    }

    fn trailers(&self, block: &[u8]) -> Result<Vec<(String, String)>, BodyError> {
        if block
            .split(|byte| *byte == b'\n')
            .any(|line| !line.is_empty() && line.last() != Some(&b'\r'))
        {
            return Err(BodyError::Trailers("a line ends without CR".to_owned()));
        }
        let mut room = [httparse::EMPTY_HEADER; MAX_TRAILERS];
        let parsed = match httparse::parse_headers(block, &mut room) {
            Ok(httparse::Status::Complete((_, headers))) => owned(headers),
            Ok(httparse::Status::Partial) => {
                return Err(BodyError::Trailers("they end early".to_owned()));
            }
            Err(error) => return Err(BodyError::Trailers(error.to_string())),
        };
        for (name, _) in &parsed {
            if FORBIDDEN.iter().any(|no| name.eq_ignore_ascii_case(no)) {
                return Err(BodyError::Trailers(format!("{name} is no trailer")));
            }
            if let Some(announced) = &self.announced
                && !announced.iter().any(|yes| name.eq_ignore_ascii_case(yes))
            {
                return Err(BodyError::Trailers(format!(
                    "{name} is not announced in the Trailer header"
                )));
            }
        }
        Ok(parsed)
    }
}

/// The end of the trailer block, empty line included; `from` is where the search goes on.
fn trailers_end(input: &[u8], from: usize) -> Option<usize> {
    if input.starts_with(b"\r\n") {
        return Some(2);
    }
    let found = input[from..].windows(4).position(|w| w == b"\r\n\r\n")?;
    Some(from + found + 4)
}

/// Takes one chunk-size line off `input`.
fn size_line(input: &mut BytesMut) -> Result<Option<u64>, BodyError> {
    let seen = &input[..input.len().min(LINE_LIMIT)];
    let Some(line) = seen.iter().position(|byte| *byte == b'\n') else {
        let digits = seen
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let plausible = match seen.get(digits) {
            None => digits <= 16,
            Some(b';' | b'\r') => digits > 0,
            Some(_) => false,
        };
        return if plausible && seen.len() < LINE_LIMIT {
            Ok(None)
        } else {
            Err(BodyError::ChunkSize)
        };
    };
    let text = seen[..line]
        .strip_suffix(b"\r")
        .ok_or(BodyError::ChunkSize)?;
    let digits = text.split(|byte| *byte == b';').next().unwrap_or_default();
    let valid = (1..=16).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let extension_valid = text
        .iter()
        .all(|byte| *byte == b'\t' || !byte.is_ascii_control());
    if !valid || !extension_valid {
        return Err(BodyError::ChunkSize);
    }
    let mut size = 0_u64;
    for digit in digits {
        size = size << 4 | u64::from(char::from(*digit).to_digit(16).unwrap_or_default());
    }
    input.advance(line + 1);
    Ok(Some(size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn announced(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Feeds `wire` in pieces of `step` bytes; the body, whether it ended, and the bytes left over.
    fn feed(
        wire: &[u8],
        step: usize,
        names: Option<Vec<String>>,
    ) -> Result<(Body, bool, usize), BodyError> {
        let mut reader = Chunked::new(names);
        let mut body = Body::new(1 << 20);
        let mut input = BytesMut::new();
        let mut at = 0;
        for piece in wire.chunks(step.max(1)) {
            input.extend_from_slice(piece);
            at += piece.len();
            if reader.decode(&mut input, &mut body)? {
                return Ok((body, true, input.len() + wire.len() - at));
            }
        }
        Ok((body, false, input.len()))
    }

    #[test]
    fn chunks_and_trailers() {
        let wire = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX-A: 1\r\nx-b: 2\r\n\r\nrest";
        for step in 1..wire.len() {
            let (mut body, ended, left) =
                feed(wire, step, announced(&["x-a", "X-B"])).expect("valid");
            assert!(ended);
            assert_eq!(left, 4);
            let (data, chunks) = body.take();
            assert_eq!(&data[..], b"abc0123456789");
            assert_eq!(chunks, [&b"abc"[..], b"0123456789"]);
            assert_eq!(
                body.trailers,
                [
                    ("X-A".to_owned(), "1".to_owned()),
                    ("x-b".to_owned(), "2".to_owned())
                ]
            );
        }
    }

    #[test]
    fn broken_framing_is_refused_at_any_split() {
        for wire in [
            &b"g\r\n"[..],
            b"\r\n",
            b"-1\r\n",
            b" 1\r\na\r\n",
            b"1\na\r\n",
            b"1\r\nab\r\n",
            b"1\r\na\n\n",
            b"11111111111111111\r\n",
            b"1;\x01\r\n",
            b"0\r\nhost: a\r\n\r\n",
            b"0\r\nnot-announced: a\r\n\r\n",
            b"0\r\nx-a 1\r\n\r\n",
            b"0\r\nx-a: 1\nx-a: 2\r\n\r\n",
        ] {
            for step in 1..=wire.len() {
                let got = feed(wire, step, announced(&["x-a"]));
                assert!(
                    got.is_err(),
                    "{:?} by {step}",
                    String::from_utf8_lossy(wire)
                );
            }
        }
        let endless = vec![b'0'; LINE_LIMIT];
        assert!(feed(&endless, 1, None).is_err());
    }

    #[test]
    fn without_announcement_any_name_passes_if_none_is_demanded() {
        let (body, ended, _) = feed(b"0\r\nx: 1\r\n\r\n", 3, None).expect("valid");
        assert!(ended);
        assert_eq!(body.trailers.len(), 1);
    }

    proptest! {
        #[test]
        fn framing_round_trips(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
            step in 1_usize..50,
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let (mut body, ended, left) = feed(&wire, step, announced(&[])).expect("valid");
            prop_assert!(ended);
            prop_assert_eq!(left, 0);
            let (data, got) = body.take();
            prop_assert_eq!(&data[..], &chunks.concat()[..]);
            prop_assert_eq!(got, chunks);
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_split_does_not_matter(
            wire in proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'1')], 0..60),
            step in 1_usize..20,
        ) {
            let whole = feed(&wire, wire.len(), None);
            let split = feed(&wire, step, None);
            match (whole, split) {
                (Ok((mut a, a_ended, a_left)), Ok((mut b, b_ended, b_left))) => {
                    prop_assert_eq!(a.take(), b.take());
                    prop_assert_eq!((a_ended, a_left), (b_ended, b_left));
                }
                (Err(_), Err(_)) => {}
                (whole, split) => prop_assert!(false, "{whole:?} {split:?}"),
            }
        }
    }
}
