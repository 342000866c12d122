use crate::error::Error;
use faas_sdk_scope::Epoch;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Remembers failed connects, so that they are not repeated at once.
#[derive(Debug)]
pub(crate) struct Failures {
    first: Duration,
    longest: Duration,
    last: Mutex<Option<Failure>>,
}

#[derive(Debug)]
struct Failure {
    error: Error,
    epoch: Epoch,
    pause: Duration,
    until: Instant,
}

impl Failures {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            last: Mutex::new(None),
        }
    }

    /// The shortest pause.
    pub(crate) fn first(&self) -> Duration {
        self.first
    }

    /// Fails with the last error while its pause lasts.
    pub(crate) fn check(&self, epoch: Epoch) -> Result<(), Error> {
        match &*self.last() {
            // What failed before a freeze says nothing.
            Some(failure) if failure.epoch == epoch => {
                let left = failure.until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    Ok(())
                } else {
                    Err(failure.error.again(left))
                }
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn failed(&self, epoch: Epoch, error: &Error) {
        let mut last = self.last();
        let pause = match &*last {
            Some(failure) if failure.epoch == epoch => failure.pause.saturating_mul(2),
            _ => self.first,
        };
        let pause = pause.min(self.longest);
        *last = Some(Failure {
            error: error.clone(),
            epoch,
            pause,
            until: Instant::now() + pause,
        });
    }

    pub(crate) fn succeeded(&self) {
        *self.last() = None;
    }

    fn last(&self) -> MutexGuard<'_, Option<Failure>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use faas_sdk_scope::Instance;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_the_longest_and_end_with_a_success_or_a_thaw() {
        let instance = Instance::new();
        let ms = Duration::from_millis;
        let failures = Failures::new(ms(100), ms(2000));
        let error = Error::new(ErrorKind::Unavailable, "down");
        assert!(failures.check(instance.epoch()).is_ok());
        for pause in [100, 200, 400, 800, 1600, 2000, 2000] {
            failures.failed(instance.epoch(), &error);
            tokio::time::advance(ms(pause - 1)).await;
            let told = failures.check(instance.epoch()).expect_err("too early");
            assert_eq!(told.kind(), ErrorKind::Unavailable);
            tokio::time::advance(ms(1)).await;
            assert!(failures.check(instance.epoch()).is_ok());
        }
        failures.failed(instance.epoch(), &error);
        instance.mark_thawed();
        assert!(failures.check(instance.epoch()).is_ok());
        failures.failed(instance.epoch(), &error);
        tokio::time::advance(ms(100)).await;
        assert!(failures.check(instance.epoch()).is_ok(), "it starts anew");
        failures.failed(instance.epoch(), &error);
        failures.succeeded();
        assert!(failures.check(instance.epoch()).is_ok());
    }
}
