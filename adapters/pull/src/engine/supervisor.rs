//! Starts the slots, replaces those that panic, and brings them to their end.

use std::collections::HashMap;
use std::sync::Arc;

use faas_sdk_core::{Error, Result, Stop, Watchdog};
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;

use super::codec::Codec;
use super::shared::Shared;
use super::slot::Slot;

/// The tasks of all slots; dropping it drops them.
pub(super) struct Supervisor<'a, C: Codec> {
    shared: &'a Arc<Shared<C>>,
    watchdog: &'a Watchdog,
    tasks: JoinSet<Result<()>>,
    slots: HashMap<Id, Arc<Slot<C>>>,
    fatal: Option<Error>,
}

impl<'a, C: Codec> Supervisor<'a, C> {
    pub(super) fn new(shared: &'a Arc<Shared<C>>, watchdog: &'a Watchdog) -> Self {
        Self {
            shared,
            watchdog,
            tasks: JoinSet::new(),
            slots: HashMap::new(),
            fatal: None,
        }
    }

    /// Runs the slots until asked to stop, from outside or by a slot, and then to their end.
    pub(super) async fn run(mut self, stop: &Stop) -> Result<()> {
        let shared = self.shared;
        for _ in 0..shared.profile.slots.get() {
            self.spawn(Slot::new(Arc::clone(shared)));
        }
        loop {
            tokio::select! {
                biased;
                () = stop.requested() => break,
                () = shared.quit.requested() => break,
                left = self.ended() => if !left { break },
            }
        }
        shared.quit.request();
        let drain = shared.settings.drain;
        let drained = async {
            self.all_ended().await;
            shared.instance.idle().await;
        };
        if timeout(drain, drained).await.is_err() {
            let running = shared.instance.in_flight();
            let background = shared.instance.background_tasks();
            tracing::warn!(
                running,
                background,
                ?drain,
                "not done in the time to drain, cancelled"
            );
            shared.cancel.request();
            if timeout(shared.last_words(), self.all_ended())
                .await
                .is_err()
            {
                tracing::error!(
                    running = shared.instance.in_flight(),
                    "dropped without an answer"
                );
            }
        }
        self.fatal.map_or(Ok(()), Err)
    }

    fn spawn(&mut self, slot: Arc<Slot<C>>) {
        let task = self
            .tasks
            .spawn(Arc::clone(&slot).run(self.watchdog.clone()));
        self.slots.insert(task.id(), slot);
    }

    async fn all_ended(&mut self) {
        while self.ended().await {}
    }

    /// Waits for the end of one slot; false if none is left. Cancel-safe.
    async fn ended(&mut self) -> bool {
        match self.tasks.join_next_with_id().await {
            None => return false,
            Some(Ok((id, end))) => {
                self.slots.remove(&id);
                if let Err(error) = end {
                    self.fatal.get_or_insert(error);
                    self.shared.quit.request();
                }
            }
            Some(Err(error)) => {
                if let Some(slot) = self.slots.remove(&error.id())
                    && error.is_panic()
                {
                    tracing::error!(%error, "a slot panicked and is replaced");
                    slot.failed();
                    self.spawn(slot);
                }
            }
        }
        true
    }
}
