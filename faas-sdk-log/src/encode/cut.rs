//! Shortening strings that are already written.

/// Shortens the JSON string that starts at `start` and ends `json`, so that no more than `cap` bytes
/// stand between its quotes. Returns how many bytes were removed.
///
/// Escape sequences and characters stay whole. Anything but a string is left as it is.
pub(crate) fn cut(json: &mut Vec<u8>, start: usize, cap: usize) -> usize {
    let before = json.len();
    let Some(literal) = json.get(start..) else {
        return 0;
    };
    let kept = cut_at(literal, cap);
    if kept + 2 < literal.len() && literal.starts_with(b"\"") {
        json.truncate(start + 1 + kept);
        json.push(b'"');
    }
    before - json.len()
}

/// How many bytes between the quotes of the JSON string `literal` can be kept if there may be no
/// more than `cap`: without splitting an escape sequence, a surrogate pair or a character.
fn cut_at(literal: &[u8], cap: usize) -> usize {
    let content = literal
        .get(1..literal.len().saturating_sub(1))
        .unwrap_or_default();
    if content.len() <= cap {
        return content.len();
    }
    let mut from = 0;
    while let Some(found) = content
        .get(from..cap)
        .and_then(|part| memchr::memchr(b'\\', part))
    {
        let escape = from + found;
        from = escape + escape_length(content.get(escape..).unwrap_or_default());
        if from > cap {
            return escape;
        }
    }
    let mut end = cap;
    // A byte 10xxxxxx continues a character.
    while end > 0 && content.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    end
}

/// The length of the escape sequence `text` starts with, or of two that make one character.
fn escape_length(text: &[u8]) -> usize {
    match text {
        [
            b'\\',
            b'u',
            b'd' | b'D',
            b'8' | b'9' | b'a' | b'b' | b'A' | b'B',
            _,
            _,
            b'\\',
            b'u',
            ..,
        ] => 12,
        [b'\\', b'u', ..] => 6,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stays_whole() {
        for (literal, cap, kept) in [
            (r#""""#, 0, 0),
            (r#""abc""#, 3, 3),
            (r#""abc""#, 2, 2),
            (r#""a\nb""#, 2, 1),
            (r#""a\nb""#, 3, 3),
            (r#""\\\\b""#, 3, 2),
            (r#""a\u2028b""#, 6, 1),
            (r#""a\u2028b""#, 7, 7),
            (r#""\ud83d\ude00b""#, 11, 0),
            (r#""\ud83d\ude00b""#, 12, 12),
            (r#""aé""#, 2, 1),
            (r#""😀😀""#, 7, 4),
        ] {
            assert_eq!(cut_at(literal.as_bytes(), cap), kept, "{literal} {cap}");
        }
    }

    #[test]
    fn in_place() {
        let mut json = br#"{"a":"b\nc""#.to_vec();
        assert_eq!(cut(&mut json, 5, 2), 3);
        assert_eq!(json, br#"{"a":"b""#);
        assert_eq!(cut(&mut json, 5, 2), 0);
        assert_eq!(cut(&mut json, 99, 0), 0);
        let mut number = b"12345".to_vec();
        assert_eq!(cut(&mut number, 0, 1), 0);
    }

    proptest! {
        #[test]
        fn valid(text in "(.|[\\\\\"\n\u{0}\u{2028}]){0,30}", ascii: bool, cap in 0..60_usize) {
            let mut json = Vec::new();
            super::super::string(&mut json, &text, usize::MAX);
            let whole: String = serde_json::from_slice(&json).unwrap();
            if ascii {
                let escaped = |char: char| match char {
                    '\u{80}'.. => {
                        let mut units = [0; 2];
                        let units = char.encode_utf16(&mut units);
                        units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
                    }
                    _ => char.to_string(),
                };
                let text: String = str::from_utf8(&json).unwrap().chars().map(escaped).collect();
                json = text.into_bytes();
            }
            let before = json.len();
            let removed = cut(&mut json, 0, cap);
            let kept: String = serde_json::from_slice(&json).unwrap();
            prop_assert!(whole.starts_with(&kept));
            prop_assert!(json.len() <= cap + 2);
            prop_assert_eq!(json.len() + removed, before);
            prop_assert!(removed == 0 || json.len() + 11 > cap);
        }

        #[test]
        fn anything(bytes: Vec<u8>, start in 0..50_usize, cap in 0..50_usize) {
            let mut json = bytes.clone();
            let removed = cut(&mut json, start, cap);
            prop_assert_eq!(json.len() + removed, bytes.len());
        }
    }
}
