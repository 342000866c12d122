//! The coding of attribute values in HTTP headers: section 3.1.3.2 of the HTTP protocol binding.

use http::HeaderValue;
use http::header::InvalidHeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};
use std::borrow::Cow;
use std::string::FromUtf8Error;

/// Beside these, everything outside ASCII is encoded.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// Percent-encodes a value.
pub(crate) fn encode(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::try_from(utf8_percent_encode(text, ENCODED).to_string())
}

/// Undoes a quoted string, then one round of percent-encoding. A `%` without two hexadecimal
/// digits behind it stays.
pub(crate) fn decode(value: &[u8]) -> Result<String, FromUtf8Error> {
    let unquoted = unquote(value);
    String::from_utf8(percent_decode(&unquoted).collect())
}

/// Undoes a quoted string (RFC 7230, section 3.2.6). What is not one, as a whole, stays.
pub(crate) fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    inner
        .and_then(unescape)
        .map_or(Cow::Borrowed(value), Cow::Owned)
}

fn unescape(inner: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = inner.iter();
    let mut plain = Vec::with_capacity(inner.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'"' => return None,
            b'\\' => *bytes.next()?,
            byte => *byte,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_binding() {
        let encoded = "Euro%20%E2%82%AC%20%F0%9F%98%80";
        assert_eq!(encode("Euro € 😀").unwrap(), encoded);
        assert_eq!(decode(encoded.as_bytes()).unwrap(), "Euro € 😀");
        assert_eq!(encode("a\"b%c~!\u{7f}\n").unwrap(), "a%22b%25c~!%7F%0A");
    }

    #[test]
    fn peers_that_encode_otherwise_are_understood() {
        for (value, text) in [
            ("Euro € 😀 \"q\" %", "Euro € 😀 \"q\" %"),
            ("%e2%82%ac%41", "€A"),
            ("%2520", "%20"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("\"a \\\"b\\\\ %20\"", "a \"b\\  "),
            ("\"\"", ""),
            ("\"", "\""),
            ("\"a\\\"", "\"a\\\""),
            ("\"a\" \"b\"", "\"a\" \"b\""),
            ("", ""),
        ] {
            assert_eq!(decode(value.as_bytes()).unwrap(), text, "{value}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        for value in [
            &b"%C0%A0"[..],
            b"%ED%A0%80",
            b"%FF",
            b"\xc0\xa0",
            b"caf\xe9",
            b"%E2%82",
        ] {
            assert!(decode(value).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_text_survives(text: String) {
            let value = encode(&text).unwrap();
            prop_assert!(value.as_bytes().iter().all(u8::is_ascii_graphic));
            prop_assert_eq!(decode(value.as_bytes()).unwrap(), text);
        }

        #[test]
        fn any_bytes_are_text_or_an_error(value: Vec<u8>) {
            let _ = decode(&value);
        }
    }
}
