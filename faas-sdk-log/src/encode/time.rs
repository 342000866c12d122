//! Points in time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// `0000-01-01T00:00:00Z` and `9999-12-31T23:59:59Z` in seconds.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// Writes timestamps; one for each thread, as the text up to the second is used again.
#[derive(Clone, Debug)]
pub(crate) struct Timestamps {
    /// The second since 1970 that `text` shows.
    second: i64,
    text: [u8; 27],
}

impl Timestamps {
    /// Knows no time yet.
    pub(crate) const fn new() -> Self {
        Self {
            second: 0,
            text: *b"1970-01-01T00:00:00.000000Z",
        }
    }

    /// Appends `now` as RFC 3339 in UTC with six digits behind the point, without quotes:
    /// `2026-11-23T05:37:37.692866Z`.
    ///
    /// The fraction is cut, not rounded. Times outside of the years 0000 to 9999 become the first or
    /// last of these.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, now: SystemTime) {
        let (second, micros) = split(now);
        if second != self.second {
            self.set_second(second);
        }
        let [.., a, b, c, d, e, f, _] = &mut self.text;
        [*a, *b] = two_digits(micros / 10_000);
        [*c, *d] = two_digits(micros / 100 % 100);
        [*e, *f] = two_digits(micros % 100);
        out.extend_from_slice(&self.text);
    }

    fn set_second(&mut self, second: i64) {
        self.second = second;
        let (year, month, day) = civil(second.div_euclid(DAY));
        let of_day = second.rem_euclid(DAY) as u32;
        let text = &mut self.text;
        let mut put = |at: usize, value: u32| {
            if let Some(place) = text.get_mut(at..at + 2) {
                place.copy_from_slice(&two_digits(value));
            }
        };
        put(0, year / 100);
        put(2, year % 100);
        put(5, month);
        put(8, day);
        put(11, of_day / 3600);
        put(14, of_day / 60 % 60);
        put(17, of_day % 60);
    }
}

impl Default for Timestamps {
    fn default() -> Self {
        Self::new()
    }
}

/// Seconds since 1970 and microseconds within the second.
fn split(time: SystemTime) -> (i64, u32) {
    let (second, micros) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (whole_seconds(since), since.subsec_micros()),
        Err(error) => {
            let until = error.duration();
            match until.subsec_nanos() {
                0 => (-whole_seconds(until), 0),
                nanos => (-whole_seconds(until) - 1, (1_000_000_000 - nanos) / 1000),
            }
        }
    };
    if second < FIRST {
        (FIRST, 0)
    } else if second > LAST {
        (LAST, 999_999)
    } else {
        (second, micros)
    }
}

fn whole_seconds(duration: Duration) -> i64 {
    // Far outside of what is written, and far from an overflow.
    i64::try_from(duration.as_secs())
        .unwrap_or(i64::MAX)
        .min(i64::MAX / 2)
}

/// Year, month and day of the `day`th day since 1970, by the Gregorian calendar.
fn civil(day: i64) -> (u32, u32, u32) {
    // Years are counted from March, so that the day to be leapt is the last one, and in eras of 400
    // years, which are equally long.
    const ERA: i64 = 146_097;
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (
        (era * 400 + year + next_year) as u32,
        month as u32,
        day as u32,
    )
}

#[inline]
fn two_digits(value: u32) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(time: SystemTime) -> String {
        let mut out = Vec::new();
        Timestamps::new().write(&mut out, time);
        String::from_utf8(out).unwrap()
    }

    fn at(second: i64, micros: u64) -> SystemTime {
        let base = if second < 0 {
            UNIX_EPOCH - Duration::from_secs(second.unsigned_abs())
        } else {
            UNIX_EPOCH + Duration::from_secs(second.unsigned_abs())
        };
        base + Duration::from_micros(micros)
    }

    #[test]
    fn known_times() {
        for (second, micros, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (-1, 999_999, "1969-12-31T23:59:59.999999Z"),
            (951_782_400, 1, "2000-02-29T00:00:00.000001Z"),
            (951_868_799, 0, "2000-02-29T23:59:59.000000Z"),
            (1_795_412_257, 692_866, "2026-11-23T05:37:37.692866Z"),
            (-2_203_891_200, 0, "1900-03-01T00:00:00.000000Z"),
            (-2_203_891_201, 0, "1900-02-28T23:59:59.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (FIRST, 0, "0000-01-01T00:00:00.000000Z"),
            (FIRST - 1, 5, "0000-01-01T00:00:00.000000Z"),
            (LAST, 999_999, "9999-12-31T23:59:59.999999Z"),
            (LAST + 1, 0, "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(written(at(second, micros)), expected);
        }
    }

    #[test]
    fn fraction_is_cut() {
        let nanos = |nanos| UNIX_EPOCH + Duration::from_nanos(nanos);
        assert_eq!(written(nanos(999_999_999)), "1970-01-01T00:00:00.999999Z");
        assert_eq!(
            written(UNIX_EPOCH - Duration::from_nanos(1)),
            "1969-12-31T23:59:59.999999Z"
        );
    }

    #[test]
    fn extremes() {
        for power in 0..64 {
            let duration = Duration::from_secs(1 << power);
            let times = [
                UNIX_EPOCH.checked_add(duration),
                UNIX_EPOCH.checked_sub(duration),
            ];
            for time in times.into_iter().flatten() {
                assert_eq!(written(time).len(), 27);
            }
        }
    }

    /// The day's number, by counting the days of all years before.
    fn number_of(year: i64, month: i64, day: i64) -> i64 {
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let years: i64 = (0..year).map(|year| 365 + i64::from(leap(year))).sum();
        let lengths = [
            31,
            28 + i64::from(leap(year)),
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        years + lengths.iter().take(month as usize - 1).sum::<i64>() + day - 1
    }

    proptest! {
        #[test]
        fn round_trip(second in FIRST..=LAST, micros in 0..1_000_000_u64) {
            let text = written(at(second, micros));
            let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
            let day = number_of(number(0..4), number(5..7), number(8..10)) - number_of(1970, 1, 1);
            let time = number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
            prop_assert_eq!(day * DAY + time, second);
            prop_assert_eq!(number(20..26) as u64, micros);
            let separators = [4, 7, 10, 13, 16, 19, 26].map(|at| text.as_bytes()[at]);
            prop_assert_eq!(&separators, b"--T::.Z");
        }

        #[test]
        fn cached_as_fresh(times in prop::collection::vec((-3..3_i64, 0..1_000_000_u64), 1..20)) {
            let mut timestamps = Timestamps::new();
            for (second, micros) in times {
                let mut out = Vec::new();
                timestamps.write(&mut out, at(second, micros));
                prop_assert_eq!(String::from_utf8(out).unwrap(), written(at(second, micros)));
            }
        }
    }
}
