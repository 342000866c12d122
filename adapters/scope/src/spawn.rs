use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The result of work spawned with [`Scope::spawn`](crate::Scope::spawn). Dropping it detaches
/// nothing: the invocation awaits the work all the same.
#[derive(Debug)]
pub struct Spawned<T>(pub(crate) oneshot::Receiver<T>);

/// Spawned work gave no result: it panicked, or its invocation ended first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnError;

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("spawned work panicked or was dropped with its invocation")
    }
}

impl std::error::Error for SpawnError {}

impl<T> Future for Spawned<T> {
    type Output = Result<T, SpawnError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|result| result.map_err(|_| SpawnError))
    }
}

/// Spawned work that its invocation still owes a wait.
pub(crate) struct Task {
    pub(crate) place: &'static Location<'static>,
    pub(crate) handle: JoinHandle<()>,
}

impl Task {
    pub(crate) fn leftover(&self, panicked: bool) -> crate::Leftover {
        crate::Leftover {
            name: format!("work spawned at {}", self.place),
            panicked,
        }
    }
}
