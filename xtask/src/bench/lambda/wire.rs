//! The host's side of one HTTP/1.1 connection: just enough for a well-behaved program.

use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// More than any event, report or head of the bench.
const LIMIT: usize = 64 * 1024;

/// One accepted connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// One request, read to its end.
#[derive(Debug)]
pub(super) struct Request {
    /// `GET`, `POST` …
    pub(super) method: String,
    /// The target as sent.
    pub(super) path: String,
    /// All of the body.
    pub(super) body: Vec<u8>,
}

impl Wire {
    /// Takes over `stream`.
    pub(super) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(LIMIT),
        })
    }

    /// The next request; `None` when the other side has closed between two of them.
    pub(super) fn request(&mut self) -> Result<Option<Request>> {
        self.buffer.clear();
        loop {
            if !self.fill()? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    bail!("the connection was closed in mid-request")
                };
            }
            if let Some((request, length)) = parse(&self.buffer)? {
                // One exchange at a time: what follows the request would be a second one.
                if self.buffer.len() > length {
                    bail!("{} bytes follow the request", self.buffer.len() - length);
                }
                return Ok(Some(request));
            }
            if self.buffer.len() >= LIMIT {
                bail!("a request of more than {LIMIT} bytes");
            }
        }
    }

    /// Sends all of `answer`.
    pub(super) fn answer(&mut self, answer: &[u8]) -> Result<()> {
        self.stream.write_all(answer).context("sending an answer")
    }

    fn fill(&mut self) -> Result<bool> {
        let mut chunk = [0; 4096];
        let read = match self.stream.read(&mut chunk) {
            // A program that was killed: the socket says so in one of two ways.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            read => read.context("reading a request")?,
        };
        self.buffer.extend_from_slice(&chunk[..read]);
        Ok(read > 0)
    }
}

/// The request at the start of `bytes` and its length; `None` if it is not complete.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(bytes).context("a request's head")? else {
        return Ok(None);
    };
    let mut length = 0;
    for header in head.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = std::str::from_utf8(header.value)?
                .parse()
                .context("content-length")?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("a chunked request: the bench sends and expects small bodies of known length");
        }
    }
    let Some(body) = bytes.get(start..start + length) else {
        return Ok(None);
    };
    let request = Request {
        method: head.method.context("no method")?.to_owned(),
        path: head.path.context("no path")?.to_owned(),
        body: body.to_vec(),
    };
    Ok(Some((request, start + length)))
}

#[cfg(test)]
mod tests {
    use super::parse;

    const POST: &[u8] = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";

    #[test]
    fn a_request_is_complete_with_its_last_byte() {
        for end in 0..POST.len() {
            assert!(parse(&POST[..end]).unwrap().is_none(), "after {end} bytes");
        }
        let (request, length) = parse(POST).unwrap().expect("all bytes are there");
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/x")
        );
        assert_eq!(request.body, b"body");
        assert_eq!(length, POST.len());
    }

    #[test]
    fn what_the_host_cannot_read_is_an_error() {
        assert!(parse(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(parse(b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n").is_err());
        assert!(parse(b"\0\r\n\r\n").is_err());
    }
}
