//! Any value that serde can serialize.

mod compound;
mod key_text;
#[cfg(test)]
mod property_tests;
mod serializer;
#[cfg(test)]
mod tests;
mod writer;

use crate::redact::Redact;
use writer::Writer;

/// How much of a value is written.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How many levels of objects and arrays.
    pub(crate) depth: usize,
    /// How many bytes of each string.
    pub(crate) string: usize,
    /// How many bytes in all. One entry and the closing brackets may go beyond.
    pub(crate) total: usize,
    /// How many entries of each object and elements of each array.
    pub(crate) entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 4,
            string: 4 * 1024,
            total: 16 * 1024,
            entries: 64,
        }
    }
}

/// Appends `value` as compact JSON within `limits` and returns how much was left out: bytes as far as
/// they were seen, and at least one for each part that was not.
///
/// Never fails: what is appended is always one complete JSON value. If `value` can not be
/// serialized, it is the string `"[unserializable]"`.
///
/// * Strings are written as by [`string`](super::string), numbers as by its siblings, bytes as
///   base64, keys as by [`key`](super::key).
/// * An array too deep is `"[…]"`, an object `"{…}"`.
/// * Of entries with the same key the first is kept.
/// * The value of a key that `redact` matches is `"[redacted]"` and is not serialized.
///
/// A value with more than is written is not serialized to its end, so even an endless one is fine.
/// Panics of `value` are passed on; `out` is incomplete then.
pub(crate) fn json<T: serde::Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
    limits: &Limits,
    redact: &Redact,
) -> usize {
    Writer::new(out, limits, redact).whole(value)
}
