use std::time::{Duration, Instant};

/// The most that one system call is asked to wait: some take no more than 2³¹ − 1 milliseconds.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What is left of the time for one line.
///
/// It starts with the first wait, so that a line that need not wait reads no clock.
#[derive(Debug)]
pub(super) struct TimeLimit {
    within: Duration,
    started: Option<Instant>,
}

impl TimeLimit {
    pub(super) const fn new(within: Duration) -> Self {
        Self {
            within,
            started: None,
        }
    }

    /// How long to wait now, at most an hour; zero if the time has run out.
    pub(super) fn left(&mut self) -> Duration {
        let started = *self.started.get_or_insert_with(Instant::now);
        self.within
            .saturating_sub(started.elapsed())
            .min(LONGEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_WAIT, TimeLimit};
    use std::time::Duration;

    #[test]
    fn no_duration_overflows() {
        assert_eq!(TimeLimit::new(Duration::MAX).left(), LONGEST_WAIT);
        assert_eq!(TimeLimit::new(Duration::ZERO).left(), Duration::ZERO);
    }
}
