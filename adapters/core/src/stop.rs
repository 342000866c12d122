use std::sync::Arc;
use tokio::sync::watch;

/// Asks engines to stop, in two steps: the first time they accept nothing more and finish what is
/// under way, the second time they end at once.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<u8>>);

impl Stop {
    /// Nothing has been asked for yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// One that follows SIGTERM (on Unix) and Ctrl-C for as long as the runtime runs.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn on_signals() -> Self {
        let stop = Self::new();
        let follower = stop.clone();
        let signals = Signals::new();
        // The task holds nothing but the flag: there is nothing to lose with it.
        drop(tokio::spawn(async move {
            let mut signals = signals;
            while signals.next().await {
                tracing::info!(again = follower.is_requested(), "stop signal received");
                follower.request();
            }
        }));
        stop
    }

    /// As [`Stop::on_signals`], on a thread of its own, so that signals are followed even while
    /// every thread of the runtime is stuck in code that does not yield. `grace` after the second
    /// signal the process ends with exit code 1, whatever still runs. Blocks until the signals are
    /// followed, which takes as long as a thread's start.
    #[must_use]
    pub fn on_signals_in_thread(grace: std::time::Duration) -> Self {
        let stop = Self::new();
        let follower = stop.clone();
        let thread = std::thread::Builder::new().name("faas-signals".to_owned());
        let (followed, ready) = std::sync::mpsc::channel();
        match thread.spawn(move || follower.follow(grace, &followed)) {
            // A signal that comes before it is followed would end the process.
            Ok(_) => drop(ready.recv_timeout(std::time::Duration::from_secs(5))),
            Err(error) => {
                tracing::warn!(%error, "no thread for signals: they end the process at once");
            }
        }
        stop
    }

    fn follow(&self, grace: std::time::Duration, followed: &std::sync::mpsc::Sender<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::warn!(%error, "signals can't be followed");
                return;
            }
        };
        runtime.block_on(async {
            let mut signals = Signals::new();
            // Nobody waits any more if it took too long.
            let _ = followed.send(());
            while signals.next().await {
                let again = self.is_requested();
                self.request();
                tracing::info!(again, "stop signal received");
                if again {
                    tokio::time::sleep(grace).await;
                    std::process::exit(1);
                }
            }
        });
    }

    /// Asks once more.
    pub fn request(&self) {
        self.0.send_modify(|times| *times = times.saturating_add(1));
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits until it is asked for. Cancel-safe.
    pub async fn requested(&self) {
        self.reached(1).await;
    }

    /// Waits until it is asked for a second time. Cancel-safe.
    pub async fn forced(&self) {
        self.reached(2).await;
    }

    async fn reached(&self, times: u8) {
        let mut receiver = self.0.subscribe();
        if receiver.wait_for(|asked| *asked >= times).await.is_err() {
            // Every sender is gone, this one included: can't be while `self` is borrowed.
            std::future::pending::<()>().await;
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

/// The signals that ask a process to stop. They are followed from the creation on, so that none
/// is missed between two of them.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            ("SIGTERM", SignalKind::terminate()),
            ("SIGINT", SignalKind::interrupt()),
        ];
        let follow = |(name, kind)| {
            signal(kind)
                .inspect_err(|error| tracing::warn!(%error, signal = name, "can't be followed"))
                .ok()
        };
        Self(kinds.into_iter().filter_map(follow).collect())
    }

    /// Waits for the next one; false if there can't be one.
    async fn next(&mut self) -> bool {
        let received = std::future::poll_fn(|cx| {
            let mut ended = true;
            for signal in &mut self.0 {
                match signal.poll_recv(cx) {
                    std::task::Poll::Ready(Some(())) => return std::task::Poll::Ready(true),
                    std::task::Poll::Ready(None) => {}
                    std::task::Poll::Pending => ended = false,
                }
            }
            if ended {
                std::task::Poll::Ready(false)
            } else {
                std::task::Poll::Pending
            }
        });
        received.await
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_steps() {
        let stop = Stop::new();
        let waiter = tokio::spawn({
            let stop = stop.clone();
            async move {
                stop.requested().await;
                stop.forced().await;
            }
        });
        assert!(!stop.is_requested());
        stop.request();
        stop.requested().await;
        tokio::task::yield_now().await;
        assert!(stop.is_requested() && !waiter.is_finished());
        stop.request();
        waiter.await.expect("both steps");
    }
}
