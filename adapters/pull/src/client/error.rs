//! What can go wrong in an exchange.

use std::io;
use std::time::Duration;

/// Why an exchange gave no answer. The connection it happened on is closed; the next exchange
/// opens another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection could be opened.
    #[error("could not connect to {authority}")]
    Connect {
        /// `host:port`.
        authority: String,
        /// What the system said.
        source: io::Error,
    },
    /// The request, or a piece of it, could not be written.
    #[error("could not send the request")]
    Send(#[source] io::Error),
    /// The answer could not be read.
    #[error("could not read the answer")]
    Receive(#[source] io::Error),
    /// The server closed the connection without a byte of answer.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// The server took longer than allowed, to accept the connection, to take the request or to answer.
    #[error("the server did not {waited_for} within {limit:?}")]
    Timeout {
        /// `accept the connection`, `answer`, or `go on`.
        waited_for: &'static str,
        /// The limit that passed.
        limit: Duration,
    },
    /// The answer breaks HTTP or a limit.
    #[error("the answer cannot be used")]
    Protocol(#[from] ProtocolError),
    /// A streamed request was cut short before this call, by an earlier failure or because the
    /// future of an earlier call was dropped.
    #[error("the upload was cut short")]
    Interrupted,
}

/// How an answer breaks HTTP/1.1 (RFC 9112) or a limit of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The first bytes are not those of an HTTP/1.x answer.
    #[error("it does not start with HTTP/1.")]
    NotHttp,
    /// The head is longer than the limit.
    #[error("its head is longer than {limit} bytes")]
    HeadTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// There are more headers than the limit.
    #[error("it has more than {limit} headers")]
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// The head is not well-formed.
    #[error("its head is malformed: {0}")]
    Head(&'static str),
    /// A status outside 100 to 599.
    #[error("its status is {0}")]
    Status(u16),
    /// `101 Switching Protocols`, which was not asked for.
    #[error("it switches protocols unasked")]
    SwitchesProtocols,
    /// A row of interim (1xx) answers without an end.
    #[error("more than {limit} interim answers precede it")]
    TooManyInterim {
        /// The limit.
        limit: u8,
    },
    /// `content-length` occurs more than once.
    #[error("it has more than one content-length")]
    DuplicateContentLength,
    /// `content-length` is not a number.
    #[error("its content-length is not a number")]
    ContentLength,
    /// Both `transfer-encoding` and `content-length` are given.
    #[error("it has both transfer-encoding and content-length")]
    LengthAndChunked,
    /// A `transfer-encoding` other than a single `chunked`, or one in HTTP/1.0.
    #[error("its transfer-encoding is not chunked alone")]
    TransferEncoding,
    /// A chunk's size line is malformed or too long.
    #[error("a chunk size is malformed")]
    ChunkSize,
    /// A chunk is not followed by CRLF.
    #[error("a chunk does not end where its size says")]
    ChunkEnd,
    /// The trailers are malformed or over the limits of a head.
    #[error("its trailers are malformed or too long")]
    Trailers,
    /// The body is longer than the limit.
    #[error("its body is longer than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The server closed the connection in the middle of the answer.
    #[error("it is cut short")]
    Truncated,
}

impl From<httparse::Error> for ProtocolError {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::HeaderName => Self::Head("a header name"),
            httparse::Error::HeaderValue => Self::Head("a header value"),
            httparse::Error::NewLine => Self::Head("a line end"),
            httparse::Error::Status => Self::Head("the status line"),
            httparse::Error::Token => Self::Head("a token"),
            httparse::Error::TooManyHeaders => Self::TooManyHeaders {
                limit: super::head::MAX_HEADERS,
            },
            httparse::Error::Version => Self::NotHttp,
        }
    }
}
