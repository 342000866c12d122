//! A time limit for one wait after the other.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that stays armed between waits.
///
/// Arming a timer wakes the runtime's driver by a system call, which is a good part of the cost of
/// a short exchange. This one is left as it is when a wait ends in time; it then fires once for all
/// the waits that were over before, and is armed anew only for one that still goes on.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Runs `future` for at most `limit`; `None` if that was not enough. The future is looked at
    /// before the clock. Cancel-safe if the future is.
    pub(super) async fn within<F: Future>(
        &mut self,
        limit: Duration,
        future: F,
    ) -> Option<F::Output> {
        let mut future = pin!(future);
        // Read only when the future makes us wait.
        let mut end = None;
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let end = *end.get_or_insert_with(|| Instant::now() + limit);
            self.poll_reached(end, cx).map(|()| None)
        })
        .await
    }

    fn poll_reached(&mut self, end: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(end)));
        loop {
            if sleep.deadline() > end {
                sleep.as_mut().reset(end);
            }
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() == end {
                return Poll::Ready(());
            }
            // It was armed for an earlier wait.
            sleep.as_mut().reset(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::time::sleep;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn every_wait_has_its_whole_limit() {
        let mut alarm = Alarm::default();
        for (limit, expected) in [(10, 10), (3, 3), (10, 10), (1, 1)] {
            assert_eq!(alarm.within(SECOND * 60, ready(7)).await, Some(7));
            // Leaves the timer armed for a wait that is over.
            assert_eq!(alarm.within(SECOND * 5, sleep(SECOND)).await, Some(()));
            let started = Instant::now();
            assert_eq!(alarm.within(SECOND * limit, pending::<()>()).await, None);
            assert_eq!(started.elapsed().as_secs(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_alarm_does_not_end_a_later_wait() {
        let mut alarm = Alarm::default();
        assert_eq!(alarm.within(SECOND * 2, sleep(SECOND)).await, Some(()));
        assert_eq!(
            alarm.within(SECOND * 20, sleep(SECOND * 10)).await,
            Some(())
        );
        assert_eq!(alarm.within(SECOND * 2, sleep(SECOND * 3)).await, None);
    }
}
