use crate::callsite::INVOKE_TARGET;
use crate::entries::Entries;
use crate::layer::LogLayer;
use crate::origin::Ids;
use crate::span::SpanState;
use faas_sdk_scope::Scope;
use std::sync::Arc;
use tracing::Span;
use tracing_subscriber::registry::{LookupSpan, Registry};

/// The facts that every line of one invocation carries, from its span down.
///
/// ```
/// use faas_sdk_log::Invocation;
///
/// let span = tracing::info_span!(target: "faas_sdk::invoke", "invocation");
/// Invocation::new("8476a536")
///     .trace(0x4bf92f3577b34da6a3ce929d0e0e4736, 0x00f067aa0ba902b7, 1)
///     .cold_start(true)
///     .bind(&span);
/// span.in_scope(|| tracing::info!("this line has the request id"));
/// ```
///
/// Nothing is kept outside of the span: two invocations in one process never meet. Work that is
/// spawned keeps the facts if it runs in the span, as with `tracing::Instrument`.
#[derive(Clone, Debug)]
#[must_use = "an invocation has to be bound to its span"]
pub struct Invocation<'a> {
    ids: Ids<'a>,
    scope: Option<&'a Scope>,
    exported: Exported<'a>,
}

/// What an exported span of the invocation is told.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "otlp"), allow(dead_code))]
pub(crate) struct Exported<'a> {
    pub(crate) parent: Option<Parent<'a>>,
    pub(crate) trigger: Option<&'a str>,
}

/// The span of the caller, of another process.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "otlp"), allow(dead_code))]
pub(crate) struct Parent<'a> {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    pub(crate) flags: u8,
    /// The header `tracestate`.
    pub(crate) state: Option<&'a str>,
}

impl<'a> Invocation<'a> {
    /// The invocation that the platform knows by this id.
    pub fn new(request_id: &'a str) -> Self {
        Self {
            ids: Ids {
                request_id,
                ..Ids::default()
            },
            scope: None,
            exported: Exported::default(),
        }
    }

    /// The caller's span, as the headers `traceparent` and `tracestate` name it; an exported span
    /// of the invocation becomes its child.
    pub fn parent(
        mut self,
        trace_id: u128,
        span_id: u64,
        flags: u8,
        state: Option<&'a str>,
    ) -> Self {
        self.exported.parent = Some(Parent {
            trace_id,
            span_id,
            flags,
            state,
        });
        self
    }

    /// What caused it, in OpenTelemetry's terms: `http`, `pubsub`, `datasource`, `timer` or `other`.
    /// Only an exported span of the invocation tells of it.
    pub fn trigger(mut self, trigger: Option<&'a str>) -> Self {
        self.exported.trigger = trigger;
        self
    }

    /// Its trace, the span of the invocation itself, and the W3C trace flags.
    pub fn trace(mut self, trace_id: u128, span_id: u64, flags: u8) -> Self {
        self.ids.trace = Some((trace_id, span_id, flags));
        self
    }

    /// Whether it is the first one of this instance.
    pub fn cold_start(mut self, cold_start: bool) -> Self {
        self.ids.cold_start = cold_start;
        self
    }

    /// The function that is called, if it is not the one of the process's
    /// [`Origin`](crate::Origin).
    pub fn function(mut self, function: Option<&'a str>) -> Self {
        self.ids.function = function;
        self
    }

    /// The scope whose counters stand in the line that ends the invocation, and whose deadline no
    /// write waits for.
    pub fn scope(mut self, scope: &'a Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Has every line written in `span` and below it carry these facts. Spans that were opened in it
    /// before do not know of it. Does nothing where lines do not go through a [`LogLayer`].
    ///
    /// Returns trace id, span id and flags that its lines carry: those it was given, or those of the
    /// span that is exported. That one only becomes the child of [`Invocation::parent`] if nothing
    /// was logged and no span was opened in it before.
    #[cfg_attr(not(feature = "otlp"), allow(unused_mut))]
    pub fn bind(mut self, span: &Span) -> Option<(u128, u64, u8)> {
        #[cfg(feature = "otlp")]
        let bound = span;
        span.with_subscriber(|(id, dispatch)| {
            let (Some(layer), Some(registry)) = (
                dispatch.downcast_ref::<LogLayer>(),
                dispatch.downcast_ref::<Registry>(),
            ) else {
                return;
            };
            let Some(span) = registry.span(id) else {
                return;
            };
            #[cfg(feature = "otlp")]
            let otlp = layer
                .otlp()
                .map(|otlp| otlp.begin(bound, &mut self.ids, &self.exported));
            #[cfg_attr(not(feature = "otlp"), allow(unused_mut))]
            let mut active = layer.logger().begin(&self.ids, self.scope.cloned());
            #[cfg(feature = "otlp")]
            {
                active.otlp = otlp;
            }
            let active = Arc::new(active);
            let mut extensions = span.extensions_mut();
            let before = extensions.remove::<SpanState>().unwrap_or_default();
            // What the engine's span says of the invocation stands in the line already.
            let fields = if span.metadata().target() == INVOKE_TARGET {
                Entries::default()
            } else {
                before.fields
            };
            extensions.insert(SpanState {
                fields,
                invocation: Some(active),
            });
        });
        self.ids.trace
    }
}
