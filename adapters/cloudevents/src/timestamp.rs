//! Timestamps of RFC 3339.

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use std::ops::Range;
use std::time::SystemTime;

// Civil time, not `jiff::Timestamp`: that one ends a day before the year 9999 does.
const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// The time, if the text is a date-time of RFC 3339 whose UTC year has four digits.
///
/// A leap second is read as the second before it; digits behind the nanoseconds are cut off.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let separators = [
        (4, b"--"),
        (7, b"--"),
        (10, b"Tt"),
        (13, b"::"),
        (16, b"::"),
    ];
    let bytes = text.as_bytes();
    let is_at = |(at, set): &(usize, &[u8; 2])| bytes.get(*at).is_some_and(|b| set.contains(b));
    if !separators.iter().all(is_at) {
        return None;
    }
    let field = |range| number(bytes, range);
    let second = field(17..19)?;
    let (nanosecond, rest) = fraction(bytes.get(19..)?)?;
    let is_leap = second == 60;
    let local = DateTime::new(
        field(0..4)?,
        i8::try_from(field(5..7)?).ok()?,
        i8::try_from(field(8..10)?).ok()?,
        i8::try_from(field(11..13)?).ok()?,
        i8::try_from(field(14..16)?).ok()?,
        if is_leap {
            59
        } else {
            i8::try_from(second).ok()?
        },
        nanosecond,
    )
    .ok()?;
    let utc = local
        .checked_sub(SignedDuration::from_secs(offset(rest)?))
        .ok()
        .filter(|utc| utc.year() >= 0)?;
    if is_leap && !may_have_leap_second(utc) {
        return None;
    }
    let since_epoch = utc.duration_since(EPOCH);
    if since_epoch.is_negative() {
        SystemTime::UNIX_EPOCH.checked_sub(since_epoch.unsigned_abs())
    } else {
        SystemTime::UNIX_EPOCH.checked_add(since_epoch.unsigned_abs())
    }
}

/// The canonical text in UTC, if the year has four digits.
pub(crate) fn format(time: SystemTime) -> Option<String> {
    let since_epoch = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => SignedDuration::try_from(after).ok()?,
        Err(before) => SignedDuration::try_from(before.duration())
            .ok()?
            .checked_neg()?,
    };
    let utc = EPOCH.checked_add(since_epoch).ok()?;
    (utc.year() >= 0).then(|| format!("{utc}Z"))
}

fn number(bytes: &[u8], range: Range<usize>) -> Option<i16> {
    bytes.get(range)?.iter().try_fold(0, |number: i16, byte| {
        let digit = byte.is_ascii_digit().then(|| i16::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// The nanoseconds, and what comes after them.
fn fraction(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let Some(bytes) = bytes.strip_prefix(b".") else {
        return Some((0, bytes));
    };
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    if digits.is_empty() {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0'));
    let nanosecond = padded
        .take(9)
        .fold(0, |n, digit| n * 10 + i32::from(digit - b'0'));
    Some((nanosecond, rest))
}

/// Seconds east of UTC.
fn offset(bytes: &[u8]) -> Option<i64> {
    let sign = match bytes {
        b"Z" | b"z" => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hour, minute) = (number(bytes, 1..3)?, number(bytes, 4..6)?);
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60;
    (hour < 24 && minute < 60).then_some(sign * seconds)
}

fn may_have_leap_second(utc: DateTime) -> bool {
    (utc.hour(), utc.minute()) == (23, 59) && utc.date() == utc.date().last_of_month()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn reads(text: &str, canonical: &str) {
        let time = parse(text).unwrap_or_else(|| panic!("{text} was refused"));
        assert_eq!(format(time).as_deref(), Some(canonical), "{text}");
        assert_eq!(parse(canonical), Some(time));
    }

    #[test]
    fn every_form_of_the_standard_is_read() {
        reads("2018-04-05T17:31:00Z", "2018-04-05T17:31:00Z");
        reads("2018-04-05t17:31:00z", "2018-04-05T17:31:00Z");
        reads("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.52Z");
        reads("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z");
        reads("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.87Z");
        reads("2024-02-29T00:00:00-00:00", "2024-02-29T00:00:00Z");
        reads(
            "2018-04-05T17:31:00.12345678987Z",
            "2018-04-05T17:31:00.123456789Z",
        );
        reads("1990-12-31T23:59:60Z", "1990-12-31T23:59:59Z");
        reads("1990-12-31T15:59:60.25-08:00", "1990-12-31T23:59:59.25Z");
        reads("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z");
        reads(
            "9999-12-31T23:59:59.999999999Z",
            "9999-12-31T23:59:59.999999999Z",
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2018-04-05",
            "2018-04-05T17:31:00",
            "2018-04-05 17:31:00Z",
            "2018-04-05T17:31Z",
            "2018-4-05T17:31:00Z",
            "2018-04-05T17:31:00.Z",
            "2018-04-05T17:31:00,5Z",
            "2018-04-05T17:31:00+0200",
            "2018-04-05T17:31:00+02",
            "2018-04-05T17:31:00+24:00",
            "2018-04-05T17:31:00+02:60",
            "2018-04-05T17:31:00Z ",
            "2018-04-05T17:31:00Z[UTC]",
            "2018-02-29T00:00:00Z",
            "2018-13-01T00:00:00Z",
            "2018-04-05T24:00:00Z",
            "2018-04-05T17:60:00Z",
            "2018-04-05T17:31:60Z",
            "2018-04-05T23:59:60Z",
            "2018-04-05T23:59:61Z",
            "+018-04-05T17:31:00Z",
            "20180-4-05T17:31:00Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "２018-04-05T17:31:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn years_of_more_or_less_than_four_digits_have_no_text() {
        for outside in [-62_167_219_201, 253_402_300_800, i64::MIN, i64::MAX] {
            let distance = std::time::Duration::from_secs(outside.unsigned_abs());
            let time = if outside < 0 {
                SystemTime::UNIX_EPOCH.checked_sub(distance)
            } else {
                SystemTime::UNIX_EPOCH.checked_add(distance)
            };
            assert_eq!(time.and_then(format), None, "{outside}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(text in "\\PC{0,40}|[0-9TtZz:.+ -]{0,40}") {
            if let Some(time) = parse(&text) {
                prop_assert!(format(time).is_some());
            }
        }

        #[test]
        fn every_field_is_read(
            (year, month, day) in (0i16..=9999, 1i8..=12, 1i8..=28),
            (hour, minute, second) in (0i8..24, 0i8..60, 0i8..60),
            nano in 0i32..1_000_000_000,
        ) {
            let civil = DateTime::new(year, month, day, hour, minute, second, nano).unwrap();
            let text = format!("{civil}Z");
            prop_assert_eq!(parse(&text).and_then(format), Some(text));
        }
    }
}
