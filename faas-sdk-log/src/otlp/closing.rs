//! What the log layer knows of a span, handed to the span's processor. Both are called one after
//! the other, on one thread, when a span is closed.

use crate::entries::Entries;
use opentelemetry::trace::SpanContext;
use std::cell::Cell;
use tracing::Metadata;

thread_local! {
    static CLOSING: Cell<Option<Box<Closing>>> = const { Cell::new(None) };
}

/// A span that is being closed.
pub(super) struct Closing {
    span: SpanContext,
    metadata: &'static Metadata<'static>,
    fields: Entries,
    /// It is the span of an invocation.
    pub(super) invocation: bool,
}

impl Closing {
    pub(super) fn new(
        span: SpanContext,
        metadata: &'static Metadata<'static>,
        fields: Entries,
        invocation: bool,
    ) -> Self {
        Self {
            span,
            metadata,
            fields,
            invocation,
        }
    }

    /// Keeps it for the processor, in the place of one that no processor asked for: that of a span
    /// that is not sampled.
    pub(super) fn hand_over(self) {
        // A thread that is at its end hands nothing over.
        let _ = CLOSING.try_with(|closing| closing.set(Some(Box::new(self))));
    }

    /// What was handed over for this span.
    pub(super) fn take(span: &SpanContext) -> Option<Self> {
        let closing = CLOSING.try_with(Cell::take).ok()??;
        let same =
            closing.span.span_id() == span.span_id() && closing.span.trace_id() == span.trace_id();
        same.then_some(*closing)
    }

    /// Whether an attribute was made from a field of the span. Of errors there is a second one.
    pub(super) fn names(&self, attribute: &str) -> bool {
        let field = |name| self.metadata.fields().field(name).is_some();
        field(attribute) || attribute.strip_suffix(".chain").is_some_and(field)
    }

    /// Its fields: names, and values as JSON.
    pub(super) fn fields(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.fields.iter().filter_map(|(key, value, _)| {
            // Sanitised, so that there is nothing to be read but the quotes and the colon.
            let key = key.strip_prefix(b"\"")?.strip_suffix(b"\":")?;
            let key = str::from_utf8(key).ok()?;
            Some((key.to_owned(), value))
        })
    }
}
