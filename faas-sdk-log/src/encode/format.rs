//! `Display` and `Debug` values as JSON strings.

use std::fmt::{self, Write};

use super::text::{LOOK_AHEAD, Source, literal, string};

/// Above this a scratch buffer is not kept for the next value.
const SCRATCH_KEPT: usize = 64 * 1024;

/// After this many bytes formatting is ended.
const ENOUGH: usize = 1024 * 1024;

/// Appends what `value` prints as [`string`] does and returns how many bytes were left out.
///
/// `scratch` is overwritten and holds no more than `cap` bytes and a few, however much is printed.
/// After 1 MiB the value is told to stop, and what it would still print is not counted. If it fails,
/// what it printed before that is written.
pub(crate) fn formatted(
    out: &mut Vec<u8>,
    scratch: &mut String,
    value: fmt::Arguments<'_>,
    cap: usize,
) -> usize {
    if let Some(text) = value.as_str() {
        return string(out, text, cap);
    }
    scratch.clear();
    let mut writer = Bounded {
        text: scratch,
        limit: cap.saturating_add(LOOK_AHEAD).min(ENOUGH),
        total: 0,
    };
    let ended = writer.write_fmt(value).is_ok();
    let total = writer.total;
    let kept = scratch.floor_char_boundary(cap);
    // A value that fails may do so in the middle of a URL.
    let complete = ended && total == scratch.len();
    literal(
        out,
        Source {
            seen: scratch.as_bytes(),
            kept,
            complete,
        },
    );
    if scratch.capacity() > SCRATCH_KEPT {
        *scratch = String::new();
    }
    total - kept
}

/// Stores the first `limit` bytes and counts all.
struct Bounded<'a> {
    text: &'a mut String,
    limit: usize,
    total: usize,
}

impl Write for Bounded<'_> {
    #[inline]
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let total = self.total + part.len();
        if total > self.limit {
            return self.write_beyond(part);
        }
        self.text.push_str(part);
        self.total = total;
        Ok(())
    }
}

impl Bounded<'_> {
    #[cold]
    fn write_beyond(&mut self, part: &str) -> fmt::Result {
        // Once a part did not fit, later ones do not follow what is stored.
        if self.total == self.text.len() {
            let fits = part.floor_char_boundary(self.limit - self.text.len());
            self.text.push_str(part.get(..fits).unwrap_or_default());
        }
        self.total = self.total.saturating_add(part.len());
        if self.total > ENOUGH {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(scratch: &mut String, value: fmt::Arguments<'_>, cap: usize) -> (String, usize) {
        let mut out = Vec::new();
        let removed = formatted(&mut out, scratch, value, cap);
        (serde_json::from_slice(&out).unwrap(), removed)
    }

    struct Endless;

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("0123456789abcdef")?;
            }
        }
    }

    struct Failing(&'static str);

    impl fmt::Display for Failing {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)?;
            Err(fmt::Error)
        }
    }

    #[test]
    fn constant() {
        let mut scratch = String::from("kept");
        assert_eq!(
            parsed(&mut scratch, format_args!("x://u:p@h"), 99).0,
            "x://[redacted]@h"
        );
        assert_eq!(scratch, "kept");
    }

    #[test]
    fn values() {
        let mut scratch = String::new();
        let (a, b) = (1, "x\n");
        assert_eq!(
            parsed(&mut scratch, format_args!("{a} {b:?}"), 99),
            ("1 \"x\\n\"".into(), 0)
        );
        assert_eq!(
            parsed(&mut scratch, format_args!("{a}{b}{a}"), 2),
            ("1x".into(), 2)
        );
    }

    #[test]
    fn credentials_in_parts() {
        let mut scratch = String::new();
        let (user, password) = ("user", "secret");
        let value = format_args!("x://{user}:{password}@host");
        for (cap, expected) in [
            (99, "x://[redacted]@host"),
            (11, "x://[redacted]"),
            (4, "x://"),
        ] {
            assert_eq!(parsed(&mut scratch, value, cap).0, expected);
        }
        let failing = Failing("x://user:secr");
        assert_eq!(
            parsed(&mut scratch, format_args!("{failing}"), 99).0,
            "x://[redacted]"
        );
    }

    #[test]
    fn endless() {
        let mut scratch = String::new();
        let (text, removed) = parsed(&mut scratch, format_args!("{Endless}"), 10);
        assert_eq!((text.as_str(), removed), ("0123456789", ENOUGH + 16 - 10));
        assert!(scratch.capacity() < 2 * LOOK_AHEAD + 64);
    }

    #[test]
    fn failing() {
        let mut scratch = String::new();
        let value = Failing("before");
        assert_eq!(
            parsed(&mut scratch, format_args!("{value}!"), 99),
            ("before".into(), 0)
        );
    }

    #[test]
    fn large_scratch_is_dropped() {
        let mut scratch = String::new();
        let text = "x".repeat(SCRATCH_KEPT + 1);
        assert_eq!(
            parsed(&mut scratch, format_args!("{text}"), usize::MAX),
            (text, 0)
        );
        assert_eq!(scratch.capacity(), 0);
    }

    proptest! {
        #[test]
        fn as_a_string(parts in prop::collection::vec(".{0,8}|x://|@", 0..8), cap in 0..40_usize) {
            struct Parts(Vec<String>);
            impl fmt::Display for Parts {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.iter().try_for_each(|part| f.write_str(part))
                }
            }
            let whole = parts.concat();
            let mut expected = Vec::new();
            let removed = string(&mut expected, &whole, cap);
            let parts = Parts(parts);
            let found = parsed(&mut String::new(), format_args!("{parts}"), cap);
            prop_assert_eq!(found, (serde_json::from_slice(&expected).unwrap(), removed));
        }
    }
}
