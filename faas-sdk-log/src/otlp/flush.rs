use super::answer::Verdict;
use super::pipeline::Pipeline;
use super::queue::Batch;
use super::record::Record;
use crate::layer::LogLayer;
use futures_util::future::join;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::Logger as _;
use opentelemetry_sdk::logs::{LogBatch, LogExporter as _};
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Exports all spans and log records that wait, within this time.
///
/// Spans and log records are sent at the same time, each in one request on a connection of its own,
/// which is closed behind it. What a receiver does not take for now, by not answering in time, or
/// with status 429, 502, 503 or 504, waits for the next flush. What it refuses is lost; a line at
/// WARN says so, and another one how much was lost before for want of room. Flushes that overlap
/// go one after the other.
///
/// Where nothing is exported, it has nothing to do. It finds the [`LogLayer`] through the current
/// subscriber, when it is first polled. It needs a tokio runtime with its I/O and time drivers
/// enabled.
///
/// # Errors
///
/// Something was not exported; what of it still waits, the error says. Short of that, nothing is
/// lost.
///
/// # Cancel safety
///
/// If the future is dropped, nothing is lost: what was under way goes back and is sent again with
/// the next flush, so that the receiver may get it twice.
pub async fn flush(within: Duration) -> Result<(), FlushError> {
    match current() {
        Some(pipeline) => pipeline.flush(within).await,
        None => Ok(()),
    }
}

/// How many spans and log records wait for [`flush`], with those that are being sent.
#[must_use]
pub fn pending() -> usize {
    current().map_or(0, |pipeline| pipeline.pending())
}

/// Whether anything is exported at all, so that there may be something to [`flush`].
#[must_use]
pub fn is_exporting() -> bool {
    current().is_some()
}

fn current() -> Option<Arc<Pipeline>> {
    tracing::dispatcher::get_default(|dispatch| {
        let layer: &LogLayer = dispatch.downcast_ref()?;
        layer.otlp().cloned()
    })
}

/// For a time that no clock can tell the end of: some 30 years.
const AGES: Duration = Duration::from_secs(1 << 30);

impl Pipeline {
    async fn flush(&self, within: Duration) -> Result<(), FlushError> {
        self.tell_lost();
        if self.pending() == 0 {
            return Ok(());
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(self.none("there is no tokio runtime to send them with".into()));
        }
        let now = Instant::now();
        let deadline = now.checked_add(within).unwrap_or(now + AGES);
        let Ok(_turn) = timeout_at(deadline, self.flushing.lock()).await else {
            return Err(self.none("another flush was under way all the time".into()));
        };
        let (spans, records) = join(
            self.export_spans(self.spans.take(), deadline),
            self.export_records(self.records.take(), deadline),
        )
        .await;
        let failures = [("spans", spans), ("log records", records)];
        let failures = failures.map(|(signal, outcome)| {
            self.tell(signal, &outcome);
            outcome.failure(signal)
        });
        match failures {
            [None, None] => Ok(()),
            failures => Err(FlushError(failures.into_iter().flatten().collect())),
        }
    }

    async fn export_spans(&self, batch: Batch<'_, SpanData>, deadline: Instant) -> Outcome {
        let (false, Some(exporter)) = (batch.is_empty(), &self.span_exporter) else {
            return Outcome::default();
        };
        // Exporters consume what they are given; the batch has to outlive a failure.
        let spans = batch.iter().cloned().collect();
        let verdict = exporter
            .export(deadline, |exporter| exporter.export(spans))
            .await;
        Outcome::of(batch, verdict)
    }

    async fn export_records(&self, batch: Batch<'_, Record>, deadline: Instant) -> Outcome {
        let (false, Some(exporter)) = (batch.is_empty(), &self.log_exporter) else {
            return Outcome::default();
        };
        // Gives way to the target of each record.
        let scope = InstrumentationScope::default();
        let instance = self.logger.origin.instance.as_deref();
        let records: Vec<_> = batch
            .iter()
            .map(|record| {
                let mut filled = self.maker.create_log_record();
                record.fill(&mut filled, instance);
                filled
            })
            .collect();
        let records: Vec<_> = records.iter().map(|record| (record, &scope)).collect();
        let verdict = exporter
            .export(deadline, |exporter| {
                exporter.export(LogBatch::new(&records))
            })
            .await;
        Outcome::of(batch, verdict)
    }

    /// Nothing could be exported.
    fn none(&self, reason: Cow<'static, str>) -> FlushError {
        FlushError(vec![Failure {
            signal: "spans and log records",
            kept: self.pending(),
            lost: 0,
            reason,
        }])
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    /// How many items there were.
    pub(super) count: usize,
}

impl Default for Outcome {
    /// There was nothing to be exported.
    fn default() -> Self {
        Self {
            verdict: Verdict::Taken,
            count: 0,
        }
    }
}

impl Outcome {
    fn of<T>(batch: Batch<'_, T>, verdict: Verdict) -> Self {
        let count = batch.len();
        match verdict {
            Verdict::Later(_) => drop(batch),
            Verdict::Taken | Verdict::TakenInPart { .. } | Verdict::Never(_) => batch.done(),
        }
        Self { verdict, count }
    }

    fn failure(self, signal: &'static str) -> Option<Failure> {
        let (kept, lost, reason) = match self.verdict {
            Verdict::Later(reason) => (self.count, 0, reason),
            Verdict::Never(reason) => (0, self.count, reason),
            Verdict::Taken | Verdict::TakenInPart { .. } => return None,
        };
        Some(Failure {
            signal,
            kept,
            lost,
            reason,
        })
    }
}

/// Not everything was exported. What a receiver took only in part is no error: a line says so.
#[derive(Debug)]
pub struct FlushError(Vec<Failure>);

#[derive(Debug)]
struct Failure {
    signal: &'static str,
    kept: usize,
    lost: usize,
    reason: Cow<'static, str>,
}

impl FlushError {
    /// How many spans and log records wait for the next flush.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.0.iter().map(|failure| failure.kept).sum()
    }

    /// How many spans and log records the receiver refused.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.0.iter().map(|failure| failure.lost).sum()
    }
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, failure) in self.0.iter().enumerate() {
            let Failure {
                signal,
                kept,
                lost,
                reason,
            } = failure;
            if index > 0 {
                f.write_str("; ")?;
            }
            if *lost > 0 {
                write!(f, "{signal}: {lost} lost, {reason}")?;
            } else {
                write!(f, "{signal}: {kept} kept for the next flush, {reason}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for FlushError {}
