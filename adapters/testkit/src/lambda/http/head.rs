//! The head of a request.

use thiserror::Error;

use super::{HEAD_LIMIT, Headers, find, owned};

const MAX_HEADERS: usize = 4096;

/// A parsed request head.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Headers,
    http_1_0: bool,
}

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
}

/// Why a head cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum HeadError {
    #[error("request head exceeds {HEAD_LIMIT} bytes or {MAX_HEADERS} headers")]
    TooLarge,
    #[error("malformed request head: {0}")]
    Malformed(String),
    #[error("unsupported transfer encoding {0:?}")]
    TransferEncoding(String),
}

/// Parses the head at the start of `input`: the head and its length, or `None` if more bytes are needed.
pub(crate) fn parse(input: &[u8]) -> Result<Option<(Head, usize)>, HeadError> {
    let mut room = 64;
    loop {
        let mut headers = vec![httparse::EMPTY_HEADER; room];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(input) {
            Ok(httparse::Status::Partial) if input.len() > HEAD_LIMIT => {
                return Err(HeadError::TooLarge);
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Ok(httparse::Status::Complete(length)) if length > HEAD_LIMIT => {
                return Err(HeadError::TooLarge);
            }
            Ok(httparse::Status::Complete(length)) => {
                if bare_line_feed(&input[..length]) {
                    return Err(HeadError::Malformed("a line ends without CR".to_owned()));
                }
                let (Some(method), Some(target)) = (request.method, request.path) else {
                    return Err(HeadError::Malformed("no request line".to_owned()));
                };
                let head = Head {
                    method: method.to_owned(),
                    target: target.to_owned(),
                    http_1_0: request.version == Some(0),
                    headers: owned(request.headers),
                };
                return Ok(Some((head, length)));
            }
            Err(httparse::Error::TooManyHeaders) if room < MAX_HEADERS => room *= 4,
            Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
            Err(error) => return Err(HeadError::Malformed(error.to_string())),
        }
    }
}

fn bare_line_feed(head: &[u8]) -> bool {
    head.iter()
        .enumerate()
        .any(|(at, byte)| *byte == b'\n' && (at == 0 || head[at - 1] != b'\r'))
}

impl Head {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The value of a header, an empty one counting as absent.
    pub(crate) fn non_empty(&self, name: &str) -> Option<&str> {
        self.header(name).filter(|value| !value.is_empty())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The comma-separated members of all headers of one name, trimmed.
    pub(crate) fn members<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all(name)
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|member| !member.is_empty())
    }

    /// Whether the peer wants the connection closed after the answer.
    pub(crate) fn closes(&self) -> bool {
        let says = |option: &str| {
            self.members("connection")
                .any(|member| member.eq_ignore_ascii_case(option))
        };
        says("close") || (self.http_1_0 && !says("keep-alive"))
    }

    /// Whether the peer waits for `100 Continue` before it sends the body.
    pub(crate) fn expects_continue(&self) -> bool {
        self.header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// How the body ends; a request without both headers has none.
    pub(crate) fn framing(&self) -> Result<Framing, HeadError> {
        let mut lengths = self.all("content-length");
        let length = lengths.next();
        if lengths.next().is_some() {
            return Err(HeadError::Malformed(
                "Content-Length is repeated".to_owned(),
            ));
        }
        let mut codings = self.all("transfer-encoding");
        match (codings.next(), length) {
            (Some(_), Some(_)) => Err(HeadError::Malformed(
                "both Content-Length and Transfer-Encoding".to_owned(),
            )),
            (Some(coding), None) => {
                if coding.eq_ignore_ascii_case("chunked") && codings.next().is_none() {
                    Ok(Framing::Chunked)
                } else {
                    Err(HeadError::TransferEncoding(coding.to_owned()))
                }
            }
            (None, Some(length)) => {
                let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
                match length.parse() {
                    Ok(length) if digits => Ok(Framing::Length(length)),
                    _ => Err(HeadError::Malformed(format!("Content-Length {length:?}"))),
                }
            }
            (None, None) => Ok(Framing::Length(0)),
        }
    }

    /// Whether a host is named, which HTTP/1.1 demands.
    pub(crate) fn has_host(&self) -> bool {
        self.http_1_0 || self.all("host").count() == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(lines: &str) -> Head {
        let text = format!("POST /x HTTP/1.1\r\n{lines}\r\n");
        let (head, length) = parse(text.as_bytes()).expect("valid").expect("complete");
        assert_eq!(length, text.len());
        head
    }

    #[test]
    fn framing_is_read_strictly() {
        assert_eq!(head("").framing(), Ok(Framing::Length(0)));
        assert_eq!(
            head("content-length: 5\r\n").framing(),
            Ok(Framing::Length(5))
        );
        assert_eq!(
            head("Transfer-Encoding: Chunked\r\n").framing(),
            Ok(Framing::Chunked)
        );
        for bad in [
            "content-length: +5\r\n",
            "content-length: \r\n",
            "content-length: 5\r\ncontent-length: 5\r\n",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "content-length: 99999999999999999999\r\n",
        ] {
            assert!(head(bad).framing().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lines_must_end_with_crlf() {
        assert!(parse(b"GET / HTTP/1.1\r\nHost").expect("so far").is_none());
        assert!(parse(b"GET / HTTP/1.1\nHost: a\n\n").is_err());
        assert!(parse(b"\0\0").is_err());
    }

    #[test]
    fn limits_hold() {
        let many = "a: b\r\n".repeat(MAX_HEADERS + 1);
        let text = format!("GET / HTTP/1.1\r\n{many}\r\n");
        assert_eq!(parse(text.as_bytes()).err(), Some(HeadError::TooLarge));
        let long = format!("GET / HTTP/1.1\r\na: {}", "b".repeat(HEAD_LIMIT));
        assert_eq!(parse(long.as_bytes()).err(), Some(HeadError::TooLarge));
    }

    #[test]
    fn connection_options() {
        assert!(head("connection: keep-alive, Close\r\n").closes());
        assert!(!head("").closes());
        let old = parse(b"GET / HTTP/1.0\r\n\r\n")
            .expect("valid")
            .expect("complete")
            .0;
        assert!(old.closes() && old.has_host());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(input in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(Some((head, length))) = parse(&input) {
                prop_assert!(length <= input.len());
                let _ = (head.framing(), head.closes(), head.has_host());
            }
        }
    }
}
