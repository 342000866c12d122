//! The state all connections share.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::extension::Extensions;
use super::fault::Faults;
use super::http::Answer;
use super::invocations::{HandedOut, Invocations};
use super::lifecycle::Phase;
use super::observe::{InFlight, Observed, Traffic};
use super::options::Options;
use super::outcome::{ErrorReport, Lost};

/// The state, and who waits for it to change.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) new_deadline: Notify,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) invocations: Invocations,
    pub(super) extensions: Extensions,
    pub(super) faults: Faults,
    pub(super) traffic: Traffic,
    pub(super) parked_next: usize,
    pub(super) parked_restore: usize,
    pub(super) restored: bool,
    pub(super) init_error: Option<ErrorReport>,
    pub(super) restore_error: Option<ErrorReport>,
}

impl Shared {
    pub(super) fn new(options: Options) -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::Started,
                invocations: Invocations::default(),
                extensions: Extensions::default(),
                faults: Faults::default(),
                traffic: Traffic::new(options.keep_requests),
                parked_next: 0,
                parked_restore: 0,
                restored: false,
                init_error: None,
                restore_error: None,
            }),
            options,
            new_deadline: Notify::new(),
            changes: watch::Sender::new(0),
        }
    }

    /// The state, to read. A panic elsewhere does not make it unusable.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes everybody who waits for a change.
    pub(super) fn update<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.changes
            .send_modify(|version| *version = version.wrapping_add(1));
        result
    }

    /// As [`update`](Self::update), waking only if the change was made.
    pub(super) fn try_update<R>(&self, change: impl FnOnce(&mut State) -> Option<R>) -> Option<R> {
        let result = change(&mut self.lock());
        if result.is_some() {
            self.changes
                .send_modify(|version| *version = version.wrapping_add(1));
        }
        result
    }

    /// Wakes at every change from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits until `check` holds of the state, at most for `limit`; whether it came to hold. Cancel-safe.
    pub(super) async fn until(
        &self,
        limit: Duration,
        mut check: impl FnMut(&State) -> bool,
    ) -> bool {
        let mut changes = self.subscribe();
        let wait = async {
            loop {
                changes.borrow_and_update();
                if check(&self.lock()) || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        timeout(limit, wait).await.is_ok()
    }
}

impl State {
    fn full(&self, options: &Options) -> bool {
        self.invocations.busy() >= options.slots
    }

    /// Enters a phase by a call of the runtime, if the rules allow it.
    pub(super) fn enter(&mut self, to: Phase, options: &Options) -> Result<(), Answer> {
        let busy = self.full(options);
        self.phase = self
            .phase
            .enter(to, options.strict, busy, self.parked_next > 0)?;
        Ok(())
    }

    /// Hands the oldest event to a parked `next`, if the environment is ready for it.
    pub(super) fn hand_out(&mut self, options: &Options) -> Option<HandedOut> {
        if options.strict && (self.full(options) || !self.extensions.ready()) {
            return None;
        }
        let handed_out = self.invocations.hand_out(options, uuid())?;
        self.parked_next -= 1;
        self.extensions.notify(&Bytes::from(&handed_out.notice));
        Some(handed_out)
    }

    /// Notes that the runtime cannot go on; nothing will be answered any more.
    pub(super) fn fail(&mut self, report: ErrorReport, to: Phase) {
        let (slot, lost) = match to {
            Phase::RestoreError => (&mut self.restore_error, Lost::RestoreError),
            _ => (&mut self.init_error, Lost::InitError),
        };
        *slot = Some(report);
        self.invocations.lose_all(&lost);
    }

    /// Why events are lost at once, if the runtime has failed.
    pub(super) fn failed(&self) -> Option<Lost> {
        match self.phase {
            Phase::InitError => Some(Lost::InitError),
            Phase::RestoreError => Some(Lost::RestoreError),
            _ => None,
        }
    }

    /// A fresh environment: the next process starts from the beginning.
    pub(super) fn restart(&mut self) {
        self.invocations.lose_all(&Lost::Restarted);
        self.phase = Phase::Started;
        self.extensions = Extensions::default();
        self.restored = false;
        self.init_error = None;
        self.restore_error = None;
    }

    pub(super) fn observe(&self) -> Observed {
        let in_flight = self
            .invocations
            .active()
            .map(|(request_id, received)| InFlight {
                request_id: request_id.to_owned(),
                received,
            })
            .collect();
        Observed {
            phase: self.phase,
            connections: self.traffic.connections,
            open_connections: self.traffic.open,
            request_count: self.traffic.count,
            requests: self.traffic.requests(),
            parked_next: self.parked_next,
            parked_restore: self.parked_restore,
            queued: self.invocations.queued(),
            in_flight,
            answered: self.invocations.answered,
            timed_out: self.invocations.timed_out,
            extensions: self.extensions.registrations(),
            waits_for_extension: self.extensions.unready().map(str::to_owned),
            init_error: self.init_error.clone(),
            restore_error: self.restore_error.clone(),
            faults_left: self.faults.len(),
        }
    }
}

/// A random UUID, version 4; the standard library's hash keys are the source of randomness.
pub(super) fn uuid() -> String {
    let half = || RandomState::new().build_hasher().finish();
    let (high, low) = (half(), half());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff,
    )
}
