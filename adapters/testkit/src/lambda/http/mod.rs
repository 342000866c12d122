//! HTTP/1.1 as far as the Runtime API needs it, read strictly.

mod answer;
mod body;
mod body_reader;
mod chunked;
mod head;

pub(super) use answer::Answer;
pub(super) use body::{Body, BodyError};
pub(super) use body_reader::BodyReader;
pub(super) use head::{Head, HeadError, parse};

/// Headers or trailers in the order they came; bytes that are not UTF-8 are replaced.
pub(super) type Headers = Vec<(String, String)>;

/// Most bytes of a request head, and of the trailers.
pub(super) const HEAD_LIMIT: usize = 1 << 20;

/// The first value of a header, whatever the case of its name.
pub(super) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(have, _)| have.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Owns what httparse borrowed.
fn owned(headers: &[httparse::Header<'_>]) -> Headers {
    headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_owned(), value)
        })
        .collect()
}
