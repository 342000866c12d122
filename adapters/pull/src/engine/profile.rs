//! The numbers that make a long-poll platform.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What the engine must know of a platform beside its [`Codec`](crate::Codec).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Profile {
    /// How many invocations may be under way at a time; each slot polls on its own connection.
    /// Default 1.
    pub slots: NonZeroUsize,
    /// The longest wait for the platform to take a report, or a piece of a streamed one. Default 10 s.
    pub post_timeout: Duration,
    /// The largest event in bytes, unless the program's settings name another limit. Default
    /// 6 MiB and 100 bytes.
    pub max_event: usize,
    /// How long the init hooks may take. Default: until the platform ends the process.
    pub init: Option<Duration>,
    /// The pauses between failed polls.
    pub backoff: Backoff,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            slots: NonZeroUsize::MIN,
            post_timeout: Duration::from_secs(10),
            max_event: (6 << 20) + 100,
            init: None,
            backoff: Backoff::default(),
        }
    }
}

/// Pauses that double with each failure in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure. Default 25 ms.
    pub first: Duration,
    /// The longest pause. Default 5 s.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(25),
            most: Duration::from_secs(5),
        }
    }
}

impl Backoff {
    /// The pause after this many failures in a row.
    #[must_use]
    pub fn pause(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(doubled).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff::default();
        let millis = |failures| backoff.pause(failures).as_millis();
        assert_eq!(
            [1, 2, 3, 8, 9, 40, u32::MAX].map(millis),
            [25, 50, 100, 3200, 5000, 5000, 5000]
        );
    }
}
