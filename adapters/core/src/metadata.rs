use crate::Text;
use bytes::Bytes;
use std::fmt;
use std::ops::Range;

/// What a platform sent beside the payload, such as headers of its own: names and raw values in
/// the order of their arrival, repeated names kept.
///
/// `Debug` hides the values whose names speak of keys, tokens, secrets, cookies or authorization.
#[derive(Clone, Default)]
pub struct Metadata {
    /// The receive buffer that the spans are parts of.
    raw: Bytes,
    spans: Vec<Span>,
    pushed: Vec<(Text, Bytes)>,
}

/// A name and its value, as parts of a buffer.
type Span = (Range<u32>, Range<u32>);

impl Metadata {
    /// Entries that are parts of a buffer, without a copy. Spans that lie outside of it, and names
    /// that are not UTF-8, count as empty.
    #[must_use]
    pub fn from_spans(raw: Bytes, spans: Vec<(Range<u32>, Range<u32>)>) -> Self {
        Self {
            raw,
            spans,
            pushed: Vec::new(),
        }
    }

    /// Adds an entry.
    pub fn push(&mut self, name: impl Into<Text>, value: impl Into<Bytes>) {
        self.pushed.push((name.into(), value.into()));
    }

    /// The first value of this name, whatever its case, if it is UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut named = self
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.find_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// All values of this name, whatever its case.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let part = |span: &Range<u32>| {
            self.raw
                .get(span.start as usize..span.end as usize)
                .unwrap_or_default()
        };
        let spans = self.spans.iter().map(move |(name, value)| {
            (
                std::str::from_utf8(part(name)).unwrap_or_default(),
                part(value),
            )
        });
        spans.chain(self.pushed.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.pushed.is_empty()
    }
}

/// Whether a value under this name may be a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "authorization",
        "cookie",
        "key",
        "token",
        "secret",
        "password",
        "credential",
        "identity",
    ]
    .iter()
    .any(|word| name.contains(word))
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| {
                let shown = if is_secret(name) {
                    &b"[redacted]"[..]
                } else {
                    value
                };
                (name, String::from_utf8_lossy(shown))
            }))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_repeats_and_hides_secrets() {
        let mut metadata = Metadata::default();
        metadata.push("X-Fc-Access-Key-Secret", "hush");
        metadata.push("X-Part", "one");
        metadata.push("x-part", vec![0xff]);
        let raw = Bytes::from_static(b"cookie: hush");
        assert!(!format!("{:?}", Metadata::from_spans(raw, vec![(0..6, 8..12)])).contains("hush"));
        assert_eq!(metadata.get("x-PART"), Some("one"));
        assert_eq!(metadata.get_all("x-part").count(), 2);
        let shown = format!("{metadata:?}");
        assert!(!shown.contains("hush") && shown.contains("one"), "{shown}");
    }
}
