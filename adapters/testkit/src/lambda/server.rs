//! Accepts connections and watches deadlines.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::connection::Connection;
use super::state::Shared;

/// Pause after a failed accept, for instance when file descriptors run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(10);

/// Runs until dropped; the tasks of all connections end with it.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Only latency suffers where it cannot be set.
                    let _: io::Result<()> = stream.set_nodelay(true);
                    let number = shared.update(|state| {
                        let number = state.traffic.connections;
                        state.traffic.connections += 1;
                        state.traffic.open += 1;
                        number
                    });
                    let open = Open(Arc::clone(&shared));
                    let connection = Connection::new(Arc::clone(&shared), number, stream);
                    connections.spawn(async move {
                        connection.serve().await;
                        drop(open);
                    });
                }
                Err(_) => sleep(ACCEPT_RETRY).await,
            },
            Some(_) = connections.join_next() => {}
            () = deadline(&shared) => {
                shared.try_update(|state| state.invocations.expire(Instant::now()).then_some(()));
            }
        }
    }
}

/// Counts an open connection for as long as it lives.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.update(|state| state.traffic.open -= 1);
    }
}

/// Completes when the earliest deadline has passed.
async fn deadline(shared: &Shared) {
    loop {
        let changed = shared.new_deadline.notified();
        let next = if shared.options.enforce_deadline {
            shared.lock().invocations.next_deadline()
        } else {
            None
        };
        match next {
            None => changed.await,
            Some(at) => {
                tokio::select! {
                    () = sleep_until(at) => return,
                    () = changed => {}
                }
            }
        }
    }
}
