use crate::active::Active;
use crate::buffers::Buffers;
use crate::callsite::{Callsite, Decision};
use crate::filter::{Filter, FilterError};
use crate::local::{self, Local};
use crate::logger::{Logger, Numbered};
use crate::record::{Parts, Recorder};
use crate::span::SpanState;
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// Writes events as lines; made by a [`Builder`](crate::Builder).
///
/// A subscriber takes one of them. Its filter holds for all layers beside it on the same subscriber.
/// Spans of INFO and above are kept whatever the filter says, unless it is `off`, since the lines in
/// them carry their fields.
#[derive(Debug)]
pub struct LogLayer {
    logger: Arc<Logger>,
    #[cfg(feature = "otlp")]
    otlp: Option<Arc<crate::otlp::Pipeline>>,
}

/// What became of an event.
#[derive(Debug)]
#[cfg_attr(not(feature = "otlp"), allow(dead_code))]
pub(crate) struct Told {
    pub(crate) now: SystemTime,
    /// It ended its invocation.
    pub(crate) ends: bool,
    pub(crate) line: Line,
}

#[derive(Debug)]
#[cfg_attr(not(feature = "otlp"), allow(dead_code))]
pub(crate) enum Line {
    None,
    /// Written, with this number.
    Written(Option<u64>),
    /// Kept for the case that the invocation fails; so many bytes.
    Kept(usize),
}

impl LogLayer {
    pub(crate) fn new(logger: Logger) -> Self {
        Self {
            logger: Arc::new(logger),
            #[cfg(feature = "otlp")]
            otlp: None,
        }
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn with_otlp(mut self, otlp: &crate::Otlp) -> Self {
        let pipeline = crate::otlp::Pipeline::new(otlp, Arc::clone(&self.logger));
        self.otlp = Some(Arc::new(pipeline));
        self
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn otlp(&self) -> Option<&Arc<crate::otlp::Pipeline>> {
        self.otlp.as_ref()
    }

    pub(crate) fn logger(&self) -> &Logger {
        &self.logger
    }

    /// Changes the filter while the program runs.
    ///
    /// # Errors
    ///
    /// The text is no filter; the one before stays.
    pub(crate) fn set_filter(&self, filter: &str) -> Result<(), FilterError> {
        let filter: Filter = filter.trim().parse()?;
        *self
            .logger
            .filter
            .write()
            .unwrap_or_else(PoisonError::into_inner) = filter;
        Ok(())
    }
}

/// Changes what the program's lines are filtered by, for example to `info,my_crate=debug`. It
/// counts until it is changed again.
///
/// # Errors
///
/// The text is no filter; the one before stays. Without a [`LogLayer`] nothing happens.
pub fn set_filter(filter: &str) -> Result<(), FilterError> {
    let set = tracing::dispatcher::get_default(|dispatch| {
        dispatch
            .downcast_ref::<LogLayer>()
            .map_or(Ok(()), |layer| layer.set_filter(filter))
    });
    if set.is_ok() {
        tracing::callsite::rebuild_interest_cache();
    }
    set
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    #[cfg(feature = "otlp")]
    fn on_register_dispatch(&self, subscriber: &tracing::Dispatch) {
        if let Some(otlp) = &self.otlp {
            otlp.registered(subscriber);
        }
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let decision = self.logger.decide(metadata);
        if decision == Decision::Never {
            return Interest::never();
        }
        self.logger.site(metadata).decide(decision);
        Interest::always()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.logger.decide(metadata) != Decision::Never
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let filter = self
            .logger
            .filter
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let least = if self.logger.keeps() {
            LevelFilter::DEBUG
        } else {
            LevelFilter::INFO
        };
        let most = filter.most();
        Some(if most == LevelFilter::OFF {
            most
        } else {
            most.max(least)
        })
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let Some(span) = cx.span(id) else { return };
        let invocation = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions.get::<SpanState>()?.invocation.clone()
        });
        let fields = local::with(|Local { buffers, sites }| {
            let site = sites.get(&self.logger, attributes.metadata());
            buffers.parts.clear();
            attributes.record(&mut self.recorder(site, &mut buffers.parts));
            buffers.parts.take_fields()
        });
        span.extensions_mut()
            .replace(SpanState { fields, invocation });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        let Some(span) = cx.span(id) else { return };
        // Formatted before the span is locked, because a value may log in it.
        let mut fields = local::with(|Local { buffers, sites }| {
            let site = sites.get(&self.logger, span.metadata());
            buffers.parts.clear();
            values.record(&mut self.recorder(site, &mut buffers.parts));
            buffers.parts.take_fields()
        });
        if let Some(state) = span.extensions_mut().get_mut::<SpanState>() {
            fields.inherit(&state.fields);
            state.fields = fields;
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        local::with(|Local { buffers, sites }| {
            let site = sites.get(&self.logger, event.metadata());
            let span = cx.event_span(event);
            let decision = site.decision();
            if decision == Decision::Never {
                return;
            }
            // Most lines that may be kept are not wanted outside of an invocation.
            if decision != Decision::Write && span.is_none() {
                return;
            }
            buffers.parts.clear();
            event.record(&mut self.recorder(site, &mut buffers.parts));
            #[cfg(feature = "otlp")]
            let within = span.as_ref().map(SpanRef::id);
            let mut invocation = None;
            // `SpanRef::scope` would look the innermost one up again.
            for (depth, span) in std::iter::successors(span, SpanRef::parent).enumerate() {
                if let Some(state) = span.extensions().get::<SpanState>() {
                    buffers.parts.fields.inherit(&state.fields);
                    if depth == 0 {
                        invocation.clone_from(&state.invocation);
                    }
                }
            }
            let active = invocation.as_deref();
            if decision == Decision::Write || active.is_some_and(Active::keeps) {
                #[cfg_attr(not(feature = "otlp"), allow(unused_variables))]
                let told = self.tell(buffers, site, decision, active);
                #[cfg(feature = "otlp")]
                if let Some(otlp) = &self.otlp {
                    let metadata = event.metadata();
                    otlp.told(&told, &buffers.parts, metadata, active, within.as_ref());
                }
            }
        });
    }

    #[cfg(feature = "otlp")]
    fn on_close(&self, id: Id, cx: Context<'_, S>) {
        let Some(otlp) = &self.otlp else { return };
        if let Some(span) = cx.span(&id) {
            let state = span
                .extensions_mut()
                .get_mut::<SpanState>()
                .map(std::mem::take);
            let SpanState { fields, invocation } = state.unwrap_or_default();
            otlp.closing(&id, span.metadata(), fields, invocation.as_deref());
        }
    }
}

impl LogLayer {
    fn recorder<'a>(&'a self, site: &'a Callsite, parts: &'a mut Parts) -> Recorder<'a> {
        Recorder {
            site,
            rules: &self.logger.rules,
            parts,
        }
    }

    /// Writes the line of an event, or keeps it.
    fn tell(
        &self,
        buffers: &mut Buffers,
        site: &Callsite,
        decision: Decision,
        active: Option<&Active>,
    ) -> Told {
        let logger = &*self.logger;
        let now = SystemTime::now();
        let parts = &mut buffers.parts;
        if site.level == tracing::Level::ERROR && parts.error.present {
            parts.error.capture_backtrace();
        }
        let ending = active.filter(|active| site.ends_invocation && active.ends());
        if let Some(active) = ending {
            let dropped = logger.settle(active, parts.failed, now);
            if dropped > 0 {
                parts.fields.put("debug_lines_dropped", |out| {
                    crate::encode::u64(out, dropped);
                });
            }
            if decision == Decision::Write {
                logger.count(active, parts, now);
            }
        }
        if let Some(active) = active {
            parts.lower_request_id(&active.block);
        }
        let line = match (decision, active) {
            (Decision::Write, _) => self.write(buffers, site, active, now),
            (Decision::Keep, Some(active)) if active.sampled => {
                self.write(buffers, site, Some(active), now)
            }
            (Decision::Keep, Some(active)) => self.keep(buffers, site, active, now),
            (Decision::Keep, None) | (Decision::Note | Decision::Never, _) => Line::None,
        };
        if let Some(id) = ending.and_then(|active| active.request_id.as_deref())
            && let Some(markers) = logger.rules.profile.markers
        {
            logger.mark(markers.end, id);
        }
        Told {
            now,
            ends: ending.is_some(),
            line,
        }
    }

    fn write(
        &self,
        buffers: &mut Buffers,
        site: &Callsite,
        active: Option<&Active>,
        now: SystemTime,
    ) -> Line {
        let logger = &*self.logger;
        let numbered = logger.number();
        logger.compose(buffers, site, active, now, numbered);
        let within = logger.within(active.and_then(|active| active.until), now);
        logger.write(&buffers.line, within, numbered.lost);
        Line::Written(numbered.seq)
    }

    fn keep(
        &self,
        buffers: &mut Buffers,
        site: &Callsite,
        active: &Active,
        now: SystemTime,
    ) -> Line {
        let logger = &*self.logger;
        if logger.ring == 0 {
            return Line::None;
        }
        logger.compose(buffers, site, Some(active), now, Numbered::default());
        active.ring().push(&buffers.line, logger.ring);
        Line::Kept(buffers.line.len())
    }
}
