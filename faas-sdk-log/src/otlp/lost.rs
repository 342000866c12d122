//! Lines at WARN about what was not exported.

use super::answer::Verdict;
use super::flush::Outcome;
use super::pipeline::{Pipeline, TARGET};
use crate::callsite::{Callsite, Decision};
use crate::encode;
use crate::local::{self, Local};
use std::time::SystemTime;
use tracing::callsite::{self, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::{Kind, Level, Metadata};
use tracing::subscriber::Interest;

impl Pipeline {
    /// Says how much was lost for want of room since this was last said.
    pub(super) fn tell_lost(&self) {
        let (spans, records) = (self.spans.take_lost(), self.records.take_lost());
        if spans + records > 0 {
            tracing::warn!(
                name: "otlp.overflow",
                target: TARGET,
                spans,
                log_records = records,
                "spans or log records were lost, because too many waited to be exported"
            );
        }
    }

    /// Says what a receiver did not take.
    pub(super) fn tell(&self, signal: &str, outcome: &Outcome) {
        match &outcome.verdict {
            Verdict::Taken | Verdict::Later(_) => {}
            Verdict::TakenInPart { rejected, message } => tracing::warn!(
                name: "otlp.partial_success",
                target: TARGET,
                signal,
                rejected,
                reason = message,
                "the receiver of spans and log records did not take all of them"
            ),
            Verdict::Never(reason) => tracing::warn!(
                name: "otlp.rejected",
                target: TARGET,
                signal,
                rejected = outcome.count,
                reason = &**reason,
                "the receiver of spans and log records refused them"
            ),
        }
    }

    /// Says what is lost because no flush comes any more. The subscriber is on its way out, so that
    /// the line is written without it.
    pub(super) fn tell_at_the_end(&self) {
        let lost = [
            ("spans", self.spans.len() as u64 + self.spans.take_lost()),
            (
                "log_records",
                self.records.len() as u64 + self.records.take_lost(),
            ),
        ];
        let logger = &*self.logger;
        let wanted = logger.decide(&AT_THE_END) == Decision::Write;
        if !wanted || lost.iter().all(|(_, count)| *count == 0) {
            return;
        }
        local::with(|Local { buffers, .. }| {
            let parts = &mut buffers.parts;
            parts.clear();
            let message = "spans or log records were lost: there was no flush behind them";
            encode::string(&mut parts.message, message, message.len());
            for (key, count) in lost {
                parts.fields.put(key, |out| encode::u64(out, count));
            }
            let site = Callsite::new(&AT_THE_END, &logger.rules, Decision::Write);
            let (now, numbered) = (SystemTime::now(), logger.number());
            logger.compose(buffers, &site, None, now, numbered);
            logger.write(&buffers.line, logger.within(None, now), numbered.lost);
        });
    }
}

/// What the line at the end is made from.
struct AtTheEnd;

static AT_THE_END: Metadata<'static> = Metadata::new(
    "otlp.dropped",
    TARGET,
    Level::WARN,
    None,
    None,
    None,
    FieldSet::new(&[], Identifier(&AtTheEnd)),
    Kind::EVENT,
);

impl callsite::Callsite for AtTheEnd {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &AT_THE_END
    }
}
