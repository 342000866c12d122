use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is true, and since when everybody has to know.
pub(crate) trait World: Send + Sync + 'static {
    /// The present version of a key's truth.
    fn truth(&self, key: u64) -> impl Future<Output = u64> + Send;

    /// Makes a new version.
    fn advance(&self, key: u64) -> impl Future<Output = u64> + Send;

    /// Says that the change to this version is over.
    fn commit(&self, key: u64, version: u64) -> impl Future<Output = ()> + Send;

    /// The latest version whose change was over so long ago.
    fn committed(&self, key: u64, ago: Duration) -> impl Future<Output = u64> + Send;
}

/// A world within one process.
#[derive(Default)]
pub(crate) struct Memory {
    truth: [AtomicU64; 8],
    committed: [Mutex<Vec<(Instant, u64)>>; 8],
}

impl World for Memory {
    async fn truth(&self, key: u64) -> u64 {
        self.truth[at(key)].load(Ordering::SeqCst)
    }

    async fn advance(&self, key: u64) -> u64 {
        self.truth[at(key)].fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn commit(&self, key: u64, version: u64) {
        self.committed[at(key)]
            .lock()
            .expect("a lock")
            .push((Instant::now(), version));
    }

    async fn committed(&self, key: u64, ago: Duration) -> u64 {
        let now = Instant::now();
        let committed = self.committed[at(key)].lock().expect("a lock");
        let old = committed
            .iter()
            .filter(|(then, _)| now.duration_since(*then) >= ago);
        old.map(|(_, version)| *version).max().unwrap_or_default()
    }
}

fn at(key: u64) -> usize {
    usize::try_from(key % 8).expect("a small number")
}
