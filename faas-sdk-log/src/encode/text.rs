//! Text as a JSON string.

use super::url::Scrubber;
use crate::redact::REDACTED;

/// How many bytes behind a cut are looked at to decide whether a URL there has credentials.
pub(super) const LOOK_AHEAD: usize = 256;

/// How many bytes are searched at once; small enough for the registers of every platform.
const BLOCK: usize = 16;

const HEX: [u8; 16] = *b"0123456789abcdef";

/// Appends `text` as a JSON string in quotes and returns how many bytes of `text` were left out.
///
/// At most `cap` bytes of `text` are kept, whole characters only. Beside what JSON demands, U+007F,
/// U+2028 and U+2029 are escaped, because terminals and line splitters act on them. The user
/// information of a URL becomes `[redacted]`, which does not count as left out.
pub(crate) fn string(out: &mut Vec<u8>, text: &str, cap: usize) -> usize {
    if text.len() <= cap {
        let source = Source {
            seen: text.as_bytes(),
            kept: text.len(),
            complete: true,
        };
        literal(out, source);
        return 0;
    }
    let kept = text.floor_char_boundary(cap);
    let seen = text.as_bytes().get(..kept.saturating_add(LOOK_AHEAD));
    let source = Source {
        seen: seen.unwrap_or(text.as_bytes()),
        kept,
        complete: seen.is_none(),
    };
    literal(out, source);
    text.len() - kept
}

/// A text to be written, with what is known about the part that is not.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// The text as far as it is known.
    pub(super) seen: &'a [u8],
    /// How much of it is written: the end of a character within `seen`.
    pub(super) kept: usize,
    /// Whether the text really ends where `seen` does.
    pub(super) complete: bool,
}

/// Appends the kept part of `source` as a JSON string in quotes.
pub(super) fn literal(out: &mut Vec<u8>, source: Source<'_>) {
    let body = source.seen.get(..source.kept).unwrap_or(source.seen);
    out.reserve(body.len() + 2);
    out.push(b'"');
    let mut writer = Writer {
        out,
        body,
        clean: 0,
        scrubber: Scrubber::new(source.seen, source.complete),
    };
    writer.body();
    writer.flush(body.len());
    writer.out.push(b'"');
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    body: &'a [u8],
    /// Where the part of `body` starts that is not written yet.
    clean: usize,
    scrubber: Scrubber<'a>,
}

impl Writer<'_> {
    #[inline]
    fn body(&mut self) {
        let (blocks, rest) = self.body.as_chunks::<BLOCK>();
        let mut start = 0;
        for block in blocks {
            self.block(start, specials(block));
            start += BLOCK;
        }
        if rest.is_empty() {
            return;
        }
        if let Some(block) = self.body.last_chunk::<BLOCK>() {
            // The last block overlaps the one before; what was seen there is shifted out.
            let seen = BLOCK - rest.len();
            self.block(start, specials(block) >> (8 * seen));
        } else {
            for (at, &byte) in rest.iter().enumerate() {
                if SPECIAL[usize::from(byte)] {
                    self.special(at);
                }
            }
        }
    }

    /// Deals with the special bytes of one block, one lane of `lanes` for each byte.
    #[inline]
    fn block(&mut self, start: usize, lanes: u128) {
        if lanes == 0 {
            return;
        }
        let mut bits = bits(lanes);
        while bits != 0 {
            self.special(start + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }

    /// Deals with the special byte at `at`, unless a redaction covers it.
    #[inline]
    fn special(&mut self, at: usize) {
        let (byte, next) = match self.body.get(at..) {
            Some([byte, next, ..]) => (*byte, *next),
            Some([byte]) => (*byte, 0),
            _ => return,
        };
        // Most colons and most characters of three bytes are neither.
        match byte {
            b':' if !matches!(next, b'/' | b'\\') => {}
            0xe2 if next != 0x80 => {}
            _ if at < self.clean => {}
            b':' => self.colon(at),
            0xe2 => match self.body.get(at + 2) {
                Some(0xa8) => self.replace(at, br"\u2028", at + 3),
                Some(0xa9) => self.replace(at, br"\u2029", at + 3),
                _ => {}
            },
            _ => match SHORT[usize::from(byte)] {
                0 => {
                    let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]);
                    self.replace(at, &[b'\\', b'u', b'0', b'0', high, low], at + 1);
                }
                short => self.replace(at, &[b'\\', short], at + 1),
            },
        }
    }

    #[cold]
    fn colon(&mut self, at: usize) {
        let Some(userinfo) = self.scrubber.userinfo(at) else {
            return;
        };
        if userinfo.start >= self.body.len() {
            return;
        }
        if userinfo.start - at > 3 {
            // The slashes are escaped in the text, and their backslashes again here.
            self.replace(at, br":\\/\\/", userinfo.start);
        }
        self.replace(userinfo.start, REDACTED.as_bytes(), userinfo.end);
    }

    #[inline]
    fn replace(&mut self, at: usize, with: &[u8], next: usize) {
        self.flush(at);
        self.out.extend_from_slice(with);
        self.clean = next;
    }

    #[inline]
    fn flush(&mut self, end: usize) {
        if let Some(run) = self.body.get(self.clean..end) {
            self.out.extend_from_slice(run);
        }
    }
}

/// Whether `byte` may have to be written in another way than as it is.
const fn is_special(byte: u8) -> bool {
    // 0xe2 starts U+2028 and U+2029, a colon may belong to a URL. No short circuits, so that a
    // block of bytes is compared at once.
    (byte < 0x20)
        | (byte == b'"')
        | (byte == b'\\')
        | (byte == b':')
        | (byte == 0x7f)
        | (byte == 0xe2)
}

/// One byte for each of `block`, in order from the lowest: 1 if it is special, else 0.
#[inline]
fn specials(block: &[u8; BLOCK]) -> u128 {
    u128::from_le_bytes(block.map(|byte| u8::from(is_special(byte))))
}

/// One bit for each lane.
#[inline]
fn bits(lanes: u128) -> u32 {
    // The product has bit n of the byte above all others from lane n.
    let half = |lanes: u64| (lanes.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32;
    half(lanes as u64) | half((lanes >> 64) as u64) << 8
}

const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = is_special(byte as u8);
        byte += 1;
    }
    table
};

/// What stands behind the backslash of the escapes that have a letter of their own.
const SHORT: [u8; 256] = {
    let mut table = [0; 256];
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[0x08] = b'b';
    table[0x0c] = b'f';
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str, cap: usize) -> (String, usize) {
        let mut out = Vec::new();
        let removed = string(&mut out, text, cap);
        (String::from_utf8(out).unwrap(), removed)
    }

    fn parsed(text: &str, cap: usize) -> (String, usize) {
        let (json, removed) = written(text, cap);
        (serde_json::from_str(&json).unwrap(), removed)
    }

    #[test]
    fn plain() {
        assert_eq!(written("", 10), (r#""""#.into(), 0));
        assert_eq!(written("käse 10:30", 99), (r#""käse 10:30""#.into(), 0));
    }

    #[test]
    fn escapes() {
        assert_eq!(
            written(
                "\"\\\n\r\t\u{8}\u{c}\0\u{1f}\u{7f}\u{2028}\u{2029}\u{2027}/",
                99
            )
            .0,
            "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f\\u007f\\u2028\\u2029\u{2027}/\""
        );
    }

    #[test]
    fn every_position() {
        for length in 0..70 {
            for at in 0..length {
                for special in ["\n", "\u{2028}", "\u{7f}", ":", "…"] {
                    let mut text = "x".repeat(length);
                    text.replace_range(at..=at, special);
                    assert_eq!(parsed(&text, 999), (text, 0));
                }
            }
        }
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(written("aé", 2), (r#""a""#.into(), 2));
        assert_eq!(written("aé", 3), (r#""aé""#.into(), 0));
        assert_eq!(written("\u{2028}b", 2), (r#""""#.into(), 4));
        assert_eq!(written("abc", 0), (r#""""#.into(), 3));
    }

    #[test]
    fn scrubs() {
        for (text, expected) in [
            ("postgres://u:p@db/x", "postgres://[redacted]@db/x"),
            (
                "to \"amqp://u:p@q\" and http://t@h:1/",
                "to \"amqp://[redacted]@q\" and http://[redacted]@h:1/",
            ),
            (
                r#"{"u":"redis:\/\/u:p@h\/0"}"#,
                r#"{"u":"redis:\/\/[redacted]@h\/0"}"#,
            ),
            ("(x://u:\u{2028}\n@h)", "(x://u:\u{2028}\n@h)"),
            ("x://u:\u{2028}p\\@h", "x://[redacted]@h"),
        ] {
            assert_eq!(parsed(text, 999), (expected.into(), 0));
        }
    }

    #[test]
    fn scrubs_at_the_cut() {
        let text = "postgres://user:secret@db/x";
        assert_eq!(parsed(text, 9), ("postgres:".into(), 18));
        assert_eq!(parsed(text, 11), ("postgres://".into(), 16));
        assert_eq!(parsed(text, 13), ("postgres://[redacted]".into(), 14));
        assert_eq!(parsed(text, 22), ("postgres://[redacted]".into(), 5));
        assert_eq!(parsed(text, 24), ("postgres://[redacted]@d".into(), 3));
        assert_eq!(
            parsed("http://example.org/a", 12),
            ("http://examp".into(), 8)
        );
        let far = format!("http://user:{}@host", "p".repeat(LOOK_AHEAD * 2));
        assert_eq!(parsed(&far, 20).0, "http://[redacted]");
        let escaped = r"redis:\/\/user:secret@h";
        for cap in 0..escaped.len() {
            assert!(!parsed(escaped, cap).0.contains("us"));
        }
    }

    proptest! {
        #[test]
        fn round_trip(text in "(\\PC|[\u{0}-\u{a0}\u{2020}-\u{2030}\"\\\\:]){0,80}") {
            prop_assume!(!text.contains("://") && !text.contains(r":\/\/"));
            prop_assert_eq!(parsed(&text, 999), (text, 0));
        }

        #[test]
        fn any_text_is_valid(text: String, cap in 0..80_usize) {
            let (kept, removed) = parsed(&text, cap);
            if !text.contains("://") && !text.contains(r":\/\/") {
                prop_assert!(text.starts_with(&kept));
                prop_assert!(kept.len() <= cap);
                prop_assert_eq!(kept.len() + removed, text.len());
            }
        }

        #[test]
        fn any_url_is_valid(text in "([a@:/\\\\?\"' \u{2028}é]|://|:\\\\/\\\\/){0,40}", cap in 0..60_usize) {
            parsed(&text, cap);
        }
    }
}
