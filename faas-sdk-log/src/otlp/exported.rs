use super::facts::Facts;
use super::kept::Kept;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue, SpanId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An invocation whose span and log records are exported.
#[derive(Debug)]
pub(crate) struct Exported {
    pub(super) facts: Arc<Facts>,
    /// With its span, if spans are exported.
    pub(super) context: Option<Context>,
    kept: Mutex<Kept>,
}

impl Exported {
    pub(super) fn new(facts: Facts, context: Option<Context>) -> Self {
        Self {
            facts: Arc::new(facts),
            context,
            kept: Mutex::default(),
        }
    }

    /// The records of lines that are only written if the invocation fails.
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_span(&self, span: SpanId) -> bool {
        let context = self.context.as_ref();
        context.is_some_and(|context| context.span().span_context().span_id() == span)
    }

    /// Marks the invocation's span as failed.
    pub(super) fn fail(&self, outcome: String, kind: Option<String>) {
        let Some(context) = &self.context else { return };
        let span = context.span();
        span.set_status(opentelemetry::trace::Status::error(outcome));
        if let Some(kind) = kind {
            span.set_attribute(KeyValue::new("error.type", kind));
        }
    }
}
