//! One slot: poll, drive, report, again.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use faas_sdk_core::{
    Drive, Error, ErrorKind, Invocation, Outcome, Result, Stage, Stop, Watchdog, drive, report,
    report_leftovers, report_refused,
};
use faas_sdk_scope::{Arrival, Background, CancelReason, InFlight, Scope};

use super::codec::{Codec, Polled, Report};
use super::delivery;
use super::shared::Shared;
use crate::{Answer, ClientError, Connection, Head, ProtocolError};

/// A request buffer that has grown beyond this is given back.
const KEPT: usize = 64 << 10;

/// A slot; it outlives the task that runs it, should that panic.
pub(super) struct Slot<C: Codec> {
    pub(super) shared: Arc<Shared<C>>,
    /// The invocation that is still to be answered. Whoever takes it out answers it: the slot, its
    /// successor after a panic, or the watchdog.
    current: Mutex<Option<C::Call>>,
    /// Failures in a row.
    failures: AtomicU32,
}

/// What a poll brought.
#[allow(
    clippy::large_enum_variant,
    reason = "moved once: less than an allocation"
)]
enum Next {
    Invocation(Invocation, Arrival, InFlight),
    /// An invocation that does not decode.
    Undecodable(Error, InFlight),
    Nothing,
    Again(Error),
    Fatal(Error),
}

/// The connection and the request buffer of a slot.
pub(super) struct Line {
    pub(super) connection: Connection,
    pub(super) out: Vec<u8>,
}

impl<C: Codec> Slot<C> {
    pub(super) fn new(shared: Arc<Shared<C>>) -> Arc<Self> {
        Arc::new(Self {
            shared,
            current: Mutex::new(None),
            failures: AtomicU32::new(0),
        })
    }

    /// Serves until asked to quit. Fails only with what the codec calls fatal.
    pub(super) async fn run(self: Arc<Self>, watchdog: Watchdog) -> Result<()> {
        let shared = &*self.shared;
        let mut drive = shared.drive();
        drive.watchdog = Some((watchdog, Arc::clone(&self) as _));
        let mut line = Line {
            connection: shared.connection(),
            out: Vec::with_capacity(1 << 10),
        };
        self.succeed(&mut line).await;
        let mut quit = pin!(shared.quit.requested());
        while !shared.quit.is_requested() {
            let polled = tokio::select! {
                biased;
                answer = line.connection.poll(&shared.next) => answer,
                () = &mut quit => break,
            };
            let next = match polled {
                Ok(answer) => self.read(answer),
                Err(error) => self.read_failed(error, line.connection.last_head()),
            };
            match next {
                Next::Invocation(invocation, arrival, in_flight) => {
                    self.handle(&mut line, invocation, arrival, &drive).await;
                    drop(in_flight);
                }
                Next::Undecodable(error, in_flight) => {
                    let scope = Scope::new(&shared.instance, None);
                    self.say_refused(&error, &scope);
                    self.answer(&mut line, &scope, Err(error)).await;
                    drop(in_flight);
                    self.pause_after_failures().await;
                }
                Next::Nothing => {
                    self.failures.store(0, Ordering::Relaxed);
                    self.pause(1).await;
                }
                Next::Again(error) => {
                    report(&error, None, "no invocation, the poll is repeated");
                    self.pause(self.failed()).await;
                }
                Next::Fatal(error) => {
                    report(&error, None, "the platform ends this instance");
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Counts a failure of the slot; says how many in a row there are.
    pub(super) fn failed(&self) -> u32 {
        self.failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1)
    }

    /// Takes the place of a task that panicked: answers for it, and does not start too soon.
    async fn succeed(&self, line: &mut Line) {
        if self.current().is_some() {
            let error = Error::new(
                ErrorKind::Internal,
                "the engine failed while it handled the invocation",
            );
            let scope = Scope::new(&self.shared.instance, None);
            self.answer(line, &scope, Err(error)).await;
        }
        self.pause_after_failures().await;
    }

    /// Waits if the last thing that happened was a failure.
    async fn pause_after_failures(&self) {
        match self.failures.load(Ordering::Relaxed) {
            0 => {}
            failures => self.pause(failures).await,
        }
    }

    /// Waits as long as this many failures in a row ask for, but not when asked to quit.
    async fn pause(&self, failures: u32) {
        tokio::select! {
            biased;
            () = self.shared.quit.requested() => {}
            () = tokio::time::sleep(self.shared.profile.backoff.pause(failures)) => {}
        }
    }

    fn read(&self, answer: Answer<'_>) -> Next {
        let Shared {
            codec, instance, ..
        } = &*self.shared;
        match codec.polled(answer.head, &answer.body) {
            Polled::Invocation => {}
            Polled::Nothing => return Next::Nothing,
            Polled::Again(error) => return Next::Again(error),
            Polled::Fatal(error) => return Next::Fatal(error),
        }
        let call = match codec.call(answer.head) {
            Ok(call) => call,
            Err(error) => return Next::Again(error),
        };
        self.failures.store(0, Ordering::Relaxed);
        let mut current = self.current();
        let call = current.insert(call);
        let (arrival, in_flight) = instance.arrive();
        match codec.decode(call, answer.head, answer.body, instance) {
            Ok(invocation) => Next::Invocation(invocation, arrival, in_flight),
            Err(error) => Next::Undecodable(error, in_flight),
        }
    }

    /// A poll that failed may still have said which invocation it would have brought.
    fn read_failed(&self, error: ClientError, head: Option<&Head>) -> Next {
        let Shared {
            codec, instance, ..
        } = &*self.shared;
        let kind = match error {
            ClientError::Protocol(ProtocolError::BodyTooLarge { .. }) => ErrorKind::PayloadTooLarge,
            ClientError::Protocol(_) => ErrorKind::Protocol,
            _ => ErrorKind::Unavailable,
        };
        let call = head
            .filter(|head| matches!(codec.polled(head, b""), Polled::Invocation))
            .and_then(|head| codec.call(head).ok());
        match call {
            None => {
                let message = "the poll for the next invocation failed";
                Next::Again(Error::new(kind, message).with_source(error))
            }
            Some(call) => {
                let error = Error::new(kind, "the event could not be read").with_source(error);
                // The platform may hand the same event out again at once.
                self.failed();
                *self.current() = Some(call);
                Next::Undecodable(error, instance.arrive().1)
            }
        }
    }

    async fn handle(
        &self,
        line: &mut Line,
        mut invocation: Invocation,
        arrival: Arrival,
        how: &Drive,
    ) {
        let Shared {
            invoke,
            settings,
            cancel,
            ..
        } = &*self.shared;
        invocation.info.cold_start = arrival.cold_start;
        let (scope, id) = (invocation.scope.clone(), invocation.info.id.clone());
        if let Some(gap) = arrival.thawed {
            tracing::debug!(?gap, "the instance was frozen");
            self.hooks(Stage::OnThaw, &scope).await;
        }
        let outcome = until_cancelled(cancel, &scope, drive(&**invoke, invocation, how)).await;
        self.answer(line, &scope, outcome).await;
        report_leftovers(&scope.finish(settings.end).await, Some(&id));
        let instance = scope.instance();
        if instance.background() != Background::Always && instance.in_flight() == 1 {
            self.hooks(Stage::BeforeFreeze, &scope).await;
        }
    }

    fn say_refused(&self, error: &Error, scope: &Scope) {
        // Not while the watchdog may have to wait for the lock.
        let id = self
            .current()
            .as_ref()
            .map(|call| self.shared.codec.id(call).to_owned());
        let what = "the invocation could not be read";
        report_refused(error, what, id.as_deref(), Some(scope));
    }

    /// Runs hooks beside an invocation, in the time it has left.
    async fn hooks(&self, stage: Stage, scope: &Scope) {
        let Shared {
            hooks, settings, ..
        } = &*self.shared;
        if hooks.has(stage) {
            let allowance = scope.remaining().unwrap_or(Duration::MAX).min(settings.end);
            if let Err(error) = hooks.run(stage, allowance).await {
                report(&error, None, "a hook failed");
            }
        }
    }

    /// Answers the current invocation, if that has not been done from elsewhere.
    async fn answer(&self, line: &mut Line, scope: &Scope, outcome: Outcome) {
        let (call, report) = {
            let mut current = self.current();
            let Some(call) = &*current else { return };
            // A panic in here leaves the invocation to the next task.
            let report = self.encode(call, outcome, &mut line.out);
            (current.take(), report)
        };
        let (Some(call), Some(report)) = (call, report) else {
            return;
        };
        match report {
            Report::Stream { prelude, body } => {
                self.stream(line, &call, scope, prelude, body).await;
            }
            Report::Whole => self.post(line, &call, b"").await,
            Report::Bytes(body) => self.post(line, &call, &body).await,
        }
        if line.out.capacity() > KEPT {
            line.out = Vec::new();
        }
    }

    /// Writes the report on an outcome, or on what is wrong with it.
    pub(super) fn encode(
        &self,
        call: &C::Call,
        outcome: Outcome,
        out: &mut Vec<u8>,
    ) -> Option<Report> {
        let codec = &self.shared.codec;
        out.clear();
        let error = match codec.report(call, outcome, out) {
            Ok(report) => return Some(report),
            Err(error) => error,
        };
        let id = Some(codec.id(call));
        report(
            &error,
            id,
            "the reply cannot be carried, the error is reported in its place",
        );
        out.clear();
        codec
            .report(call, Err(error), out)
            .inspect_err(|error| report(error, id, "the invocation stays unanswered"))
            .ok()
    }

    pub(super) async fn post(&self, line: &mut Line, call: &C::Call, body: &[u8]) {
        let Shared { codec, profile, .. } = &*self.shared;
        let answer = line
            .connection
            .post(&line.out, body, profile.post_timeout)
            .await;
        delivery::conclude(codec, codec.id(call), answer);
    }

    pub(super) fn current(&self) -> MutexGuard<'_, Option<C::Call>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `future`, and cancels the scope when the time to drain is over; the future then ends by
/// itself. Cancel-safe if the future is.
pub(super) async fn until_cancelled<F: Future>(
    cancel: &Stop,
    scope: &Scope,
    future: F,
) -> F::Output {
    let mut future = pin!(future);
    tokio::select! {
        biased;
        output = &mut future => return output,
        () = cancel.requested() => scope.cancel(CancelReason::Shutdown),
    }
    future.await
}
