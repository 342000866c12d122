use super::attributes;
use super::closing::Closing;
use super::queue::Queue;
use crate::rules::Rules;
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Span, SpanData, SpanProcessor};
use std::sync::Arc;
use std::time::Duration;

/// Keeps finished spans until they are flushed.
#[derive(Debug)]
pub(super) struct Processor {
    pub(super) queue: Arc<Queue<SpanData>>,
    pub(super) rules: Arc<Rules>,
}

impl SpanProcessor for Processor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut data: SpanData) {
        let closing = Closing::take(&data.span_context);
        if data.span_context.is_sampled() {
            attributes::clean(&mut data, closing, &self.rules);
            let size = attributes::size(&data);
            self.queue.push(data, size);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Ids from the system's source of randomness: generators of the process are copied with it when an
/// instance is restored from a snapshot, and would then give out one id several times.
#[derive(Debug, Default)]
pub(super) struct Ids {
    fallback: RandomIdGenerator,
}

impl Ids {
    fn random<const N: usize>() -> Option<[u8; N]> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).ok()?;
        // Zero is no id.
        (bytes != [0; N]).then_some(bytes)
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        match Self::random() {
            Some(bytes) => TraceId::from(u128::from_ne_bytes(bytes)),
            None => self.fallback.new_trace_id(),
        }
    }

    fn new_span_id(&self) -> SpanId {
        match Self::random() {
            Some(bytes) => SpanId::from(u64::from_ne_bytes(bytes)),
            None => self.fallback.new_span_id(),
        }
    }
}
