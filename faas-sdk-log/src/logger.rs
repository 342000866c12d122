use crate::active::Active;
use crate::buffers::Buffers;
use crate::callsite::{Callsite, Decision};
use crate::filter::Filter;
use crate::line::Frame;
use crate::metrics;
use crate::origin::{Block, Ids, Origin};
use crate::output::Sink;
use crate::pretty::Colours;
use crate::profile::Layout;
use crate::record::Parts;
use crate::rules::{ID, Rules};
use crate::sampling::Sampling;
use faas_sdk_scope::Scope;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use tracing::Metadata;

/// What all lines of one layer go through.
pub(crate) struct Logger {
    /// Tells loggers of one process apart, also after one is gone.
    pub(crate) id: u64,
    pub(crate) rules: Arc<Rules>,
    pub(crate) origin: Origin,
    pub(crate) process: Block,
    pub(crate) project: Option<String>,
    pub(crate) namespace: String,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) write_timeout: Duration,
    /// How many bytes of DEBUG lines are kept for an invocation.
    pub(crate) ring: usize,
    pub(crate) sampling: Sampling,
    pub(crate) colours: Colours,
    pub(crate) filter: RwLock<Filter>,
    pub(crate) sites: RwLock<HashMap<usize, Arc<Callsite>>>,
    pub(crate) rings: Mutex<Vec<crate::ring::Ring>>,
    pub(crate) seq: Apart<AtomicU64>,
    /// Lines that could not be written and that no line has told of yet.
    pub(crate) lost: AtomicU64,
}

/// No write is given less time than this, also when the invocation has none left: a reader that
/// keeps up takes a line in far less.
const LEAST: Duration = Duration::from_millis(20);

/// The most rings that are kept for the next invocations.
const SPARE_RINGS: usize = 64;

impl Logger {
    /// What is known about a callsite, worked out at the first time.
    pub(crate) fn site(&self, metadata: &'static Metadata<'static>) -> Arc<Callsite> {
        let address = std::ptr::from_ref(metadata).addr();
        let known = self.sites.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = known.get(&address) {
            return Arc::clone(site);
        }
        drop(known);
        let site = Arc::new(Callsite::new(metadata, &self.rules, self.decide(metadata)));
        let mut sites = self.sites.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sites.entry(address).or_insert(site))
    }

    pub(crate) fn decide(&self, metadata: &Metadata<'_>) -> Decision {
        let filter = self.filter.read().unwrap_or_else(PoisonError::into_inner);
        filter.decide(metadata, self.keeps())
    }

    /// Whether DEBUG lines may be wanted although the filter does not ask for them.
    pub(crate) fn keeps(&self) -> bool {
        self.ring > 0 || self.sampling != Sampling::new(0.0)
    }

    /// An invocation begins.
    pub(crate) fn begin(&self, ids: &Ids<'_>, scope: Option<Scope>) -> Active {
        let block = Block::of_invocation(
            &self.rules.profile,
            &self.origin,
            ids,
            self.project.as_deref(),
        );
        if let Some(markers) = self.rules.profile.markers {
            self.mark(markers.start, ids.request_id);
        }
        let sampled = ids
            .trace
            .is_some_and(|(trace, ..)| self.sampling.takes(trace));
        let marked = self.rules.profile.markers.is_some();
        let request_id = marked.then(|| ids.request_id.to_owned());
        let active = Active::new(request_id, block, sampled, ids.cold_start, scope);
        if self.ring > 0 && !sampled {
            let spare = self
                .rings
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop();
            *active.ring() = spare.unwrap_or_default();
        }
        active
    }

    /// Puts the counters of the invocation into the line that ends it.
    pub(crate) fn count(&self, active: &Active, parts: &mut Parts, now: SystemTime) {
        let measures = active
            .scope
            .as_ref()
            .map(Scope::measures)
            .unwrap_or_default();
        metrics::fields(parts, &measures);
        if self.rules.profile.embedded_metrics {
            let has_function = active.block.has_function;
            let namespace = &self.namespace;
            metrics::embedded(
                parts,
                &measures,
                namespace,
                active.cold_start,
                has_function,
                now,
            );
        }
    }

    /// Writes the lines that were kept, if the invocation failed, or forgets them. Returns how many
    /// had found no room.
    pub(crate) fn settle(&self, active: &Active, failed: bool, now: SystemTime) -> u64 {
        let mut ring = std::mem::take(&mut *active.ring());
        let dropped = if failed {
            // One time for all of them: a reader that is slow takes each of a hundred in time.
            let end = Instant::now() + self.within(active.until, now);
            ring.drain(|line| {
                let left = end.saturating_duration_since(Instant::now());
                self.write(line, left, 0);
            })
        } else {
            ring.clear();
            0
        };
        let mut spare = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE_RINGS {
            spare.push(ring);
        }
        dropped
    }

    /// Writes the line that the platform asks for around an invocation.
    pub(crate) fn mark(&self, marker: &str, request_id: &str) {
        let id = request_id.get(..request_id.floor_char_boundary(ID));
        // A line's end in an id would start a line of its own.
        let id: String = id
            .unwrap_or_default()
            .chars()
            .filter(|letter| !letter.is_control() && !matches!(letter, '\u{2028}' | '\u{2029}'))
            .collect();
        let line = format!("{marker}{id}\n");
        self.write(line.as_bytes(), self.write_timeout, 0);
    }

    /// Puts a line together.
    pub(crate) fn compose(
        &self,
        buffers: &mut Buffers,
        site: &Callsite,
        active: Option<&Active>,
        now: SystemTime,
        numbered: Numbered,
    ) {
        let Buffers {
            line,
            parts,
            stamps,
        } = buffers;
        let block = active.map_or(&self.process, |active| &active.block);
        match self.rules.profile.layout {
            Layout::Json(spelling) => {
                let frame = Frame {
                    site,
                    spelling,
                    block,
                    now,
                    seq: numbered.seq,
                    lost: numbered.lost,
                    instance: self.origin.instance.as_deref().unwrap_or_default(),
                    budget: self.rules.profile.budget,
                };
                frame.write(line, parts, stamps);
            }
            Layout::Pretty => {
                let frame = crate::pretty::Frame {
                    site,
                    block,
                    now,
                    lost: numbered.lost,
                    colours: self.colours,
                };
                frame.write(line, parts, stamps);
            }
        }
    }

    /// The number of the next line, and how many were lost before it.
    pub(crate) fn number(&self) -> Numbered {
        Numbered {
            seq: Some(self.seq.0.fetch_add(1, Ordering::Relaxed)),
            // Read first: a swap would have all threads fight for the number.
            lost: if self.lost.load(Ordering::Relaxed) == 0 {
                0
            } else {
                self.lost.swap(0, Ordering::Relaxed)
            },
        }
    }

    /// How long a write may take: never beyond the deadline of the invocation.
    pub(crate) fn within(&self, until: Option<SystemTime>, now: SystemTime) -> Duration {
        let left = until.map(|until| until.duration_since(now).unwrap_or_default());
        left.map_or(self.write_timeout, |left| {
            left.clamp(LEAST.min(self.write_timeout), self.write_timeout)
        })
    }

    /// Writes a line. If that fails, it is counted, with those that it was to tell of.
    pub(crate) fn write(&self, line: &[u8], within: Duration, tells_of: u64) {
        if self.sink.write_line(line, within).is_err() {
            self.lost.fetch_add(tells_of + 1, Ordering::Relaxed);
        }
    }
}

/// Something that all threads write to, in a cache line of its own: what they only read beside it
/// would be taken from them each time.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

/// What a line is numbered with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbered {
    pub(crate) seq: Option<u64>,
    pub(crate) lost: u64,
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("profile", &self.rules.profile)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_used_again() {
        let layer = crate::builder()
            .variables(|_| None)
            .sink(|_: &[u8]| {})
            .layer();
        let logger = layer.logger();
        let ids = Ids::default();
        let spare = || {
            let rings = logger.rings.lock().expect("rings");
            rings
                .iter()
                .map(crate::ring::Ring::capacity)
                .collect::<Vec<_>>()
        };
        let end = |active: &Active, failed| logger.settle(active, failed, SystemTime::now());
        let mut before = Vec::new();
        for failed in [false, true, false, true] {
            let active = logger.begin(&ids, None);
            assert!(spare().is_empty(), "it is in use");
            active.ring().push(&[b'x'; 1000], 2000);
            end(&active, failed);
            let after = spare();
            assert!(after.len() == 1 && after[0] >= 1000);
            assert!(before.is_empty() || before == after);
            before = after;
        }
        let both = [(); 2].map(|()| logger.begin(&ids, None));
        for active in &both {
            end(active, false);
        }
        assert_eq!(spare().len(), 2);
    }
}
