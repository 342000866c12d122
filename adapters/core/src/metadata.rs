use crate::Text;
use bytes::Bytes;
use std::fmt;

/// What a platform sent beside the payload, such as headers of its own: names and raw values in
/// the order of their arrival, repeated names kept.
///
/// `Debug` hides the values whose names speak of keys, tokens, secrets, cookies or authorization.
#[derive(Clone, Default)]
pub struct Metadata(Vec<(Text, Bytes)>);

impl Metadata {
    /// An empty list with room for `capacity` entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Adds an entry.
    pub fn push(&mut self, name: impl Into<Text>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// The first value of this name, whatever its case, if it is UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut named = self
            .0
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.find_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// All values of this name, whatever its case.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.0
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
            .entries(self.0.iter().map(|(name, value)| {
                let shown = if is_secret(name) {
                    &b"[redacted]"[..]
                } else {
                    value
                };
                (&**name, String::from_utf8_lossy(shown))
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
        assert_eq!(metadata.get("x-PART"), Some("one"));
        assert_eq!(metadata.get_all("x-part").count(), 2);
        let shown = format!("{metadata:?}");
        assert!(!shown.contains("hush") && shown.contains("one"), "{shown}");
    }
}
