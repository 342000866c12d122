//! Names of fields.

/// The most bytes of a name that are written.
const LONGEST: usize = 128;

/// Appends `"name":`.
///
/// Every character outside `[A-Za-z0-9_.-]` becomes `_`, no more than 128 are written, and an empty
/// name becomes `_`.
pub(crate) fn key(out: &mut Vec<u8>, name: &str) {
    out.reserve(name.len().min(LONGEST) + 3);
    out.push(b'"');
    if name.is_empty() {
        out.push(b'_');
    } else if name.len() <= LONGEST && name.bytes().all(is_plain) {
        out.extend_from_slice(name.as_bytes());
    } else {
        let plain = |char| {
            u8::try_from(char)
                .ok()
                .filter(|&byte| is_plain(byte))
                .unwrap_or(b'_')
        };
        out.extend(name.chars().take(LONGEST).map(plain));
    }
    out.extend_from_slice(b"\":");
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(name: &str) -> String {
        let mut out = Vec::new();
        key(&mut out, name);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names() {
        for (name, expected) in [
            ("", r#""_":"#),
            ("http.status-code_2", r#""http.status-code_2":"#),
            ("a b\"ü\n€\\", r#""a_b_____":"#),
        ] {
            assert_eq!(written(name), expected);
        }
        assert_eq!(written(&"x".repeat(128)).len(), 131);
        assert_eq!(written(&"x".repeat(129)).len(), 131);
        assert_eq!(written(&"ü".repeat(500)).len(), 131);
    }

    proptest! {
        #[test]
        fn any_name(name: String) {
            let written = written(&name);
            let inner = written.strip_prefix('"').unwrap().strip_suffix("\":").unwrap();
            prop_assert!(inner.bytes().all(is_plain));
            prop_assert_eq!(inner.len(), name.chars().count().clamp(1, 128));
        }
    }
}
