//! Measured numbers.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// What is measured of a program.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Metric {
    /// User and system time of the process for one invocation, in µs.
    Cpu,
    /// Event sent to report received, half of the invocations, in µs.
    P50,
    /// The same, 99 of 100 invocations.
    P99,
    /// TCP connections opened by the process.
    Connections,
    /// Allocations for one invocation, or one line.
    Allocations,
    /// Bytes allocated for one invocation.
    Bytes,
    /// The stripped program, in KiB.
    Size,
    /// Start of the process to its first poll, in ms.
    Start,
    /// Resident memory after the last invocation, in MiB.
    Resident,
    /// Wall time for one line of a single thread, in ns.
    Line,
    /// Wall time of eight threads over the lines of all of them, in ns.
    LineOfEight,
    /// Instructions for one line, in user mode.
    Instructions,
    /// The length of a line, its end included.
    Length,
    /// Wall time for one hit in the process, in ns.
    Hit,
    /// The same, while another thread does the same.
    HitOfTwo,
    /// Resident memory for one value in the process, key and value included.
    EntryBytes,
    /// Wall time from one value read to the next, for one task, in µs.
    ReadOf1,
    /// The same for 16 tasks.
    ReadOf16,
    /// The same for 64 tasks.
    ReadOf64,
    /// The same for 256 tasks.
    ReadOf256,
    /// The most round trips of a miss.
    MissTrips,
    /// Round trips of the first miss of a process, connecting included.
    FirstTrips,
    /// MGETs of a read of many keys.
    Mgets,
    /// Calls of the loader for many keys.
    LoaderCalls,
    /// Round trips of a read of many keys.
    ManyTrips,
    /// Loads of a key that many callers want at once.
    Loads,
    /// Until all of them have it, in ms.
    Crowd,
}

impl Metric {
    /// The heading of its column.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Cpu => "CPU µs",
            Self::P50 => "p50 µs",
            Self::P99 => "p99 µs",
            Self::Connections => "connections",
            Self::Allocations => "allocations",
            Self::Bytes => "bytes",
            Self::Size => "size KiB",
            Self::Start => "start ms",
            Self::Resident => "RSS MiB",
            Self::Line => "ns, 1 thread",
            Self::LineOfEight => "ns, 8 threads",
            Self::Instructions => "instructions",
            Self::Length => "line bytes",
            Self::Hit => "ns a hit",
            Self::HitOfTwo => "ns of 2 threads",
            Self::EntryBytes => "entry bytes",
            Self::ReadOf1 => "µs, 1 task",
            Self::ReadOf16 => "µs, 16 tasks",
            Self::ReadOf64 => "µs, 64 tasks",
            Self::ReadOf256 => "µs, 256 tasks",
            Self::MissTrips => "trips of a miss",
            Self::FirstTrips => "of the first",
            Self::Mgets => "MGETs of 100 keys",
            Self::LoaderCalls => "loader calls",
            Self::ManyTrips => "trips",
            Self::Loads => "loads for 10,000",
            Self::Crowd => "ms until all",
        }
    }
}

/// All samples of one program.
#[derive(Debug, Default)]
pub(super) struct Figures(BTreeMap<Metric, Vec<f64>>);

impl Figures {
    /// Takes one more sample.
    pub(super) fn add(&mut self, metric: Metric, sample: f64) {
        self.0.entry(metric).or_default().push(sample);
    }

    /// Median and extremes; `None` if nothing was measured.
    pub(super) fn spread(&self, metric: Metric) -> Option<Spread> {
        Spread::of(self.0.get(&metric)?.clone())
    }

    /// Ours against the peer's sample of the same round, which a busy neighbour hits alike.
    pub(super) fn ratio(&self, peer: &Self, metric: Metric) -> Option<Spread> {
        let pairs = self.0.get(&metric)?.iter().zip(peer.0.get(&metric)?);
        Spread::of(pairs.map(|(ours, peers)| ours / peers).collect())
    }
}

/// Median, least and greatest of some samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let (min, max) = (*samples.first()?, *samples.last()?);
        let half = samples.len() / 2;
        let median = if samples.len() % 2 == 1 {
            samples[half]
        } else {
            f64::midpoint(samples[half - 1], samples[half])
        };
        Some(Self { median, min, max })
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = |value: f64| match value {
            _ if value == value.trunc() => 0,
            _ if value >= 100.0 => 0,
            _ if value >= 10.0 => 1,
            _ => 2,
        };
        // Nothing is nothing, whichever side it was rounded from.
        let shown = |value: f64| if value.abs() < 0.005 { 0.0 } else { value };
        let (median, min, max) = (shown(self.median), shown(self.min), shown(self.max));
        write!(f, "{median:.*}", digits(median))?;
        if min < max {
            write!(f, " ({min:.*}–{max:.*})", digits(min), digits(max))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Figures, Metric, Spread};

    fn figures(samples: &[f64]) -> Figures {
        let mut figures = Figures::default();
        samples
            .iter()
            .for_each(|sample| figures.add(Metric::Cpu, *sample));
        figures
    }

    #[test]
    fn the_median_stands_between_the_extremes() {
        let odd = figures(&[9.0, 1.0, 2.0]).spread(Metric::Cpu).unwrap();
        assert_eq!(
            odd,
            Spread {
                median: 2.0,
                min: 1.0,
                max: 9.0
            }
        );
        let even = figures(&[4.0, 1.0]).spread(Metric::Cpu).unwrap();
        assert_eq!(even.median, 2.5);
        assert_eq!(figures(&[]).spread(Metric::Cpu), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let ratio = figures(&[1.0, 10.0, 3.0]).ratio(&figures(&[2.0, 20.0, 3.0]), Metric::Cpu);
        assert_eq!(
            ratio,
            Some(Spread {
                median: 0.5,
                min: 0.5,
                max: 1.0
            })
        );
    }

    #[test]
    fn numbers_are_as_exact_as_they_are_long() {
        let shown = |samples: &[f64]| figures(samples).spread(Metric::Cpu).unwrap().to_string();
        assert_eq!(shown(&[0.391]), "0.39");
        assert_eq!(shown(&[1.0]), "1");
        assert_eq!(shown(&[23.44, 229.6, 8.25]), "23.4 (8.25–230)");
    }
}
