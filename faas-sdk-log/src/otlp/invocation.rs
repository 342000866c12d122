use super::exported::Exported;
use super::facts::{Facts, ids};
use super::pipeline::Pipeline;
use crate::invocation::{self, Parent};
use crate::origin::Ids;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceState};
use opentelemetry::{Context, KeyValue, SpanId, TraceFlags, TraceId};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

impl Pipeline {
    /// An invocation begins with this span. If the span is exported, it gets its parent, its ids
    /// become those of the invocation, and it is told what it is.
    pub(crate) fn begin(
        &self,
        span: &Span,
        ids: &mut Ids<'_>,
        told: &invocation::Exported<'_>,
    ) -> Exported {
        let context = self.tracer.as_ref().and_then(|_| started(span, ids, told));
        let origin = &self.logger.origin;
        let own = ids
            .function
            .filter(|name| origin.function.as_deref() != Some(name));
        let facts = Facts {
            request_id: ids.request_id.to_owned(),
            cold_start: ids.cold_start,
            function: own.map(str::to_owned),
            ids: ids.trace,
        };
        if let (Some(context), Some(name)) = (&context, &facts.function) {
            context
                .span()
                .set_attribute(KeyValue::new("faas.name", name.clone()));
        }
        let name = ids.function.or(origin.function.as_deref());
        let named = span.field("otel.name").is_some();
        if let (Some(context), Some(name), false) = (&context, name, named) {
            context.span().update_name(name.to_owned());
        }
        Exported::new(facts, context)
    }
}

/// Starts the counterpart of a span. Gives its context, if it has one.
fn started(
    span: &Span,
    invocation: &mut Ids<'_>,
    told: &invocation::Exported<'_>,
) -> Option<Context> {
    let parent = told.parent.as_ref();
    if let Some(parent) = parent.map(remote).filter(SpanContext::is_valid) {
        // Fails if it has started. Then it has its parent, and keeps it.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    let context = span.context();
    let counterpart = context.span();
    invocation.trace = Some(ids(counterpart.span_context())?);
    let id = invocation.request_id.to_owned();
    counterpart.set_attribute(KeyValue::new("faas.invocation_id", id));
    counterpart.set_attribute(KeyValue::new("faas.coldstart", invocation.cold_start));
    if let Some(trigger) = told.trigger {
        counterpart.set_attribute(KeyValue::new("faas.trigger", trigger.to_owned()));
    }
    Some(context)
}

fn remote(parent: &Parent<'_>) -> SpanContext {
    // A state that is not valid is left out, as the W3C recommendation asks.
    let state = parent.state.and_then(|state| state.parse().ok());
    SpanContext::new(
        TraceId::from(parent.trace_id),
        SpanId::from(parent.span_id),
        TraceFlags::new(parent.flags),
        true,
        state.unwrap_or(TraceState::NONE),
    )
}
