use super::pipeline::Pipeline;
use super::record::Record;
use crate::active::Active;
use crate::layer::{Line, Told};
use crate::record::Parts;
use std::sync::Arc;
use tracing::Metadata;
use tracing::span::Id;

impl Pipeline {
    /// An event became a line, or did not, within a span.
    pub(crate) fn told(
        &self,
        told: &Told,
        parts: &Parts,
        metadata: &'static Metadata<'static>,
        active: Option<&Active>,
        span: Option<&Id>,
    ) {
        let invocation = active.and_then(|active| active.otlp.as_ref());
        if let (true, Some(invocation)) = (told.ends, invocation) {
            let kept = invocation.kept().take();
            if parts.failed {
                let outcome = text(parts, b"\"outcome\":").unwrap_or_default();
                invocation.fail(outcome, kind(parts));
                kept.for_each(|record| self.push(record));
            }
        }
        if matches!(told.line, Line::None) || !self.exports_lines_of(metadata) {
            return;
        }
        let record = |seq| {
            let facts = invocation.map(|invocation| Arc::clone(&invocation.facts));
            let ids = span.and_then(|span| self.ids(span));
            let rules = &self.logger.rules;
            Record::new(parts, metadata, rules, (told.now, seq), facts, ids)
        };
        match (&told.line, invocation) {
            (Line::Written(seq), _) => self.push(record(*seq)),
            (Line::Kept(bytes), Some(invocation)) => {
                // Made before the lock is taken.
                let record = record(None);
                invocation.kept().push(record, *bytes, self.logger.ring);
            }
            (Line::Kept(_), None) | (Line::None, _) => {}
        }
    }
}

/// The kind of the error that the invocation ended with, or its code.
fn kind(parts: &Parts) -> Option<String> {
    if parts.error.present {
        return serde_json::from_slice(&parts.error.kind).ok();
    }
    text(parts, b"\"error_code\":")
}

/// A field that is a text.
fn text(parts: &Parts, wanted: &[u8]) -> Option<String> {
    let mut fields = parts.fields.iter();
    let (_, value, _) = fields.find(|(key, ..)| *key == wanted)?;
    serde_json::from_slice(value).ok()
}
