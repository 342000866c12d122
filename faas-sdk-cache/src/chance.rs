//! What is left to chance, so that many instances do not do the same at the same time.

use std::time::Duration;

/// A random number, 0 to 1 without 1.
type Draw = fn() -> f64;

/// `ttl`, shortened at random by up to `fraction` of it: nothing lives longer than was promised. A
/// fraction that is not within 0 to 1 counts as the nearest that is, no number as 0.
pub(crate) fn jittered(ttl: Duration, fraction: f64) -> Duration {
    jittered_by(ttl, fraction, fastrand::f64)
}

fn jittered_by(ttl: Duration, fraction: f64, draw: Draw) -> Duration {
    let fraction = if fraction.is_nan() {
        0.0
    } else {
        fraction.clamp(0.0, 1.0)
    };
    if fraction == 0.0 {
        return ttl;
    }
    let shortened = ttl.as_secs_f64() * (1.0 - fraction * draw());
    // It fits, unless `ttl` is so long that a float rounds it up beyond all durations.
    Duration::try_from_secs_f64(shortened)
        .unwrap_or(ttl)
        .min(ttl)
}

/// Whether a value that stays fresh for another `remaining` is to be loaded anew by whoever asks now
/// (XFetch: Vattani, Chierichetti, Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB
/// 2015): the likelier the sooner it expires and the longer its load takes (`cost`), with a chance of
/// exp(-remaining / (beta * cost)). A larger `beta` than 1 refreshes earlier.
pub(crate) fn refresh_early(remaining: Duration, cost: Duration, beta: f64) -> bool {
    refresh_early_by(remaining, cost, beta, fastrand::f64)
}

fn refresh_early_by(remaining: Duration, cost: Duration, beta: f64, draw: Draw) -> bool {
    // The logarithm of a number above 0, up to 1.
    let ln = (1.0 - draw()).ln();
    -cost.as_secs_f64() * beta * ln >= remaining.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LAST: Draw = || 1.0 - f64::EPSILON / 2.0;

    #[test]
    fn jitter_only_shortens() {
        assert_eq!(jittered_by(SECOND * 10, 0.2, || 0.0), SECOND * 10);
        assert_eq!(jittered_by(SECOND * 10, 0.2, || 0.5), SECOND * 9);
        assert_eq!(jittered_by(SECOND, 7.0, || 0.5), SECOND / 2, "as with 1");
        assert!(jittered_by(SECOND * 10, 0.2, LAST) >= SECOND * 8);
        assert!(jittered_by(SECOND, 1.0, LAST) < Duration::from_nanos(2));
    }

    #[test]
    fn jitter_is_spread_evenly() {
        fastrand::seed(1);
        let mut tenths = [0_u32; 10];
        let mut total = 0.0;
        for _ in 0..100_000 {
            let spread = (SECOND - jittered(SECOND, 0.1)).as_secs_f64() / 0.1;
            total += spread;
            tenths[((spread * 10.0) as usize).min(9)] += 1;
        }
        assert!((total / 100_000.0 - 0.5).abs() < 0.005, "{total}");
        assert!(
            tenths.iter().all(|count| (9_500..10_500).contains(count)),
            "{tenths:?}"
        );
    }

    #[test]
    fn jitter_takes_any_input() {
        for fraction in [f64::NAN, f64::NEG_INFINITY, -1.0, 0.0] {
            assert_eq!(jittered(SECOND, fraction), SECOND, "{fraction}");
        }
        for fraction in [0.3, 1.0, 2.0, f64::INFINITY] {
            assert!(jittered(SECOND, fraction) <= SECOND, "{fraction}");
            for ttl in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
                assert!(jittered_by(ttl, fraction, || 0.0) <= ttl);
                assert!(jittered_by(ttl, fraction, LAST) <= ttl);
            }
        }
        assert_eq!(jittered_by(Duration::MAX, 0.5, || 0.0), Duration::MAX);
    }

    #[test]
    fn the_nearer_the_end_the_likelier_the_refresh() {
        fastrand::seed(2);
        let share = |remaining: f64, cost: f64, beta: f64| {
            let (remaining, cost) = (
                Duration::from_secs_f64(remaining),
                Duration::from_secs_f64(cost),
            );
            let early = (0..100_000)
                .filter(|_| refresh_early(remaining, cost, beta))
                .count();
            early as f64 / 100_000.0
        };
        for (remaining, cost, beta) in [
            (0.1, 1.0, 1.0),
            (1.0, 1.0, 1.0),
            (3.0, 1.0, 1.0),
            (1.0, 0.5, 1.0),
            (1.0, 1.0, 2.0),
        ] {
            let expected = f64::exp(-remaining / (beta * cost));
            let found = share(remaining, cost, beta);
            assert!(
                (found - expected).abs() < 0.006,
                "{remaining} {cost} {beta}: {found} {expected}"
            );
        }
    }

    #[test]
    fn the_bounds_of_refreshing() {
        assert!(
            refresh_early_by(Duration::ZERO, SECOND, 1.0, || 0.0),
            "it has expired"
        );
        assert!(
            refresh_early(Duration::ZERO, Duration::ZERO, 1.0),
            "it has expired"
        );
        assert!(!refresh_early_by(SECOND, SECOND, 1.0, || 0.0));
        assert!(
            !refresh_early_by(SECOND, Duration::ZERO, 1.0, LAST),
            "a load that costs nothing"
        );
        assert!(
            refresh_early_by(SECOND * 36, SECOND, 1.0, LAST),
            "the last draw is no infinity"
        );
        assert!(!refresh_early_by(SECOND * 38, SECOND, 1.0, LAST));
        for beta in [f64::NAN, 0.0, -1.0, f64::NEG_INFINITY] {
            assert!(!refresh_early_by(SECOND, SECOND, beta, || 0.5), "{beta}");
        }
        assert!(refresh_early_by(
            Duration::MAX,
            Duration::MAX,
            f64::INFINITY,
            || 0.5
        ));
    }
}
