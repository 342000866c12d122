use super::facts::{Facts, Ids};
use super::names;
use super::value;
use crate::callsite::{own_name, place};
use crate::record::Parts;
use crate::rules::Rules;
use opentelemetry::logs::{AnyValue, LogRecord as _, Severity};
use opentelemetry::{Key, SpanId, TraceFlags, TraceId};
use opentelemetry_sdk::logs::SdkLogRecord;
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use std::time::SystemTime;
use tracing::{Level, Metadata};

/// A line that is to be exported, as it was put together: what it says is JSON, redacted and cut.
#[derive(Debug)]
pub(super) struct Record {
    time: SystemTime,
    seq: Option<u64>,
    metadata: &'static Metadata<'static>,
    code: Option<(&'static str, u32)>,
    facts: Option<Arc<Facts>>,
    ids: Option<Ids>,
    json: Vec<u8>,
}

/// Texts of fields are cut to this if the line is too long with them.
const SHORT: usize = 256;

impl Record {
    /// `ids` are those of the span that the line was written in.
    pub(super) fn new(
        parts: &Parts,
        metadata: &'static Metadata<'static>,
        rules: &Rules,
        (time, seq): (SystemTime, Option<u64>),
        facts: Option<Arc<Facts>>,
        ids: Option<Ids>,
    ) -> Self {
        let sampled = ids.filter(|(.., flags)| flags & 1 == 1);
        Self {
            time,
            seq,
            metadata,
            code: place(metadata, rules),
            ids: sampled.or_else(|| facts.as_ref()?.ids),
            facts,
            json: json(parts, rules.profile.budget),
        }
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.json.len() + 256
    }

    /// Fills a record of the SDK.
    pub(super) fn fill(&self, record: &mut SdkLogRecord, instance: Option<&str>) {
        let level = *self.metadata.level();
        record.set_timestamp(self.time);
        record.set_observed_timestamp(self.time);
        record.set_target(self.metadata.target());
        record.set_severity_number(severity(level));
        record.set_severity_text(level.as_str());
        if let Some((trace, span, flags)) = self.ids {
            let flags = Some(TraceFlags::new(flags));
            record.set_trace_context(TraceId::from(trace), SpanId::from(span), flags);
        }
        // It is JSON that was written here.
        let mut said: Map<String, Json> = serde_json::from_slice(&self.json).unwrap_or_default();
        if let Some(Json::String(message)) = said.remove("message") {
            record.set_body(message.into());
        }
        let mut attributes = Attributes::default();
        self.name(&mut said, record, &mut attributes);
        self.facts(instance, &mut attributes);
        self.code(&mut said, &mut attributes);
        if let Some(duration) = said.remove("duration_ms").and_then(value::any) {
            attributes.add("duration_ms", duration);
        }
        if let Some(Json::Object(error)) = said.remove("error") {
            attributes.error(error);
        }
        if let Some(Json::Object(fields)) = said.remove("fields") {
            for (key, field) in fields {
                if let Some(field) = value::any(field) {
                    attributes.add(key, field);
                }
            }
        }
        record.add_attributes(attributes.0);
    }

    fn name(
        &self,
        said: &mut Map<String, Json>,
        record: &mut SdkLogRecord,
        attributes: &mut Attributes,
    ) {
        match said.remove("event") {
            Some(Json::String(name)) => match names::lasting(&name) {
                Some(name) => record.set_event_name(name),
                None => attributes.add("event.name", name.into()),
            },
            _ => {
                if let Some(name) = own_name(self.metadata) {
                    record.set_event_name(name);
                }
            }
        }
    }

    fn facts(&self, instance: Option<&str>, attributes: &mut Attributes) {
        if let Some(facts) = &self.facts {
            attributes.add("faas.invocation_id", facts.request_id.clone().into());
            attributes.add("faas.coldstart", facts.cold_start.into());
            if let Some(function) = &facts.function {
                attributes.add("faas.name", function.clone().into());
            }
        }
        // The same each time it is sent, so that receivers can drop what comes twice.
        if let (Some(instance), Some(seq)) = (instance, self.seq) {
            attributes.add("log.record.uid", format!("{instance}-{seq}").into());
        }
    }

    fn code(&self, said: &mut Map<String, Json>, attributes: &mut Attributes) {
        let of_error = match said.remove("code") {
            Some(Json::String(place)) => split(&place),
            _ => None,
        };
        let own = || self.code.map(|(file, line)| (file.to_owned(), line));
        if let Some((file, line)) = of_error.or_else(own) {
            attributes.add("code.file.path", file.into());
            attributes.add("code.line.number", line.into());
        }
    }
}

/// The attributes of a record; of two with one key the first one stays.
#[derive(Default)]
struct Attributes(Vec<(Key, AnyValue)>);

impl Attributes {
    fn add(&mut self, key: impl Into<Key>, value: AnyValue) {
        let key = key.into();
        if !self.0.iter().any(|(known, _)| *known == key) {
            self.0.push((key, value));
        }
    }

    fn error(&mut self, error: Map<String, Json>) {
        for (key, member) in error {
            let key = match key.as_str() {
                "kind" => Key::from("exception.type"),
                "message" => Key::from("exception.message"),
                "backtrace" => Key::from("exception.stacktrace"),
                _ => Key::from(format!("error.{key}")),
            };
            if let Some(member) = value::any(member) {
                self.add(key, member);
            }
        }
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::TRACE => Severity::Trace,
        Level::DEBUG => Severity::Debug,
        Level::INFO => Severity::Info,
        Level::WARN => Severity::Warn,
        Level::ERROR => Severity::Error,
    }
}

/// What a line says, as one object of about at most so many bytes.
fn json(parts: &Parts, budget: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.push(b'{');
    for (key, value) in [
        (&b"\"message\":"[..], &parts.message),
        (b"\"event\":", &parts.event),
        (b"\"duration_ms\":", &parts.duration),
        (b"\"code\":", &parts.error.location),
    ] {
        if !value.is_empty() {
            out.extend_from_slice(key);
            out.extend_from_slice(value);
            out.push(b',');
        }
    }
    if parts.error.present {
        out.extend_from_slice(b"\"error\":");
        parts.error.write(&mut out);
        out.push(b',');
    }
    if !parts.fields.is_empty() {
        let before = out.len();
        for cap in [None, Some(SHORT)] {
            out.truncate(before);
            out.extend_from_slice(b"\"fields\":");
            parts.fields.write(&mut out, cap);
            out.push(b',');
            if out.len() <= budget {
                break;
            }
        }
        if out.len() > budget {
            out.truncate(before);
        }
    }
    if out.len() > 1 {
        out.pop();
    }
    out.push(b'}');
    out
}

/// `file:line`, or `file:line:column`.
fn split(place: &str) -> Option<(String, u32)> {
    let (rest, last) = place.rsplit_once(':')?;
    if let Some((file, line)) = rest.rsplit_once(':')
        && let Ok(line) = line.parse()
    {
        return Some((file.to_owned(), line));
    }
    Some((rest.to_owned(), last.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(split("src/a.rs:7"), Some(("src/a.rs".to_owned(), 7)));
        assert_eq!(split("src/a.rs:7:9"), Some(("src/a.rs".to_owned(), 7)));
        assert_eq!(split("C:\\a.rs:7"), Some(("C:\\a.rs".to_owned(), 7)));
        assert_eq!(split("a.rs"), None);
        assert_eq!(split("a.rs:x"), None);
    }
}
