use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// So much waiting without an answer makes a link suspect. One command that waits less tells nothing:
/// the server may merely be slower than its caller hopes, and a new link would not make it faster.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// After so long without an answer a link may have been closed without our being told.
const SILENT: Duration = Duration::from_secs(2);

/// What is known of the link of a slot. It is apart from the link, so that a command that is answered
/// has no more to do than to read it.
#[derive(Debug)]
pub(crate) struct Health {
    start: Instant,
    /// When the last command was sent that was answered, in milliseconds after `start`.
    heard: AtomicU64,
    /// How many commands were answered.
    replies: AtomicU64,
    /// Microseconds that commands have waited in vain since then.
    in_vain: AtomicU64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            heard: AtomicU64::new(0),
            replies: AtomicU64::new(0),
            in_vain: AtomicU64::new(0),
        }
    }
}

impl Health {
    /// A command of this time was answered, or a new link was made then.
    pub(crate) fn answered(&self, sent: Instant) {
        self.replies.fetch_add(1, Relaxed);
        let sent = sent.saturating_duration_since(self.start).as_millis();
        let sent = u64::try_from(sent).unwrap_or(u64::MAX);
        // Mostly there is nothing to write, for which tasks would contend.
        if self.heard.load(Relaxed) != sent {
            self.heard.store(sent, Relaxed);
        }
        if self.in_vain.load(Relaxed) != 0 {
            self.in_vain.store(0, Relaxed);
        }
    }

    /// How many commands were answered so far. If it has changed, the link is alive.
    pub(crate) fn replies(&self) -> u64 {
        self.replies.load(Relaxed)
    }

    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        let heard = Duration::from_millis(self.heard.load(Relaxed));
        now.saturating_duration_since(self.start) > heard + SILENT
    }

    /// Whether the link is to be given up, after a command waited in vain for so long.
    pub(crate) fn not_answered(&self, wait: Duration) -> bool {
        let wait = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX / 2);
        let before = self.in_vain.fetch_add(wait, Relaxed);
        Duration::from_micros(before.saturating_add(wait)) >= PATIENCE
    }

    /// Whether a cluster's link is to be given up after an I/O error. It repairs itself, and what
    /// broke may be one node of many, so the first error is let pass.
    pub(crate) fn broke_in_part(&self) -> bool {
        self.not_answered(PATIENCE / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiting_in_vain_adds_up_until_something_is_answered() {
        let health = Health::default();
        let ms = Duration::from_millis;
        assert!(!health.not_answered(ms(20)) && !health.not_answered(ms(29)));
        health.answered(Instant::now());
        assert!(!health.not_answered(ms(49)) && health.not_answered(ms(1)));
        health.answered(Instant::now());
        assert!(!health.broke_in_part() && health.broke_in_part());
        let now = Instant::now();
        assert!(!health.is_silent(now + SILENT) && health.is_silent(now + SILENT + ms(2)));
    }
}
