//! Bytes as a JSON string.

use super::text::{LOOK_AHEAD, Source, literal};

/// Appends `bytes` as [`string`](super::string) does, with U+FFFD for what is not UTF-8, and returns
/// how many of `bytes` were left out.
///
/// Allocates only for bytes that are not UTF-8, and no more than in proportion to `cap`.
pub(crate) fn lossy(out: &mut Vec<u8>, bytes: &[u8], cap: usize) -> usize {
    let head = bytes.get(..cap.saturating_add(LOOK_AHEAD)).unwrap_or(bytes);
    let complete = head.len() == bytes.len();
    let text = match str::from_utf8(head) {
        Ok(text) => text,
        // Only the last character is cut, and it is behind `cap`.
        Err(error) if error.error_len().is_none() && !complete => head
            .get(..error.valid_up_to())
            .and_then(|text| str::from_utf8(text).ok())
            .unwrap_or(""),
        Err(_) => return replaced(out, head, complete, cap) + (bytes.len() - head.len()),
    };
    let kept = text.floor_char_boundary(cap);
    literal(
        out,
        Source {
            seen: text.as_bytes(),
            kept,
            complete,
        },
    );
    bytes.len() - kept
}

/// The same for bytes that are known not to be UTF-8.
fn replaced(out: &mut Vec<u8>, bytes: &[u8], complete: bool, cap: usize) -> usize {
    let mut text = String::with_capacity(bytes.len());
    // As far as written: in bytes of the input and of `text`.
    let (mut input, mut kept) = (0, 0);
    let mut full = false;
    for chunk in bytes.utf8_chunks() {
        let (valid, invalid) = (chunk.valid(), chunk.invalid());
        if !full {
            let fits = valid.floor_char_boundary(cap - input);
            input += fits;
            kept = text.len() + fits;
            full = fits < valid.len();
        }
        text.push_str(valid);
        if !invalid.is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            full = full || invalid.len() > cap - input;
            if !full {
                input += invalid.len();
                kept = text.len();
            }
        }
    }
    literal(
        out,
        Source {
            seen: text.as_bytes(),
            kept,
            complete,
        },
    );
    bytes.len() - input
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(bytes: &[u8], cap: usize) -> (String, usize) {
        let mut out = Vec::new();
        let removed = lossy(&mut out, bytes, cap);
        (serde_json::from_slice(&out).unwrap(), removed)
    }

    #[test]
    fn cuts() {
        assert_eq!(parsed("aé".as_bytes(), 2), ("a".into(), 2));
        assert_eq!(parsed(b"a\xffb", 1), ("a".into(), 2));
        assert_eq!(parsed(b"a\xffb", 2), ("a\u{fffd}".into(), 1));
        assert_eq!(parsed(b"a\xe2\x80", 2), ("a".into(), 2));
        assert_eq!(parsed(b"a\xe2\x80", 3), ("a\u{fffd}".into(), 0));
        assert_eq!(parsed(b"a\xe2\x80b", 2), ("a".into(), 3));
    }

    #[test]
    fn cut_character_behind_the_look_ahead() {
        let text = "é".repeat(LOOK_AHEAD);
        assert_eq!(parsed(text.as_bytes(), 3), ("é".into(), text.len() - 2));
    }

    #[test]
    fn scrubs_across_invalid_bytes() {
        assert_eq!(
            parsed(b"x://u:\xffp@h\xfe", 99),
            ("x://[redacted]@h\u{fffd}".into(), 0)
        );
        assert_eq!(
            parsed(b"\xffx://u:p@h", 8),
            ("\u{fffd}x://[redacted]".into(), 2)
        );
    }

    proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>, cap in 0..120_usize) {
            let whole = String::from_utf8_lossy(&bytes);
            prop_assume!(!whole.contains("://") && !whole.contains(r":\/\/"));
            prop_assert_eq!(parsed(&bytes, bytes.len()), (whole.to_string(), 0));
            let (kept, removed) = parsed(&bytes, cap);
            prop_assert!(whole.starts_with(&kept));
            prop_assert!(bytes.len() - removed <= cap);
            prop_assert_eq!(&String::from_utf8_lossy(&bytes[..bytes.len() - removed]), &kept);
        }
    }
}
