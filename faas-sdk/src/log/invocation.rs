use crate::config::Config;
use faas_sdk_core::{BoxFuture, EventKind, Invocation, Invoke, Outcome, Payload, TraceContext};
use std::sync::Arc;
use tracing::{Metadata, Span};

/// Stands around everything else, so that the lines of layers carry the invocation's facts too.
pub(crate) struct Logged {
    inner: Arc<dyn Invoke>,
    #[cfg(feature = "otlp")]
    exporter: super::export::Exporter,
}

impl Logged {
    #[cfg_attr(not(feature = "otlp"), allow(unused_variables))]
    pub(crate) fn new(inner: Arc<dyn Invoke>, config: &Config) -> Self {
        Self {
            inner,
            #[cfg(feature = "otlp")]
            exporter: super::export::Exporter::new(config.otlp()),
        }
    }
}

impl Invoke for Logged {
    fn invoke(&self, mut invocation: Invocation) -> BoxFuture<'_, Outcome> {
        let span = Span::current();
        // A foreign filter may have left it out, and what is current then is of somebody else.
        let ours = |metadata: &Metadata<'_>| metadata.target() == "faas_sdk::invoke";
        if span.metadata().is_some_and(ours) {
            begin(&mut invocation, &span);
            #[cfg(feature = "otlp")]
            self.exporter.invoked(invocation.scope.instance());
        }
        self.inner.invoke(invocation)
    }
}

/// What called the function, in OpenTelemetry's words for `faas.trigger`.
fn trigger(payload: &Payload) -> Option<&'static str> {
    let event = match payload {
        Payload::Http(_) => return Some("http"),
        Payload::Event(event) => &**event,
        Payload::Batch(batch) => batch
            .items
            .iter()
            .find_map(|item| item.data.as_ref().ok())?,
        _ => return None,
    };
    Some(match event.kind {
        EventKind::Timer => "timer",
        EventKind::Queue | EventKind::Topic | EventKind::Stream => "pubsub",
        EventKind::Object | EventKind::Database => "datasource",
        _ => "other",
    })
}

/// Tells the log what it is to know, and the invocation which span of a trace it is.
fn begin(invocation: &mut Invocation, span: &Span) {
    let (info, scope) = (&mut invocation.info, &invocation.scope);
    let own = info.trace.own(&info.id, scope.started());
    let mut known = faas_sdk_log::Invocation::new(&info.id)
        .trace(own.trace_id, own.span_id, own.flags)
        .cold_start(info.cold_start)
        .function(info.function.name.as_deref())
        .trigger(trigger(&invocation.payload))
        .scope(scope);
    if let Some(hop) = info.trace.context() {
        known = known.parent(hop.trace_id, hop.span_id, hop.flags, info.trace.state());
    }
    let bound = known.bind(span);
    if let Some((trace_id, span_id, flags)) = bound {
        info.trace.set_own(TraceContext {
            trace_id,
            span_id,
            flags,
        });
    }
}
