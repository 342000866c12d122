use crate::layer::LogLayer;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

impl LogLayer {
    /// Puts beside it what makes spans of `tracing` ones of OpenTelemetry, if spans are exported.
    ///
    /// The two are layers of one tree, not one within the other: only so are both found from the
    /// subscriber by their types, which `OpenTelemetrySpanExt` relies on. The log layer comes first
    /// in it, and knows of a closed span before it is exported.
    pub(crate) fn with_spans<S>(self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let Some(tracer) = self.otlp().and_then(|otlp| otlp.tracer.clone()) else {
            return Box::new(self);
        };
        let spans = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            // A span starts when something has to know its id, not when it is entered: until then it
            // can be given its parent. `Span::context()` gives its context all the same.
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_threads(false)
            // Errors in fields are written as those of lines.
            .with_error_fields_to_exceptions(false)
            .with_error_records_to_exceptions(false)
            .with_error_events_to_exceptions(false)
            .with_error_events_to_status(false);
        Box::new(self.and_then(spans.with_filter(SpansOnly)))
    }
}

/// Lines are exported as log records, not as events of their spans.
///
/// Its answer is not kept for any callsite, as it could be: what it says is passed on through a cell
/// of the thread, in which the answer for something else may still stand otherwise (tracing#2519).
struct SpansOnly;

impl<S> Filter<S> for SpansOnly {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.is_span()
    }
}
