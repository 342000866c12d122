//! What spans say, without secrets.

use super::closing::Closing;
use super::value;
use crate::encode;
use crate::redact::REDACTED;
use crate::rules::Rules;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;
use std::borrow::Cow;

/// Puts what was recorded for the span's lines in the place of what others read from its fields,
/// which is neither redacted nor cut, and redacts what was added to it otherwise.
pub(super) fn clean(data: &mut SpanData, closing: Option<Closing>, rules: &Rules) {
    if let Some(closing) = &closing {
        data.attributes
            .retain(|attribute| !closing.names(attribute.key.as_str()));
        if closing.invocation && data.span_kind == SpanKind::Internal {
            data.span_kind = SpanKind::Server;
        }
    }
    redact(&mut data.attributes, rules);
    if let Some(closing) = &closing {
        data.attributes.extend(closing.fields().map(|(key, json)| {
            let json = serde_json::from_slice(json).unwrap_or_default();
            KeyValue::new(key, value::plain(json))
        }));
    }
    // Lines are no events of spans. Some get through where a value logs while it is formatted.
    data.events
        .events
        .retain(|event| !is_line(&event.attributes));
    for event in &mut data.events.events {
        scrub(&mut event.name, rules);
        redact(&mut event.attributes, rules);
    }
    for link in &mut data.links.links {
        redact(&mut link.attributes, rules);
    }
    scrub(&mut data.name, rules);
    if let Status::Error { description } = &mut data.status {
        scrub(description, rules);
    }
}

/// Whether an event of a span was made from one of `tracing`: these begin with level and target.
fn is_line(attributes: &[KeyValue]) -> bool {
    let mut keys = attributes.iter().map(|attribute| attribute.key.as_str());
    keys.next() == Some("level") && keys.next() == Some("target")
}

fn redact(attributes: &mut [KeyValue], rules: &Rules) {
    for attribute in attributes {
        if rules.redact.matches(attribute.key.as_str()) {
            attribute.value = Value::from(REDACTED);
            continue;
        }
        match &mut attribute.value {
            Value::String(text) => scrub_value(text, rules),
            Value::Array(Array::String(texts)) => {
                for text in texts {
                    scrub_value(text, rules);
                }
            }
            _ => {}
        }
    }
}

fn scrub_value(text: &mut StringValue, rules: &Rules) {
    if let Some(scrubbed) = scrubbed(text.as_str(), rules.text()) {
        *text = scrubbed.into();
    }
}

fn scrub(text: &mut Cow<'static, str>, rules: &Rules) {
    if let Some(scrubbed) = scrubbed(text, rules.text()) {
        *text = scrubbed.into();
    }
}

/// A text without the credentials of URLs, and of at most so many bytes; `None` if it is so already.
fn scrubbed(text: &str, cap: usize) -> Option<String> {
    if text.len() <= cap && !text.contains("://") && !text.contains(r":\/\/") {
        return None;
    }
    let mut json = Vec::new();
    encode::string(&mut json, text, cap);
    serde_json::from_slice(&json).ok()
}

/// About how many bytes a span takes.
pub(super) fn size(data: &SpanData) -> usize {
    fn attributes(attributes: &[KeyValue]) -> usize {
        let size = |attribute: &KeyValue| {
            let value = match &attribute.value {
                Value::String(text) => text.as_str().len(),
                Value::Array(Array::String(texts)) => {
                    texts.iter().map(|text| text.as_str().len() + 8).sum()
                }
                Value::Array(Array::I64(numbers)) => numbers.len() * 8,
                Value::Array(Array::F64(numbers)) => numbers.len() * 8,
                Value::Array(Array::Bool(values)) => values.len(),
                _ => 8,
            };
            attribute.key.as_str().len() + value + 16
        };
        attributes.iter().map(size).sum()
    }
    let events = data.events.events.iter();
    let events = events.map(|event| event.name.len() + attributes(&event.attributes) + 16);
    let links = data.links.links.iter();
    let links = links.map(|link| attributes(&link.attributes) + 32);
    256 + data.name.len()
        + attributes(&data.attributes)
        + events.sum::<usize>()
        + links.sum::<usize>()
}
