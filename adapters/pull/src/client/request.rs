//! Writes the head of a request.

use std::io::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::Endpoint;

/// All but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A piece of a request path.
#[derive(Debug, Clone, Copy)]
pub enum PathPart<'a> {
    /// Text of the program, written as it is.
    Fixed(&'static str),
    /// A value from outside, percent-encoded so that it stays one segment.
    Segment(&'a str),
}

/// Appends a request to a buffer.
///
/// Names are text of the program; values may come from anywhere: CR, LF and NUL in them become
/// spaces (RFC 9110, section 5.5), so no value can add a header or end the head.
///
/// ```
/// # use faas_sdk_pull::{Endpoint, PathPart, RequestWriter};
/// let endpoint = Endpoint::parse("API", "127.0.0.1:9001")?;
/// let mut out = Vec::new();
/// RequestWriter::new(&mut out, "POST", &endpoint, &[PathPart::Fixed("/done/"), PathPart::Segment("a/1")])
///     .header("content-type", b"text/plain")
///     .body(b"ok");
/// assert_eq!(
///     out,
///     b"POST /done/a%2F1 HTTP/1.1\r\nhost: 127.0.0.1:9001\r\n\
///       content-type: text/plain\r\ncontent-length: 2\r\n\r\nok"
/// );
/// # Ok::<(), faas_sdk_pull::EndpointError>(())
/// ```
#[derive(Debug)]
#[must_use = "a request is finished by `end`, `body`, `length` or `chunked`"]
pub struct RequestWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> RequestWriter<'o> {
    /// Writes the request line and the `host` header.
    pub fn new(
        out: &'o mut Vec<u8>,
        method: &'static str,
        endpoint: &Endpoint,
        path: &[PathPart<'_>],
    ) -> Self {
        out.extend_from_slice(method.as_bytes());
        out.push(b' ');
        out.extend_from_slice(endpoint.prefix().as_bytes());
        for part in path {
            match part {
                PathPart::Fixed(text) => out.extend_from_slice(text.as_bytes()),
                PathPart::Segment(text) => {
                    for piece in percent_encode(text.as_bytes(), SEGMENT) {
                        out.extend_from_slice(piece.as_bytes());
                    }
                }
            }
        }
        out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
        out.extend_from_slice(endpoint.authority().as_bytes());
        out.extend_from_slice(b"\r\n");
        Self { out }
    }

    /// Adds one header.
    pub fn header(self, name: &'static str, value: &[u8]) -> Self {
        field(self.out, name, value);
        self
    }

    /// Ends a request without a body.
    pub fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// Ends the head with a `content-length` of `length` bytes, which the caller sends after it.
    pub fn length(self, length: usize) {
        content_length(self.out, length);
    }

    /// Ends the request with this body.
    pub fn body(self, body: &[u8]) {
        content_length(self.out, body.len());
        self.out.extend_from_slice(body);
    }

    /// Ends the head of a chunked request, announcing the trailers that may follow it.
    pub fn chunked(self, trailers: &[&'static str]) {
        self.out
            .extend_from_slice(b"transfer-encoding: chunked\r\n");
        for (n, name) in trailers.iter().enumerate() {
            self.out
                .extend_from_slice(if n == 0 { b"trailer: " } else { b", " });
            self.out.extend_from_slice(name.as_bytes());
        }
        self.out.extend_from_slice(if trailers.is_empty() {
            b"\r\n"
        } else {
            b"\r\n\r\n"
        });
    }
}

fn content_length(out: &mut Vec<u8>, length: usize) {
    // A `Vec` takes every write.
    let _ = write!(out, "content-length: {length}\r\n\r\n");
}

/// One header or trailer line.
pub(super) fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend(value.iter().map(|b| {
        if matches!(b, b'\r' | b'\n' | 0) {
            b' '
        } else {
            *b
        }
    }));
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn endpoint() -> Endpoint {
        Endpoint::parse("API", "http://h:1/p").unwrap()
    }

    #[test]
    fn a_poll_and_a_chunked_head() {
        let mut out = Vec::new();
        RequestWriter::new(&mut out, "GET", &endpoint(), &[PathPart::Fixed("/next")]).end();
        assert_eq!(out, b"GET /p/next HTTP/1.1\r\nhost: h:1\r\n\r\n");

        out.clear();
        RequestWriter::new(&mut out, "POST", &endpoint(), &[PathPart::Fixed("/r")])
            .chunked(&["x-a", "x-b"]);
        assert_eq!(
            out,
            b"POST /p/r HTTP/1.1\r\nhost: h:1\r\ntransfer-encoding: chunked\r\ntrailer: x-a, x-b\r\n\r\n"
        );

        out.clear();
        RequestWriter::new(&mut out, "POST", &endpoint(), &[]).chunked(&[]);
        assert!(out.ends_with(b"chunked\r\n\r\n"));
    }

    proptest! {
        /// What comes from outside changes neither the path's depth nor the number of headers.
        #[test]
        fn no_value_splits_the_request(id in ".*", value in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut out = Vec::new();
            let path = [PathPart::Fixed("/i/"), PathPart::Segment(&id), PathPart::Fixed("/done")];
            RequestWriter::new(&mut out, "POST", &endpoint(), &path).header("x-v", &value).body(b"");
            let mut headers = [httparse::EMPTY_HEADER; 8];
            let mut request = httparse::Request::new(&mut headers);
            // A value may still hold a control character, which a server refuses; no more than that.
            match request.parse(&out) {
                Ok(status) => {
                    prop_assert_eq!(status, httparse::Status::Complete(out.len()));
                    prop_assert_eq!(request.headers.len(), 3);
                    prop_assert_eq!(request.path.unwrap().split('/').count(), 5);
                }
                Err(error) => prop_assert_eq!(error, httparse::Error::HeaderValue),
            }
        }
    }
}
