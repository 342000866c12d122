//! Bytes as base64.

const ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends the first `cap` of `bytes` in quotes as base64 with padding, in the standard alphabet.
/// Returns how many bytes were left out.
pub(crate) fn base64(out: &mut Vec<u8>, bytes: &[u8], cap: usize) -> usize {
    let kept = bytes.get(..cap).unwrap_or(bytes);
    out.reserve(kept.len().div_ceil(3).saturating_mul(4).saturating_add(2));
    out.push(b'"');
    let (groups, rest) = kept.as_chunks::<3>();
    for &group in groups {
        out.extend_from_slice(&encoded(group));
    }
    match *rest {
        [a] => {
            let [first, second, ..] = encoded([a, 0, 0]);
            out.extend_from_slice(&[first, second, b'=', b'=']);
        }
        [a, b] => {
            let [first, second, third, _] = encoded([a, b, 0]);
            out.extend_from_slice(&[first, second, third, b'=']);
        }
        _ => {}
    }
    out.push(b'"');
    bytes.len() - kept.len()
}

#[inline]
fn encoded([a, b, c]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift) as usize & 63])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(bytes: &[u8], cap: usize) -> (String, usize) {
        let mut out = Vec::new();
        let removed = base64(&mut out, bytes, cap);
        (serde_json::from_slice(&out).unwrap(), removed)
    }

    #[test]
    fn test_vectors_of_rfc_4648() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(written(text.as_bytes(), 99), (expected.into(), 0));
        }
        assert_eq!(written(&[0xfb, 0xff, 0xfe], 99).0, "+//+");
        assert_eq!(written(b"foobar", 4), ("Zm9vYg==".into(), 2));
        assert_eq!(written(b"foobar", 0), (String::new(), 6));
    }

    proptest! {
        #[test]
        fn round_trip(bytes: Vec<u8>) {
            let (text, _) = written(&bytes, usize::MAX);
            let mut bits = text.trim_end_matches('=').bytes().flat_map(|byte| {
                let value = ALPHABET.iter().position(|&letter| letter == byte).unwrap();
                (0..6).rev().map(move |shift| (value >> shift & 1) as u8)
            });
            for &byte in &bytes {
                prop_assert_eq!((0..8).fold(0, |value, _| value << 1 | bits.next().unwrap()), byte);
            }
            prop_assert!(bits.all(|bit| bit == 0));
            prop_assert_eq!(text.len() % 4, 0);
        }
    }
}
