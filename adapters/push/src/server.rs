use crate::listen::{accept, listen};
use crate::shared::{Course, Shared};
use crate::{Codec, Profile, connection};
use faas_sdk_core::{Error, ErrorKind, Program, Result, Stage, Stop, Watchdog};
use faas_sdk_scope::Instance;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// An HTTP server that serves a [`Program`] in the way of one platform.
#[derive(Debug)]
pub struct Server<C> {
    codec: Arc<C>,
    profile: Profile,
    program: Program,
    instance: Option<Arc<Instance>>,
    watchdog: Option<Watchdog>,
}

impl<C: Codec> Server<C> {
    /// A server of this platform.
    #[must_use]
    pub fn new(codec: Arc<C>, profile: Profile, program: &Program) -> Self {
        Self {
            codec,
            profile,
            program: program.clone(),
            instance: None,
            watchdog: None,
        }
    }

    /// Replaces the instance, which is otherwise made of the profile on the system's clocks.
    #[must_use]
    pub fn instance(mut self, instance: Arc<Instance>) -> Self {
        self.instance = Some(instance);
        self
    }

    /// Replaces the watchdog, which otherwise ends the process.
    #[must_use]
    pub fn watchdog(mut self, watchdog: Watchdog) -> Self {
        self.watchdog = Some(watchdog);
        self
    }

    /// Opens the profile's address and serves it; see [`Server::serve_with`].
    ///
    /// # Errors
    ///
    /// As [`Server::serve_with`], and if the address can't be listened on.
    pub async fn serve(self, stop: Stop) -> Result<()> {
        let address = self.profile.address;
        let open = async move || Ok(vec![listen(address).await?]);
        self.serve_with(open, stop).await
    }

    /// Serves on listeners that are open already; see [`Server::serve_with`].
    ///
    /// # Errors
    ///
    /// As [`Server::serve_with`].
    pub async fn serve_on(self, listeners: Vec<TcpListener>, stop: Stop) -> Result<()> {
        let open = || std::future::ready(Ok(listeners));
        self.serve_with(open, stop).await
    }

    /// Runs the init hooks, if the profile wants them first, then opens its listeners and serves
    /// on them until it is told to stop.
    ///
    /// On the first stop it goes on for [`Profile::serve_on`], then accepts nothing more. Idle
    /// connections are closed, the others end with their current answer, streamed bodies
    /// included; background work is awaited. What is not done after `Settings::drain`, or at
    /// the second stop, is cancelled and has `Settings::end` to end. Then the shutdown hooks
    /// run, except after a second stop.
    ///
    /// Dropping the future closes all connections and cancels their invocations, without the
    /// shutdown hooks.
    ///
    /// # Errors
    ///
    /// The error of `open`, or of an init or shutdown hook; [`ErrorKind::Timeout`] if serving
    /// ended because a handler did not yield.
    pub async fn serve_with<F, Fut>(self, open: F, stop: Stop) -> Result<()>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Vec<TcpListener>>>,
    {
        let shared = Shared::new(
            self.codec,
            self.profile,
            &self.program,
            self.instance,
            self.watchdog,
        );
        if shared.inits_first() {
            tokio::select! {
                biased;
                () = stop.requested() => return Ok(()),
                ready = shared.init() => ready?,
            }
        }
        let listeners = open().await?;
        let mut connections = JoinSet::new();
        let stuck = accept_until_stopped(&shared, &listeners, &stop, &mut connections).await;
        drop(listeners);
        let forced = drain(&shared, &stop, &mut connections).await;
        if stuck {
            let message = "a handler did not yield until its deadline";
            return Err(Error::new(ErrorKind::Timeout, message));
        }
        if forced {
            return Ok(());
        }
        shared.run_hooks(Stage::Shutdown).await
    }
}

/// Returns whether a stuck handler was the reason.
async fn accept_until_stopped<C: Codec>(
    shared: &Arc<Shared<C>>,
    listeners: &[TcpListener],
    stop: &Stop,
    connections: &mut JoinSet<()>,
) -> bool {
    let most = shared.profile.limits.connections;
    let mut stuck = shared.stuck.subscribe();
    let stopped = async {
        stop.requested().await;
        shared.stopping.store(true, Ordering::Relaxed);
        tokio::select! {
            () = stop.forced() => {}
            () = tokio::time::sleep(shared.profile.serve_on) => {}
        }
    };
    let mut stopped = std::pin::pin!(stopped);
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => return false,
            _ = stuck.wait_for(|stuck| *stuck) => return true,
            Some(ended) = connections.join_next() => note(ended),
            (stream, peer) = accept(listeners), if connections.len() < most => {
                connections.spawn(connection::serve(stream, peer, Arc::clone(shared)));
            }
        }
    }
}

/// Ends what is under way. Returns whether it was told not to wait for it.
async fn drain<C: Codec>(
    shared: &Arc<Shared<C>>,
    stop: &Stop,
    connections: &mut JoinSet<()>,
) -> bool {
    shared.course.send_replace(Course::Draining);
    let forced = tokio::select! {
        biased;
        () = stop.forced() => true,
        () = all_ended(shared, connections) => return false,
        () = tokio::time::sleep(shared.settings.drain) => false,
    };
    tracing::warn!(
        in_flight = shared.instance.in_flight(),
        background = shared.instance.background_tasks(),
        connections = connections.len(),
        "not everything ended in time and is cancelled"
    );
    shared.course.send_replace(Course::Cancelling);
    let ended = all_ended(shared, connections);
    if tokio::time::timeout(shared.settings.end, ended)
        .await
        .is_err()
    {
        // Not awaited: a handler that does not yield keeps its connection's task for ever.
        tracing::error!(connections = connections.len(), "given up without an end");
        connections.abort_all();
    }
    forced
}

async fn all_ended<C: Codec>(shared: &Shared<C>, connections: &mut JoinSet<()>) {
    while let Some(ended) = connections.join_next().await {
        note(ended);
    }
    shared.instance.idle().await;
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "the task of a connection panicked");
    }
}
