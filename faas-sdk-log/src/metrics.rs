//! The counters of an invocation, in the line that ends it.

use crate::encode;
use crate::line::TOP_LEVEL;
use crate::record::Parts;
use faas_sdk_scope::{Measure, Unit};
use std::time::{Duration, SystemTime};

/// The most metrics that CloudWatch takes in one line.
const MOST: usize = 100;

/// Adds counters to the fields: a count under its name, a time under its name with `_ms`, and how
/// many there were of it with `_count`. They take the place of nothing that is there already.
pub(crate) fn fields(parts: &mut Parts, measures: &[Measure]) {
    for measure in measures {
        let name = &measure.name;
        match measure.unit {
            Unit::Nanoseconds => {
                parts
                    .fields
                    .put(&format!("{name}_ms"), |out| milliseconds(out, measure));
                parts.fields.put(&format!("{name}_count"), |out| {
                    encode::u64(out, measure.count);
                });
            }
            _ => parts.fields.put(name, |out| encode::u64(out, measure.sum)),
        }
    }
}

fn milliseconds(out: &mut Vec<u8>, measure: &Measure) {
    let time = Duration::from_nanos(measure.sum).as_secs_f64() * 1e3;
    encode::f64(out, (time * 1e3).round() / 1e3);
}

/// Adds CloudWatch's embedded metric format, whose metrics stand at the top level of the line: the
/// duration, cold starts, errors, and the counters. The dimension is the function, where one is
/// known.
///
/// Source: CloudWatch, "Specification: Embedded metric format".
pub(crate) fn embedded(
    parts: &mut Parts,
    measures: &[Measure],
    namespace: &str,
    cold_start: bool,
    has_function: bool,
    now: SystemTime,
) {
    let mut embedded = Embedded::default();
    if !parts.duration.is_empty() {
        embedded.declare(b"\"duration_ms\"", "Milliseconds");
    }
    for (name, value) in [("cold_starts", cold_start), ("errors", parts.failed)] {
        embedded.add(name, "Count", |out| encode::u64(out, value.into()));
    }
    for measure in measures {
        match measure.unit {
            Unit::Nanoseconds => {
                let name = format!("{}_ms", measure.name);
                embedded.measure(&name, "Milliseconds", |out| milliseconds(out, measure));
            }
            // A number in any case: the largest ones lose digits there, but texts are no metrics.
            _ => embedded.measure(&measure.name, "Count", |out| {
                out.extend_from_slice(itoa::Buffer::new().format(measure.sum).as_bytes());
            }),
        }
    }
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let out = &mut parts.extra;
    out.extend_from_slice(b"\"_aws\":{\"Timestamp\":");
    encode::u64(out, u64::try_from(since.as_millis()).unwrap_or_default());
    out.extend_from_slice(b",\"CloudWatchMetrics\":[{\"Namespace\":");
    encode::string(out, namespace, 256);
    let dimensions: &[u8] = if has_function {
        b",\"Dimensions\":[[\"function\"]],\"Metrics\":["
    } else {
        b",\"Dimensions\":[[]],\"Metrics\":["
    };
    out.extend_from_slice(dimensions);
    out.extend_from_slice(&embedded.metrics);
    out.extend_from_slice(b"]}]},");
    out.extend_from_slice(&embedded.values);
}

/// Metrics as they are declared, and their values.
#[derive(Default)]
struct Embedded {
    metrics: Vec<u8>,
    values: Vec<u8>,
    count: usize,
    /// The keys of measures that are there.
    known: Vec<Vec<u8>>,
}

impl Embedded {
    /// Declares a metric whose value stands in the line already.
    fn declare(&mut self, name: &[u8], unit: &str) {
        let open: &[u8] = if self.metrics.is_empty() {
            b"{\"Name\":"
        } else {
            b",{\"Name\":"
        };
        self.metrics.extend_from_slice(open);
        self.metrics.extend_from_slice(name);
        self.metrics.extend_from_slice(b",\"Unit\":\"");
        self.metrics.extend_from_slice(unit.as_bytes());
        self.metrics.extend_from_slice(b"\"}");
        self.count += 1;
    }

    fn add(&mut self, name: &str, unit: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.values.len();
        encode::key(&mut self.values, name);
        let colon = self.values.len().saturating_sub(1);
        let key = self.values.get(start..colon).unwrap_or_default().to_vec();
        self.declare(&key, unit);
        write(&mut self.values);
        self.values.push(b',');
    }

    /// Adds a measure, unless there is no room for more, or its key stands at the top level already.
    fn measure(&mut self, name: &str, unit: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let mut key = Vec::new();
        encode::key(&mut key, name);
        let bare = key.get(1..key.len().saturating_sub(2)).unwrap_or_default();
        let taken = TOP_LEVEL.iter().any(|taken| taken.as_bytes() == bare)
            || matches!(bare, b"cold_starts" | b"errors");
        if self.count < MOST && !taken && !self.known.contains(&key) {
            self.known.push(key);
            self.add(name, unit, write);
        }
    }
}
