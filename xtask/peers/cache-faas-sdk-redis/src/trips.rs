//! Counting round trips from outside.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Stands between a client and a server.
#[derive(Clone)]
pub(crate) struct Trips(Arc<Counted>);

struct Counted {
    trips: AtomicU64,
    /// The server has said something since the client did.
    answered: AtomicBool,
}

impl Trips {
    /// Starts it before the server at `address`; its port.
    pub(crate) async fn before(address: String) -> io::Result<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let trips = Self(Arc::new(Counted {
            trips: AtomicU64::new(0),
            answered: AtomicBool::new(true),
        }));
        let own = trips.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&address).await else {
                    return;
                };
                own.carry(client, server);
            }
        });
        Ok((trips, port))
    }

    /// How often a client has asked something after it was answered. What it sends without waiting for
    /// an answer is one round trip.
    pub(crate) fn count(&self) -> u64 {
        self.0.trips.load(Ordering::Acquire)
    }

    fn carry(&self, client: TcpStream, server: TcpStream) {
        let (asked, answer) = client.into_split();
        let (answered, ask) = server.into_split();
        let (own, others) = (Arc::clone(&self.0), Arc::clone(&self.0));
        tokio::spawn(copy(asked, ask, move || {
            if own.answered.swap(false, Ordering::AcqRel) {
                own.trips.fetch_add(1, Ordering::AcqRel);
            }
        }));
        tokio::spawn(copy(answered, answer, move || {
            others.answered.store(true, Ordering::Release);
        }));
    }
}

/// Copies until either end is gone; `note` runs before each piece goes on.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, note: impl Fn()) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        note();
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
