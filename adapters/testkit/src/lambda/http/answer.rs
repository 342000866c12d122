//! Answers and their bytes.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::json;

use super::Headers;
use crate::lambda::fault::{Cut, Fault};

/// An answer to one request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

/// An answer as it goes over the wire.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) bytes: Vec<u8>,
    /// Whether the connection is closed behind it.
    pub(crate) close: bool,
    /// Whether the answer is complete.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.into(),
        }
    }

    pub(crate) fn text(status: u16, body: &'static str) -> Self {
        let content_type = "text/plain; charset=utf-8".to_owned();
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type)],
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    /// `202` with the status JSON.
    pub(crate) fn accepted() -> Self {
        Self::json(202, &b"{\"status\":\"OK\"}\n"[..])
    }

    /// The platform's error JSON.
    pub(crate) fn error(status: u16, error_type: &str, message: &str) -> Self {
        let body = json!({"errorMessage": message, "errorType": error_type});
        Self::json(status, format!("{body}\n"))
    }

    /// The bytes of the answer, disturbed as `fault` says.
    pub(crate) fn wire(&self, close: bool, fault: Option<&Fault>) -> Wire {
        let close = close || matches!(fault, Some(Fault::ConnectionClose));
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut line = |name: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        };
        for (name, value) in &self.headers {
            line(name, value);
        }
        if let Some(Fault::HeaderFlood { count, value_len }) = fault {
            for n in 0..*count {
                line(&format!("X-Flood-{n}"), &"x".repeat(*value_len));
            }
        }
        if close {
            line("Connection", "close");
        }
        let body = match fault {
            Some(Fault::Chunked { size }) => {
                line("Transfer-Encoding", "chunked");
                chunked(&self.body, (*size).max(1))
            }
            _ => {
                line("Content-Length", &self.body.len().to_string());
                self.body.to_vec()
            }
        };
        head.push_str("\r\n");
        let head_len = head.len();
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&body);
        let mut wire = Wire {
            bytes,
            close,
            whole: true,
        };
        match fault {
            Some(Fault::Cut(cut)) => {
                let at = match cut {
                    Cut::Head => head_len / 2,
                    Cut::Body => head_len + body.len() / 2,
                    Cut::At(at) => *at,
                };
                wire.whole = at >= wire.bytes.len();
                wire.bytes.truncate(at);
                wire.close = true;
            }
            Some(Fault::Extra(extra)) => wire.bytes.extend_from_slice(extra),
            _ => {}
        }
        wire
    }
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 64);
    for chunk in body.chunks(size) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(wire: &Wire) -> String {
        String::from_utf8(wire.bytes.clone()).expect("ASCII")
    }

    #[test]
    fn the_plain_answer_is_exact() {
        let wire = Answer::accepted().wire(false, None);
        assert_eq!(
            text(&wire),
            "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n\
             Content-Length: 16\r\n\r\n{\"status\":\"OK\"}\n"
        );
        assert!(wire.whole && !wire.close);
    }

    #[test]
    fn cuts_leave_a_part_and_close() {
        let answer = Answer::json(200, "0123456789");
        let whole = text(&answer.wire(false, None));
        let head = answer.wire(false, Some(&Fault::Cut(Cut::Head)));
        assert!(whole.starts_with(&text(&head)) && !text(&head).contains("\r\n\r\n"));
        let body = answer.wire(false, Some(&Fault::Cut(Cut::Body)));
        assert!(text(&body).ends_with("\r\n\r\n01234"));
        assert!(body.close && !body.whole);
        let none = answer.wire(false, Some(&Fault::Cut(Cut::At(0))));
        assert!(none.bytes.is_empty() && !none.whole);
        assert!(answer.wire(false, Some(&Fault::Cut(Cut::At(9999)))).whole);
    }

    #[test]
    fn chunked_answers_have_no_length() {
        let wire = Answer::json(200, "abcde").wire(false, Some(&Fault::Chunked { size: 2 }));
        assert!(text(&wire).ends_with("\r\n\r\n2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n"));
        assert!(!text(&wire).contains("Content-Length"));
    }
}
