use crate::origin::Block;
use crate::ring::Ring;
use faas_sdk_scope::Scope;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// An invocation whose lines are being written.
#[derive(Debug)]
pub(crate) struct Active {
    /// What the marker at its end needs.
    pub(crate) request_id: Option<String>,
    pub(crate) block: Block,
    /// Its DEBUG lines are written like all others.
    pub(crate) sampled: bool,
    pub(crate) cold_start: bool,
    pub(crate) scope: Option<Scope>,
    /// No write waits longer than up to here.
    pub(crate) until: Option<SystemTime>,
    #[cfg(feature = "otlp")]
    pub(crate) otlp: Option<crate::otlp::Exported>,
    ring: Mutex<Ring>,
    ended: AtomicBool,
}

impl Active {
    pub(crate) fn new(
        request_id: Option<String>,
        block: Block,
        sampled: bool,
        cold_start: bool,
        scope: Option<Scope>,
    ) -> Self {
        let remaining = scope.as_ref().and_then(Scope::remaining);
        Self {
            request_id,
            block,
            sampled,
            cold_start,
            until: remaining.and_then(|remaining| SystemTime::now().checked_add(remaining)),
            scope,
            #[cfg(feature = "otlp")]
            otlp: None,
            ring: Mutex::default(),
            ended: AtomicBool::new(false),
        }
    }

    pub(crate) fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the first time that its end is told.
    pub(crate) fn ends(&self) -> bool {
        !self.ended.swap(true, Ordering::AcqRel)
    }

    /// Whether lines that may be kept are of use: written at once, or for the case that it fails.
    pub(crate) fn keeps(&self) -> bool {
        self.sampled || !self.ended.load(Ordering::Acquire)
    }
}
