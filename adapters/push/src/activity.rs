use faas_sdk_scope::{CancelReason, Scope};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::net::tcp::OwnedWriteHalf;

/// What happens on one connection: shared by its socket, its requests, its timers and, if a
/// handler gets stuck, the watchdog.
pub(crate) struct Activity {
    /// The writing half of the socket, for answers past a task that is stuck.
    socket: Weak<OwnedWriteHalf>,
    /// Changes whenever something happens.
    pulse: AtomicU64,
    /// How often everything that was to be written had been written.
    flushes: AtomicU64,
    /// Requests that have not been answered to the end of their body.
    busy: AtomicUsize,
    /// Whether a request head has begun and is not complete.
    in_head: AtomicBool,
    /// How many have begun after the first, which is awaited from the start.
    heads: AtomicU64,
    /// Whether requests come side by side, so that bytes say nothing about heads.
    multiplexed: AtomicBool,
    /// Whether a part of a request body was left unread.
    unread: AtomicBool,
    /// Whether the end of an answer may be the end of the connection alone, as in HTTP/1.0.
    close_delimited: AtomicBool,
    /// What is to be cancelled when the server can't wait any longer.
    scopes: Mutex<Vec<(u64, Scope)>>,
    next_scope: AtomicU64,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing, since this pulse.
    Idle(u64),
    /// Receiving the head of this number.
    Head(u64),
    Busy,
}

impl Activity {
    pub(crate) fn new(socket: Weak<OwnedWriteHalf>) -> Arc<Self> {
        Arc::new(Self {
            socket,
            pulse: AtomicU64::new(0),
            flushes: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            // A connection is there to be used: its first head is awaited from the start.
            in_head: AtomicBool::new(true),
            heads: AtomicU64::new(0),
            multiplexed: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            close_delimited: AtomicBool::new(false),
            scopes: Mutex::default(),
            next_scope: AtomicU64::new(0),
        })
    }

    pub(crate) fn phase(&self) -> Phase {
        if self.busy.load(Ordering::Relaxed) > 0 {
            Phase::Busy
        } else if self.in_head.load(Ordering::Relaxed) {
            Phase::Head(self.heads.load(Ordering::Relaxed))
        } else {
            Phase::Idle(self.pulse.load(Ordering::Relaxed))
        }
    }

    /// Says that requests come side by side on this connection.
    #[cfg(feature = "h2c")]
    pub(crate) fn multiplex(&self) {
        self.multiplexed.store(true, Ordering::Relaxed);
        self.in_head.store(false, Ordering::Relaxed);
    }

    /// Bytes came in; between two requests they begin a head.
    pub(crate) fn received(&self) {
        self.beat();
        if self.busy.load(Ordering::Relaxed) == 0
            && !self.multiplexed.load(Ordering::Relaxed)
            && !self.in_head.load(Ordering::Relaxed)
        {
            self.in_head.store(true, Ordering::Relaxed);
            self.heads.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Two beats at once may count as one: all that is asked is whether there was any.
    fn beat(&self) {
        let pulse = self.pulse.load(Ordering::Relaxed);
        self.pulse.store(pulse.wrapping_add(1), Ordering::Relaxed);
    }

    /// Bytes went out.
    pub(crate) fn sent(&self) {
        self.beat();
    }

    pub(crate) fn flushed(&self) {
        self.flushes.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    pub(crate) fn socket(&self) -> Option<Arc<OwnedWriteHalf>> {
        self.socket.upgrade()
    }

    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    pub(crate) fn delimit_by_close(&self) {
        self.close_delimited.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_close_delimited(&self) -> bool {
        self.close_delimited.load(Ordering::Relaxed)
    }

    /// A request head is complete. The guard lives until the answer is written or given up.
    pub(crate) fn begin(self: &Arc<Self>, scope: Option<&Scope>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.in_head.store(false, Ordering::Relaxed);
        self.unread.store(false, Ordering::Relaxed);
        let scope = scope.map(|scope| {
            let id = self.next_scope.fetch_add(1, Ordering::Relaxed);
            self.scopes().push((id, scope.clone()));
            id
        });
        Busy {
            activity: Arc::clone(self),
            scope,
        }
    }

    /// Cancels everything under way.
    pub(crate) fn cancel(&self, reason: CancelReason) {
        let scopes: Vec<_> = self.scopes().clone();
        for (_, scope) in scopes {
            scope.cancel(reason);
        }
    }

    fn scopes(&self) -> MutexGuard<'_, Vec<(u64, Scope)>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way.
pub(crate) struct Busy {
    activity: Arc<Activity>,
    scope: Option<u64>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(scope) = self.scope {
            self.activity.scopes().retain(|(id, _)| *id != scope);
        }
        self.activity.beat();
        self.activity.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
