use crate::connection::Connection;
use faas_sdk_scope::Epoch;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// So much waiting without an answer makes a link suspect. One command that waits less tells nothing:
/// the server may merely be slower than its caller hopes, and a new link would not make it faster.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// After so long without an answer a link may have been closed without our being told.
const SILENT: Duration = Duration::from_secs(5);

/// A connection that commands share, and what is known of its health.
pub(crate) struct Link {
    pub(crate) connection: Connection,
    /// When connecting began; it is of no use in another epoch.
    pub(crate) epoch: Epoch,
    made: Instant,
    /// When the last command was sent that was answered, in milliseconds after `made`.
    heard: AtomicU64,
    /// Microseconds that commands have waited in vain since then.
    in_vain: AtomicU64,
}

impl Link {
    pub(crate) fn new(connection: Connection, epoch: Epoch) -> Self {
        Self {
            connection,
            epoch,
            made: Instant::now(),
            heard: AtomicU64::new(0),
            in_vain: AtomicU64::new(0),
        }
    }

    /// A command of this time was answered. Mostly reads, so that tasks do not contend for it.
    pub(crate) fn answered(&self, sent: Instant) {
        let sent = sent.saturating_duration_since(self.made).as_millis();
        let sent = u64::try_from(sent).unwrap_or(u64::MAX);
        if self.heard.load(Relaxed) != sent {
            self.heard.store(sent, Relaxed);
        }
        if self.in_vain.load(Relaxed) != 0 {
            self.in_vain.store(0, Relaxed);
        }
    }

    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        let heard = Duration::from_millis(self.heard.load(Relaxed));
        now.saturating_duration_since(self.made) > heard + SILENT
    }

    /// Whether the link is to be given up, after a command waited in vain for so long.
    pub(crate) fn not_answered(&self, wait: Duration) -> bool {
        let wait = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX / 2);
        let before = self.in_vain.fetch_add(wait, Relaxed);
        Duration::from_micros(before.saturating_add(wait)) >= PATIENCE
    }

    /// Whether it is to be given up after an I/O error. That of a cluster repairs itself, and what
    /// broke may be one node of many, so the first error is let pass.
    pub(crate) fn broke(&self) -> bool {
        match self.connection {
            Connection::Node(_) => true,
            Connection::Cluster(_) => self.not_answered(PATIENCE / 2),
        }
    }
}
