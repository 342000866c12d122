//! A line put together from its parts, within its size.

use crate::callsite::Callsite;
use crate::encode::{self, Timestamps};
use crate::google::Place;
use crate::origin::Block;
use crate::profile::Spelling;
use crate::record::Parts;
use crate::rules::{ID, MESSAGE};
use std::time::SystemTime;
use tracing::Level;

/// The keys of a line. What a user adds stands in `fields`, so that none is ever taken.
pub(crate) const TOP_LEVEL: &[&str] = &[
    "timestamp",
    "level",
    "message",
    "event",
    "request_id",
    "trace_id",
    "xray_trace_id",
    "trace_flags",
    "cold_start",
    "span_id",
    "seq",
    "v",
    "service",
    "env",
    "function",
    "function_version",
    "platform",
    "region",
    "instance",
    "target",
    "code",
    "duration_ms",
    "fields",
    "error",
    "truncated",
    "lost",
    "_aws",
];

/// What a line is put together from, beside its parts.
pub(crate) struct Frame<'a> {
    pub(crate) site: &'a Callsite,
    pub(crate) spelling: &'static Spelling,
    pub(crate) block: &'a Block,
    pub(crate) now: SystemTime,
    /// The number of the line; those that are kept back have none.
    pub(crate) seq: Option<u64>,
    pub(crate) instance: &'a str,
    /// Lines that were lost before this one.
    pub(crate) lost: u64,
    pub(crate) budget: usize,
}

/// The longest place in the source where names are cut, as it is written.
const PLACE: usize = 256;

/// What is left out to make a line fit, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    Nothing,
    /// Texts of fields beyond 256 bytes.
    Texts,
    Backtrace,
    Causes,
    Fields,
    /// Messages beyond 1 KiB, and what else is known of an error.
    Messages,
    /// Messages beyond 128 bytes, and names beyond 64.
    Names,
    /// Metrics.
    Metrics,
}

impl Cut {
    const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Texts,
        Self::Backtrace,
        Self::Causes,
        Self::Fields,
        Self::Messages,
        Self::Names,
        Self::Metrics,
    ];

    /// The longest message, as it is written.
    fn message(self) -> usize {
        match self {
            Self::Names | Self::Metrics => 128,
            Self::Messages => 1 << 10,
            // No character takes more than six bytes.
            _ => MESSAGE * 6,
        }
    }

    /// The longest name, as it is written.
    fn name(self) -> usize {
        if self >= Self::Names { 64 } else { ID * 6 }
    }
}

impl Frame<'_> {
    /// Writes the line, its line feed included, to `line`, which is emptied first. Ids are never
    /// cut: a line may only be longer than its budget if they are.
    pub(crate) fn write(&self, line: &mut Vec<u8>, parts: &mut Parts, stamps: &mut Timestamps) {
        for cut in Cut::ALL {
            line.clear();
            self.put(line, parts, stamps, cut);
            if line.len() <= self.budget {
                break;
            }
        }
    }

    fn put(&self, out: &mut Vec<u8>, parts: &mut Parts, stamps: &mut Timestamps, cut: Cut) {
        let Self { site, block, .. } = *self;
        let mut removed = parts.removed + parts.fields.removed + block.removed;
        out.extend_from_slice(self.spelling.open.as_bytes());
        stamps.write(out, self.now);
        out.extend_from_slice(&site.head);
        if parts.message.is_empty() {
            out.extend_from_slice(b"\"\"");
        } else {
            removed += text(out, &parts.message, cut.message());
        }
        out.push(b',');
        if parts.event.is_empty() {
            out.extend_from_slice(&site.event);
        } else {
            out.extend_from_slice(b"\"event\":");
            removed += text(out, &parts.event, cut.name());
            out.push(b',');
        }
        if !parts.request_id.is_empty() {
            out.extend_from_slice(b"\"request_id\":");
            out.extend_from_slice(&parts.request_id);
            out.push(b',');
            removed += parts.request_id_removed;
        }
        out.extend_from_slice(&block.ids);
        self.put_seq(out);
        out.extend_from_slice(&block.origin);
        out.extend_from_slice(&site.target);
        removed += self.put_code(out, parts, cut);
        if !parts.duration.is_empty() {
            out.extend_from_slice(b"\"duration_ms\":");
            out.extend_from_slice(&parts.duration);
            out.push(b',');
        }
        removed += put_fields(out, parts, cut);
        removed += put_error(out, parts, cut);
        if cut < Cut::Metrics {
            out.extend_from_slice(&parts.extra);
        } else {
            removed += parts.extra.len();
        }
        for (key, number) in [("truncated", removed as u64), ("lost", self.lost)] {
            if number > 0 {
                encode::key(out, key);
                encode::u64(out, number);
                out.push(b',');
            }
        }
        out.pop();
        out.extend_from_slice(b"}\n");
    }

    fn put_seq(&self, out: &mut Vec<u8>) {
        let Some(seq) = self.seq else { return };
        out.extend_from_slice(b"\"seq\":");
        encode::u64(out, seq);
        out.push(b',');
        if self.spelling.google {
            out.extend_from_slice(b"\"logging.googleapis.com/insertId\":");
            encode::string(out, self.instance, 128);
            // The closing quote gives way to the number.
            out.pop();
            out.push(b'-');
            encode::u64(out, seq);
            out.extend_from_slice(b"\",");
        }
    }

    fn put_code(&self, out: &mut Vec<u8>, parts: &Parts, cut: Cut) -> usize {
        let location = &parts.error.location;
        // A place that is shortened is none.
        let fits = cut < Cut::Names || location.len() <= PLACE;
        if location.is_empty() || !fits || self.site.level > Level::WARN {
            out.extend_from_slice(&self.site.code);
        } else if self.spelling.google {
            match Place::read(location) {
                Some(place) => self.site.google_place(out, place),
                None => out.extend_from_slice(&self.site.code),
            }
        } else {
            out.extend_from_slice(b"\"code\":");
            out.extend_from_slice(location);
            out.push(b',');
        }
        if fits { 0 } else { location.len() }
    }
}

/// Writes a JSON text with at most so many bytes, and says how many were left out.
fn text(out: &mut Vec<u8>, text: &[u8], cap: usize) -> usize {
    let start = out.len();
    out.extend_from_slice(text);
    encode::cut(out, start, cap)
}

fn put_fields(out: &mut Vec<u8>, parts: &Parts, cut: Cut) -> usize {
    if parts.fields.is_empty() {
        return 0;
    }
    let start = out.len();
    out.extend_from_slice(b"\"fields\":");
    let cap = (cut >= Cut::Texts).then_some(256);
    let removed = parts.fields.write(out, cap);
    if cut >= Cut::Fields {
        let removed = removed + out.len() - start;
        out.truncate(start);
        return removed;
    }
    out.push(b',');
    removed
}

/// What is left out of an error stays away, as each cut follows on the one before.
fn put_error(out: &mut Vec<u8>, parts: &mut Parts, cut: Cut) -> usize {
    let error = &mut parts.error;
    if !error.present {
        return 0;
    }
    if cut >= Cut::Backtrace {
        error.removed += error.backtrace.len();
        error.backtrace.clear();
    }
    if cut >= Cut::Causes {
        error.removed += error.causes.len();
        error.causes.clear();
    }
    if cut >= Cut::Messages {
        error.removed += error.details.len();
        error.details.clear();
        error.removed += encode::cut(&mut error.message, 0, cut.message());
    }
    error.removed += encode::cut(&mut error.kind, 0, cut.name());
    out.extend_from_slice(b"\"error\":");
    error.write(out);
    out.push(b',');
    error.removed
}

#[cfg(test)]
mod tests {
    use super::TOP_LEVEL;

    #[test]
    fn the_schema_lists_the_same_keys() {
        let schema: serde_json::Value = serde_json::from_str(crate::SCHEMA).expect("JSON");
        let properties = schema["properties"].as_object().expect("properties");
        let mut known = TOP_LEVEL.to_vec();
        known.sort_unstable();
        assert!(
            properties.keys().eq(known.iter()),
            "{:?}",
            properties.keys()
        );
    }
}
