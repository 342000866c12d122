use super::closing::Closing;
use super::config::Otlp;
use super::exporter::Exporter;
use super::facts::{Ids, ids};
use super::queue::Queue;
use super::record::Record;
use super::resource::resource;
use super::spans::{self, Processor};
use super::tls::Tls;
use crate::active::Active;
use crate::entries::Entries;
use crate::logger::Logger;
use opentelemetry::logs::LoggerProvider as _;
use opentelemetry::trace::{TraceContextExt, TracerProvider as _};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData};
use std::fmt;
use std::sync::{Arc, OnceLock};
use tracing::dispatcher::WeakDispatch;
use tracing::{Dispatch, Metadata, span};
use tracing_opentelemetry::get_otel_context;

/// What one [`LogLayer`](crate::LogLayer) exports: the queues, and what empties them.
pub(crate) struct Pipeline {
    pub(super) logger: Arc<Logger>,
    /// The subscriber that the layer is part of.
    dispatch: OnceLock<WeakDispatch>,
    pub(super) tracer: Option<SdkTracer>,
    pub(super) spans: Arc<Queue<SpanData>>,
    pub(super) records: Queue<Record>,
    pub(super) span_exporter: Option<Exporter<SpanExporter>>,
    pub(super) log_exporter: Option<Exporter<LogExporter>>,
    /// Makes empty log records; there is no other way to get at one.
    pub(super) maker: SdkLogger,
    /// Held while a flush is under way, so that exporters are never called twice at once, and that
    /// who flushes at the same time waits for what the other one has taken.
    pub(super) flushing: tokio::sync::Mutex<()>,
}

impl Pipeline {
    pub(crate) fn new(otlp: &Otlp, logger: Arc<Logger>) -> Self {
        let resource = resource(otlp, &logger.origin);
        let tls = Arc::new(Tls::new(otlp.roots.clone()));
        let spans = Arc::new(Queue::new(otlp.queue_limit));
        let receiver = otlp.traces.as_ref();
        let span_exporter =
            receiver.and_then(|receiver| Exporter::of_spans(receiver, &tls, &resource));
        let tracer = span_exporter.as_ref().map(|_| {
            let processor = Processor {
                queue: Arc::clone(&spans),
                rules: Arc::clone(&logger.rules),
            };
            let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
                .with_version(env!("CARGO_PKG_VERSION"))
                .build();
            SdkTracerProvider::builder()
                .with_sampler(otlp.sampling.sampler())
                .with_id_generator(spans::Ids::default())
                .with_resource(resource.clone())
                .with_span_processor(processor)
                .build()
                .tracer_with_scope(scope)
        });
        let receiver = otlp.logs.as_ref();
        let log_exporter =
            receiver.and_then(|receiver| Exporter::of_records(receiver, &tls, &resource));
        Self {
            logger,
            dispatch: OnceLock::new(),
            tracer,
            spans,
            records: Queue::new(otlp.queue_limit),
            span_exporter,
            log_exporter,
            maker: SdkLoggerProvider::builder()
                .with_resource(resource)
                .build()
                .logger(env!("CARGO_PKG_NAME")),
            flushing: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn registered(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    /// The context of a span's counterpart, which begins with this if it has not begun; none if
    /// spans are not exported.
    fn context(&self, span: &span::Id) -> Option<Context> {
        let dispatch = self.dispatch.get()?.upgrade()?;
        get_otel_context(span, &dispatch)
    }

    /// The ids of a span's counterpart.
    pub(super) fn ids(&self, span: &span::Id) -> Option<Ids> {
        ids(self.context(span)?.span().span_context())
    }

    /// A span is about to be closed.
    pub(crate) fn closing(
        &self,
        id: &span::Id,
        metadata: &'static Metadata<'static>,
        fields: Entries,
        active: Option<&Active>,
    ) {
        let Some(context) = self.context(id) else {
            return;
        };
        let span = context.span();
        let span = span.span_context();
        if !span.is_sampled() {
            return;
        }
        let invocation = active.and_then(|active| active.otlp.as_ref());
        let invocation = invocation.is_some_and(|invocation| invocation.is_span(span.span_id()));
        Closing::new(span.clone(), metadata, fields, invocation).hand_over();
    }

    /// Whether lines become log records, if they are not about the export itself.
    pub(super) fn exports_lines_of(&self, metadata: &Metadata<'_>) -> bool {
        self.log_exporter.is_some() && exported(metadata)
    }

    pub(super) fn push(&self, record: Record) {
        let size = record.size();
        self.records.push(record, size);
    }

    /// How many spans and log records wait, with those that are being exported.
    pub(super) fn pending(&self) -> usize {
        self.spans.len() + self.records.len()
    }
}

/// The target of lines about the export.
pub(super) const TARGET: &str = "faas_sdk_log::otlp";

/// Lines about the export would make the next one necessary. Those of the SDK may also be written
/// while it holds the locks that are needed to ask it for a span.
fn exported(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    target != TARGET && !target.starts_with("opentelemetry")
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.tell_at_the_end();
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}
