//! The counters of an invocation, in the line that ends it.

use crate::encode;
use crate::record::Parts;
use faas_sdk_scope::{Measure, Unit};
use std::time::{Duration, SystemTime};

/// The most metrics that CloudWatch takes in one line.
const MOST: usize = 100;

/// Adds counters to the fields: a count under its name, a time under its name with `_ms`, and how
/// many there were of it with `_count`.
pub(crate) fn fields(parts: &mut Parts, measures: &[Measure]) {
    for measure in measures {
        let name = &measure.name;
        match measure.unit {
            Unit::Nanoseconds => {
                parts
                    .fields
                    .put(&format!("{name}_ms"), |out| milliseconds(out, measure));
                parts.fields.put(&format!("{name}_count"), |out| {
                    encode::u64(out, measure.count)
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
    let mut values = Vec::new();
    let mut metrics = Vec::new();
    let mut known: Vec<Vec<u8>> = Vec::new();
    let mut metric = |name: &str, unit: &str, value: Option<&dyn Fn(&mut Vec<u8>)>| {
        let mut key = Vec::new();
        encode::key(&mut key, name);
        // A key that stands at the top level already would be there twice.
        let taken = value.is_some() && crate::line::TOP_LEVEL.contains(&name);
        if taken || known.contains(&key) {
            return;
        }
        known.push(key.clone());
        metrics.extend_from_slice(if metrics.is_empty() {
            b"{\"Name\":"
        } else {
            b",{\"Name\":"
        });
        metrics.extend_from_slice(key.get(..key.len().saturating_sub(1)).unwrap_or_default());
        metrics.extend_from_slice(b",\"Unit\":\"");
        metrics.extend_from_slice(unit.as_bytes());
        metrics.extend_from_slice(b"\"}");
        if let Some(write) = value {
            values.extend_from_slice(&key);
            write(&mut values);
            values.push(b',');
        }
    };
    if !parts.duration.is_empty() {
        metric("duration_ms", "Milliseconds", None);
    }
    let (cold, failed) = (u64::from(cold_start), u64::from(parts.failed));
    metric("cold_starts", "Count", Some(&|out| encode::u64(out, cold)));
    metric("errors", "Count", Some(&|out| encode::u64(out, failed)));
    for measure in measures.iter().take(MOST - 3) {
        match measure.unit {
            Unit::Nanoseconds => {
                let name = format!("{}_ms", measure.name);
                metric(
                    &name,
                    "Milliseconds",
                    Some(&|out| milliseconds(out, measure)),
                );
            }
            _ => metric(
                &measure.name,
                "Count",
                Some(&|out| encode::u64(out, measure.sum)),
            ),
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
    out.extend_from_slice(&metrics);
    out.extend_from_slice(b"]}]},");
    out.extend_from_slice(&values);
}
