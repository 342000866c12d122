//! Who may write now: short lines side by side, a long one alone.

use super::time_limit::TimeLimit;
use std::io::ErrorKind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A lock that is shared or exclusive and, unlike the standard library's, waited for only so long.
///
/// Neither side starves the other: while an exclusive holder waits, new sharers queue behind it,
/// and when it is done, all that queued meanwhile go before the next exclusive one.
#[derive(Debug, Default)]
pub(super) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    sharing: usize,
    alone: bool,
    waiting_to_share: usize,
    waiting_alone: usize,
    /// How many waiting sharers still go before the next exclusive holder.
    sharers_first: usize,
    /// Counts ended turns, so that a waiter sees whether anything moved.
    ended: usize,
    /// Somebody waited its whole time and no turn ended: a holder hangs in a system call. Until one
    /// ends, nobody else waits.
    stuck: bool,
    torn: bool,
}

#[derive(Clone, Copy)]
enum Mode {
    Shared,
    Alone,
}

impl State {
    fn admits(&self, mode: Mode, has_waited: bool) -> bool {
        if self.alone {
            return false;
        }
        match mode {
            Mode::Shared => self.waiting_alone == 0 || (has_waited && self.sharers_first > 0),
            Mode::Alone => self.sharing == 0 && self.sharers_first == 0,
        }
    }

    fn admit(&mut self, mode: Mode) {
        match mode {
            Mode::Shared => self.sharing += 1,
            Mode::Alone => self.alone = true,
        }
    }

    fn waiting(&mut self, mode: Mode) -> &mut usize {
        match mode {
            Mode::Shared => &mut self.waiting_to_share,
            Mode::Alone => &mut self.waiting_alone,
        }
    }

    fn anybody_waits(&self) -> bool {
        self.waiting_to_share + self.waiting_alone > 0
    }

    fn end(&mut self) {
        self.ended = self.ended.wrapping_add(1);
        self.stuck = false;
    }
}

impl Turns {
    /// Waits for a turn beside others.
    ///
    /// # Errors
    ///
    /// `TimedOut` if the time ran out, `WouldBlock` if it is known that waiting is no use.
    pub(super) fn share(&self, limit: &mut TimeLimit) -> Result<Shared<'_>, ErrorKind> {
        let state = self.enter(Mode::Shared, limit)?;
        Ok(Shared {
            turns: self,
            torn: state.torn,
        })
    }

    /// Waits for a turn without others.
    ///
    /// # Errors
    ///
    /// As for [`share`](Self::share).
    pub(super) fn alone(&self, limit: &mut TimeLimit) -> Result<Alone<'_>, ErrorKind> {
        let state = self.enter(Mode::Alone, limit)?;
        Ok(Alone {
            turns: self,
            torn: state.torn,
        })
    }

    fn enter(&self, mode: Mode, limit: &mut TimeLimit) -> Result<MutexGuard<'_, State>, ErrorKind> {
        let mut state = self.state();
        if !state.admits(mode, false) {
            let entered;
            (state, entered) = self.wait(state, mode, limit);
            entered?;
        }
        state.admit(mode);
        Ok(state)
    }

    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        mode: Mode,
        limit: &mut TimeLimit,
    ) -> (MutexGuard<'a, State>, Result<(), ErrorKind>) {
        let ended = state.ended;
        *state.waiting(mode) += 1;
        let entered = loop {
            if state.admits(mode, true) {
                break Ok(());
            }
            if state.stuck {
                break Err(ErrorKind::WouldBlock);
            }
            let left = limit.left();
            if left.is_zero() {
                state.stuck = state.ended == ended;
                break Err(ErrorKind::TimedOut);
            }
            (state, _) = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        };
        *state.waiting(mode) -= 1;
        if matches!(mode, Mode::Shared) {
            if entered.is_ok() {
                state.sharers_first = state.sharers_first.saturating_sub(1);
            }
            state.sharers_first = state.sharers_first.min(state.waiting_to_share);
        }
        // Who leaves the queue without a turn may be the one whom others let go first.
        if entered.is_err() && state.anybody_waits() {
            self.changed.notify_all();
        }
        (state, entered)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn beside others. Ends when dropped.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    turns: &'a Turns,
    /// Whether the output ends within a line.
    pub(super) torn: bool,
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        state.sharing -= 1;
        // Only a holder who is alone may put it in order again.
        state.torn |= self.torn;
        state.end();
        let wake = state.sharing == 0 && state.waiting_alone > 0;
        drop(state);
        if wake {
            self.turns.changed.notify_all();
        }
    }
}

/// A turn without others. Ends when dropped.
#[derive(Debug)]
pub(super) struct Alone<'a> {
    turns: &'a Turns,
    /// Whether the output ends within a line.
    pub(super) torn: bool,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        state.alone = false;
        state.torn = self.torn;
        state.sharers_first = state.waiting_to_share;
        state.end();
        let wake = state.anybody_waits();
        drop(state);
        if wake {
            self.turns.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TimeLimit, Turns};
    use std::io::ErrorKind;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    const NONE: Duration = Duration::ZERO;
    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    fn limit(within: Duration) -> TimeLimit {
        TimeLimit::new(within)
    }

    #[test]
    fn many_share_and_one_is_alone() {
        let turns = Turns::default();
        let first = turns.share(&mut limit(NONE)).unwrap();
        let second = turns.share(&mut limit(NONE)).unwrap();
        drop(first);
        assert!(turns.alone(&mut limit(NONE)).is_err());
        drop(second);
        let mut alone = turns.alone(&mut limit(NONE)).unwrap();
        assert!(turns.alone(&mut limit(NONE)).is_err());
        assert!(turns.share(&mut limit(NONE)).is_err());
        alone.torn = true;
        drop(alone);
        assert!(turns.share(&mut limit(NONE)).unwrap().torn);
    }

    #[test]
    fn a_holder_that_hangs_costs_one_wait() {
        let turns = Turns::default();
        let holder = turns.alone(&mut limit(NONE)).unwrap();
        assert_eq!(
            turns.alone(&mut limit(SHORT)).unwrap_err(),
            ErrorKind::TimedOut
        );
        for _ in 0..100 {
            assert_eq!(
                turns.share(&mut limit(LONG)).unwrap_err(),
                ErrorKind::WouldBlock
            );
        }
        drop(holder);
        let holder = turns.alone(&mut limit(LONG)).unwrap();
        assert_eq!(
            turns.share(&mut limit(SHORT)).unwrap_err(),
            ErrorKind::TimedOut
        );
        drop(holder);
    }

    #[test]
    fn nobody_is_left_behind() {
        let turns = Turns::default();
        let (writing, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for thread in 0..8 {
                let (turns, writing, done) = (&turns, &writing, &done);
                scope.spawn(move || {
                    for round in 0..2000 {
                        if (thread + round) % 3 == 0 {
                            let turn = turns.alone(&mut limit(LONG)).unwrap();
                            assert_eq!(writing.fetch_add(1000, Ordering::SeqCst), 0);
                            writing.fetch_sub(1000, Ordering::SeqCst);
                            drop(turn);
                        } else {
                            let turn = turns.share(&mut limit(LONG)).unwrap();
                            assert!(writing.fetch_add(1, Ordering::SeqCst) < 8);
                            writing.fetch_sub(1, Ordering::SeqCst);
                            drop(turn);
                        }
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 16_000);
    }

    #[test]
    fn who_gives_up_frees_those_behind() {
        let turns = Turns::default();
        let holder = turns.share(&mut limit(NONE)).unwrap();
        let (entered, wait) = mpsc::channel();
        thread::scope(|scope| {
            let alone = scope.spawn(|| turns.alone(&mut limit(SHORT)).map(drop));
            scope.spawn(|| {
                // Either before the one that waits alone, or behind it until it gives up; in no
                // case as late as the end of its own time, for the holder keeps its turn.
                while turns.share(&mut limit(LONG)).is_err() {}
                entered.send(()).unwrap();
            });
            wait.recv_timeout(LONG / 2).unwrap();
            assert!(alone.join().unwrap().is_err());
        });
        drop(holder);
    }
}
