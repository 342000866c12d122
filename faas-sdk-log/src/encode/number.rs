//! Numbers and truth values.

/// The largest integer that every reader of JSON keeps as it is (`Number.MAX_SAFE_INTEGER`).
const MAX_SAFE: u64 = (1 << 53) - 1;

/// Appends an integer: as a number, or in quotes where readers would round it.
#[inline]
pub(crate) fn i64(out: &mut Vec<u8>, value: i64) {
    integer(
        out,
        itoa::Buffer::new().format(value),
        value.unsigned_abs() <= MAX_SAFE,
    );
}

/// Appends an integer: as a number, or in quotes where readers would round it.
#[inline]
pub(crate) fn u64(out: &mut Vec<u8>, value: u64) {
    integer(out, itoa::Buffer::new().format(value), value <= MAX_SAFE);
}

/// Appends an integer, always in quotes.
pub(crate) fn i128(out: &mut Vec<u8>, value: i128) {
    integer(out, itoa::Buffer::new().format(value), false);
}

/// Appends an integer, always in quotes.
pub(crate) fn u128(out: &mut Vec<u8>, value: u128) {
    integer(out, itoa::Buffer::new().format(value), false);
}

/// Appends the shortest number that reads as the same value; `"NaN"`, `"Infinity"` and `"-Infinity"`
/// are strings.
pub(crate) fn f64(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        not_finite(out, value);
    }
}

/// Appends the shortest number that reads as the same value in single precision, else as [`f64`].
pub(crate) fn f32(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        not_finite(out, value.into());
    }
}

/// Appends `true` or `false`.
#[inline]
pub(crate) fn bool(out: &mut Vec<u8>, value: bool) {
    let text: &[u8] = if value { b"true" } else { b"false" };
    out.extend_from_slice(text);
}

#[inline]
fn integer(out: &mut Vec<u8>, digits: &str, plain: bool) {
    if plain {
        out.extend_from_slice(digits.as_bytes());
    } else {
        out.push(b'"');
        out.extend_from_slice(digits.as_bytes());
        out.push(b'"');
    }
}

fn not_finite(out: &mut Vec<u8>, value: f64) {
    let text: &[u8] = if value.is_nan() {
        br#""NaN""#
    } else if value > 0.0 {
        br#""Infinity""#
    } else {
        br#""-Infinity""#
    };
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        let _: Value = serde_json::from_slice(&out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn edges() {
        const SAFE: i64 = 9_007_199_254_740_991;
        assert_eq!(written(|out| super::i64(out, SAFE)), "9007199254740991");
        assert_eq!(written(|out| super::i64(out, -SAFE)), "-9007199254740991");
        assert_eq!(
            written(|out| super::i64(out, SAFE + 1)),
            r#""9007199254740992""#
        );
        assert_eq!(
            written(|out| super::i64(out, -SAFE - 1)),
            r#""-9007199254740992""#
        );
        assert_eq!(
            written(|out| super::i64(out, i64::MIN)),
            r#""-9223372036854775808""#
        );
        assert_eq!(
            written(|out| super::u64(out, SAFE as u64)),
            "9007199254740991"
        );
        assert_eq!(
            written(|out| super::u64(out, SAFE as u64 + 1)),
            r#""9007199254740992""#
        );
        assert_eq!(written(|out| super::u64(out, 0)), "0");
        assert_eq!(written(|out| super::i128(out, -1)), r#""-1""#);
        assert_eq!(written(|out| super::u128(out, 1)), r#""1""#);
        assert_eq!(written(|out| super::f32(out, 0.1)), "0.1");
        assert_eq!(written(|out| super::f64(out, 1.0)), "1.0");
        assert_eq!(written(|out| super::f64(out, -0.0)), "-0.0");
        assert_eq!(written(|out| super::f64(out, f64::NAN)), r#""NaN""#);
        assert_eq!(
            written(|out| super::f32(out, f32::INFINITY)),
            r#""Infinity""#
        );
        assert_eq!(
            written(|out| super::f64(out, f64::NEG_INFINITY)),
            r#""-Infinity""#
        );
        assert_eq!(written(|out| super::bool(out, true)), "true");
        assert_eq!(written(|out| super::bool(out, false)), "false");
    }

    proptest! {
        #[test]
        fn integers(small: i64, large: u64, signed: i128, unsigned: u128) {
            let digits = |text: String| text.trim_matches('"').to_owned();
            prop_assert_eq!(digits(written(|out| super::i64(out, small))), small.to_string());
            prop_assert_eq!(digits(written(|out| super::u64(out, large))), large.to_string());
            prop_assert_eq!(written(|out| super::i128(out, signed)), format!("\"{signed}\""));
            prop_assert_eq!(written(|out| super::u128(out, unsigned)), format!("\"{unsigned}\""));
        }

        #[test]
        fn floats(double in prop::num::f64::ANY, single in prop::num::f32::ANY) {
            let text = written(|out| super::f64(out, double));
            if double.is_finite() {
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), double.to_bits());
            }
            let text = written(|out| super::f32(out, single));
            if single.is_finite() {
                prop_assert_eq!(text.parse::<f32>().unwrap().to_bits(), single.to_bits());
            }
        }
    }
}
