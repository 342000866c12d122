//! A TCP proxy that misbehaves on demand.

use anyhow::{Context, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// How much is read at once, and how many such pieces are kept for each direction of a connection.
const PIECE: usize = 16 * 1024;
const PIECES: usize = 64;

/// A TCP proxy in front of a server, on a free loopback port.
///
/// It can be controlled while connections are open, and what it is told is true for them as for new
/// ones. Bytes are delayed or kept back and never lost: what was kept back is delivered when it may
/// pass again, even if the other side has closed meanwhile, as on a real network. Per direction of a
/// connection it keeps up to a mebibyte; beyond that the sender is held up.
///
/// It runs on the runtime it was started on. When dropped it closes all connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    told: Arc<Told>,
    connections: Arc<Connections>,
    accepting: JoinHandle<()>,
}

/// What connections are told: those to come, and those that were stranded.
#[derive(Debug)]
struct Told {
    current: Mutex<watch::Sender<Behaviour>>,
    stranded: Mutex<Vec<watch::Sender<Behaviour>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Behaviour {
    black_hole: bool,
    hold_replies: bool,
    delay: Duration,
}

#[derive(Debug, Default)]
struct Connections {
    tasks: Mutex<JoinSet<()>>,
    open: Arc<AtomicUsize>,
    accepted: AtomicUsize,
}

/// Counts one open connection.
struct Open(Arc<AtomicUsize>);

#[derive(Clone, Copy)]
enum Direction {
    Requests,
    Replies,
}

impl Proxy {
    /// Starts a proxy that passes everything to `target`.
    ///
    /// If `target` refuses a connection, the one to the proxy is accepted and then closed.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("no port for a proxy")?;
        let port = listener.local_addr()?.port();
        let told = Arc::new(Told {
            current: Mutex::new(watch::Sender::new(Behaviour::default())),
            stranded: Mutex::default(),
        });
        let connections = Arc::new(Connections::default());
        let accepting = tokio::spawn(accept(
            listener,
            target,
            Arc::clone(&told),
            Arc::clone(&connections),
        ));
        Ok(Self {
            port,
            told,
            connections,
            accepting,
        })
    }

    /// The port the proxy listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The socket address the proxy listens on.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Passes everything at once, as at the start; what was kept back is delivered.
    pub fn pass(&self) {
        self.told.current().send_replace(Behaviour::default());
    }

    /// Lets nothing through in either direction. Connections stay open, also when one side closes
    /// them, and new ones are accepted.
    pub fn black_hole(&self) {
        self.told
            .current()
            .send_modify(|told| told.black_hole = true);
    }

    /// Lets nothing through any more on the connections that are open now, for ever and without closing
    /// them, as a firewall that has forgotten them; new ones pass.
    pub fn strand_connections(&self) {
        let stranded = std::mem::replace(
            &mut *self.told.current(),
            watch::Sender::new(Behaviour::default()),
        );
        stranded.send_modify(|told| told.black_hole = true);
        let mut all = self
            .told
            .stranded
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.push(stranded);
    }

    /// Keeps back what the server sends, until [`release`](Self::release) or [`pass`](Self::pass).
    /// What the client sends still reaches the server.
    pub fn hold_replies(&self) {
        self.told
            .current()
            .send_modify(|told| told.hold_replies = true);
    }

    /// Delivers the replies that were kept back, and passes those to come.
    pub fn release(&self) {
        self.told
            .current()
            .send_modify(|told| told.hold_replies = false);
    }

    /// Delivers what the server sends so much later, and thereby lengthens each round trip once. Does
    /// not limit the throughput.
    pub fn delay(&self, delay: Duration) {
        self.told.current().send_modify(|told| told.delay = delay);
    }

    /// Closes all open connections on both sides, with all that was kept back; new ones are accepted
    /// as before. Returns once they are closed.
    pub async fn drop_connections(&self) {
        let mut tasks = std::mem::take(&mut *self.connections.tasks());
        tasks.shutdown().await;
    }

    /// How many connections are open now.
    pub fn connections(&self) -> usize {
        self.connections.open.load(Ordering::SeqCst)
    }

    /// How many connections were accepted since the start.
    pub fn accepted(&self) -> usize {
        self.connections.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.connections.tasks().abort_all();
    }
}

impl Told {
    fn current(&self) -> MutexGuard<'_, watch::Sender<Behaviour>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn count(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Behaviour {
    fn passes(self, direction: Direction) -> bool {
        match direction {
            Direction::Requests => !self.black_hole,
            Direction::Replies => !self.black_hole && !self.hold_replies,
        }
    }

    fn delay_of(self, direction: Direction) -> Duration {
        match direction {
            Direction::Requests => Duration::ZERO,
            Direction::Replies => self.delay,
        }
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    told: Arc<Told>,
    connections: Arc<Connections>,
) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // For want of descriptors: some may be closed soon.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        connections.accepted.fetch_add(1, Ordering::SeqCst);
        let open = Open::count(&connections.open);
        let told = told.current().subscribe();
        let mut tasks = connections.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            // Errors end a connection as its end does.
            let _ = connect(client, target, told).await;
            drop(open);
        });
    }
}

/// Serves one connection to its end.
async fn connect(
    client: TcpStream,
    target: SocketAddr,
    mut told: watch::Receiver<Behaviour>,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    gate(&mut told, Direction::Requests).await;
    let server = TcpStream::connect(target).await?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        pump(from_client, to_server, told.clone(), Direction::Requests),
        pump(from_server, to_client, told, Direction::Replies),
    );
    Ok(())
}

/// Carries bytes one way until one side has ended and all is delivered.
async fn pump(
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    told: watch::Receiver<Behaviour>,
    direction: Direction,
) {
    let (pieces, due) = mpsc::channel(PIECES);
    tokio::join!(
        take(from, pieces, told.clone(), direction),
        deliver(to, due, told, direction),
    );
}

/// Reads pieces and marks each with the time it is to be delivered at.
async fn take(
    mut from: impl AsyncRead + Unpin,
    pieces: mpsc::Sender<(Instant, Vec<u8>)>,
    told: watch::Receiver<Behaviour>,
    direction: Direction,
) {
    let mut buffer = vec![0; PIECE];
    loop {
        // An error is the end as well: the other side learns of it in its turn.
        let read = tokio::select! {
            read = from.read(&mut buffer) => read.unwrap_or(0),
            () = pieces.closed() => return,
        };
        let due = Instant::now() + told.borrow().delay_of(direction);
        // The end is an empty piece, so that it is late as well.
        let piece = buffer[..read].to_vec();
        if pieces.send((due, piece)).await.is_err() || read == 0 {
            return;
        }
    }
}

/// Delivers each piece when it is due and may pass.
async fn deliver(
    mut to: impl AsyncWrite + Unpin,
    mut pieces: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut told: watch::Receiver<Behaviour>,
    direction: Direction,
) {
    while let Some((due, piece)) = pieces.recv().await {
        sleep_until(due).await;
        gate(&mut told, direction).await;
        let delivered = if piece.is_empty() {
            to.shutdown().await
        } else {
            to.write_all(&piece).await
        };
        if delivered.is_err() {
            return;
        }
    }
}

/// Waits until bytes may pass in `direction`.
async fn gate(told: &mut watch::Receiver<Behaviour>, direction: Direction) {
    // Without a sender the proxy is gone, and this connection with it at once.
    let _ = told.wait_for(|told| told.passes(direction)).await;
}
