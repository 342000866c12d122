//! The head of an answer: status and headers as slices of the receive buffer.

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::ProtocolError;

/// Headers an answer may have.
pub(super) const MAX_HEADERS: usize = 100;

/// Status and headers of an answer.
///
/// Names are matched without regard to case; the order of headers is kept. A value taken with
/// [`bytes`](Self::bytes) or [`text`](Self::text) is a slice of the receive buffer and keeps that
/// buffer (some kilobytes) in memory for as long as it lives.
///
/// `Debug` shows names only: platforms send credentials in headers.
#[derive(Default)]
pub struct Head {
    raw: Bytes,
    fields: Vec<Field>,
    status: u16,
    pub(super) http11: bool,
}

/// Offsets into `raw`.
#[derive(Clone, Copy)]
struct Field {
    name: (u32, u32),
    value: (u32, u32),
}

impl Head {
    /// The status code, 200 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first value of a header, possibly empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.named(name).next().map(|field| self.slice(field.value))
    }

    /// All values of a header, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.named(name).map(|field| self.slice(field.value))
    }

    /// The first value of a header without a copy.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Bytes> {
        let Field {
            value: (start, end),
            ..
        } = self.named(name).next()?;
        Some(self.raw.slice(start as usize..end as usize))
    }

    /// The first value of a header as text, without a copy. An empty value counts as absent: some
    /// servers send a header they have nothing to say in.
    ///
    /// # Errors
    ///
    /// The value is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<ByteString>, HeaderNotText> {
        match self.bytes(name) {
            Some(value) if !value.is_empty() => {
                ByteString::try_from(value)
                    .map(Some)
                    .map_err(|_| HeaderNotText {
                        name: name.to_owned(),
                    })
            }
            _ => Ok(None),
        }
    }

    /// All headers in the order they came, names as they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| {
            // The parser lets only token characters into a name, so this cannot fail.
            let name = std::str::from_utf8(self.slice(field.name)).unwrap_or_default();
            (name, self.slice(field.value))
        })
    }

    /// The head as it was received, and where names and values stand in it, in the order they
    /// came.
    pub fn spans(&self) -> (Bytes, impl Iterator<Item = (Range<u32>, Range<u32>)>) {
        let range = |(start, end): (u32, u32)| start..end;
        let spans = self
            .fields
            .iter()
            .map(move |field| (range(field.name), range(field.value)));
        (self.raw.clone(), spans)
    }

    /// How many headers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no header at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field> + 'a {
        let matches =
            move |field: &Field| self.slice(field.name).eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().copied().filter(matches)
    }

    fn slice(&self, (start, end): (u32, u32)) -> &[u8] {
        &self.raw[start as usize..end as usize]
    }

    /// Lets go of the receive buffer.
    pub(super) fn clear(&mut self) {
        self.raw = Bytes::new();
        self.fields.clear();
        self.status = 0;
    }

    /// Takes the head that ends at `end` out of `buf`.
    pub(super) fn take(&mut self, buf: &mut BytesMut, end: usize) -> Result<(), ProtocolError> {
        if self.parse(&buf[..end])? != Some(end) {
            return Err(ProtocolError::Head(
                "it does not end where its empty line is",
            ));
        }
        self.raw = buf.split_to(end).freeze();
        Ok(())
    }

    /// Takes the head out of `buf` if it is all there, in order and within `limit` bytes.
    pub(super) fn take_whole(&mut self, buf: &mut BytesMut, limit: usize) -> bool {
        match self.parse(buf) {
            Ok(Some(end)) if end <= limit => self.raw = buf.split_to(end).freeze(),
            _ => self.clear(),
        }
        !self.raw.is_empty()
    }

    /// Notes status and headers, and gives the length of the head if `text` holds all of it.
    fn parse(&mut self, text: &[u8]) -> Result<Option<usize>, ProtocolError> {
        self.clear();
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut []);
        let status = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut parsed,
            text,
            &mut headers,
        )?;
        let httparse::Status::Complete(end) = status else {
            return Ok(None);
        };
        let code = parsed.code.unwrap_or_default();
        if !(100..600).contains(&code) {
            return Err(ProtocolError::Status(code));
        }
        let span = |part: &[u8]| {
            // An empty value need not point into the text.
            if part.is_empty() {
                return (0, 0);
            }
            let start = part.as_ptr() as usize - text.as_ptr() as usize;
            (start as u32, (start + part.len()) as u32)
        };
        self.status = code;
        self.http11 = parsed.version == Some(1);
        self.fields.extend(parsed.headers.iter().map(|h| Field {
            name: span(h.name.as_bytes()),
            value: span(h.value),
        }));
        Ok(Some(end))
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("status", &self.status)
            .field(
                "names",
                &self.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            )
            .finish()
    }
}

/// A header's value is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value of header {name} is not UTF-8")]
pub struct HeaderNotText {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        let mut head = Head::default();
        let mut buf = BytesMut::from(text);
        let end = buf.len();
        head.take(&mut buf, end).unwrap();
        head
    }

    #[test]
    fn values_are_slices_of_the_buffer() {
        let head = head("HTTP/1.1 200 OK\r\nX-A:  one \r\nx-a: two\r\nX-Empty:\r\n\r\n");
        assert_eq!(head.status(), 200);
        assert_eq!(head.get("x-A"), Some(&b"one"[..]));
        assert_eq!(head.all("x-a").collect::<Vec<_>>(), [b"one", b"two"]);
        assert_eq!(head.text("X-A").unwrap().unwrap(), "one");
        assert_eq!(head.get("x-empty"), Some(&b""[..]));
        assert_eq!(head.text("x-empty").unwrap(), None);
        assert_eq!(head.text("x-none").unwrap(), None);
        let value = head.bytes("x-a").unwrap();
        assert!(head.raw.as_ptr_range().contains(&value.as_ptr()), "copied");
        assert_eq!(
            head.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["X-A", "x-a", "X-Empty"]
        );
    }

    #[test]
    fn debug_hides_values() {
        let head = head("HTTP/1.1 200 OK\r\nx-token: hunter2\r\n\r\n");
        let shown = format!("{head:?}");
        assert!(
            shown.contains("x-token") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn text_that_is_not_utf8_names_its_header() {
        let mut head = Head::default();
        let mut buf = BytesMut::from(&b"HTTP/1.1 200 OK\r\nx-b: \xff\r\n\r\n"[..]);
        let end = buf.len();
        head.take(&mut buf, end).unwrap();
        assert_eq!(head.get("x-b"), Some(&b"\xff"[..]));
        assert!(head.text("x-b").unwrap_err().to_string().contains("x-b"));
    }
}
