use crate::world::World;
use faas_sdk_cache::{Cache, Region};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How old the last look at the logs may be.
pub(crate) const BOUND: Duration = Duration::from_millis(20);

/// What a busy machine adds to the bound: a change counts as known when it is over, and a reader's
/// clock is read before it starts.
const SLACK: Duration = Duration::from_millis(10);

pub(crate) const KEYS: u64 = 6;

/// Versions of truths. They expire now and then, too.
const TRUTH: Region<u64> = Region::new("truth").ttl(Duration::from_millis(50));

/// One process: its tasks read and change, and check what they read.
pub(crate) struct Process<W> {
    pub(crate) cache: Cache,
    pub(crate) world: Arc<W>,
    /// For each key the version whose change this process has brought to its end.
    own: [AtomicU64; KEYS as usize],
    /// For each key one writer at a time: the order of two changes at once is anybody's.
    writers: [tokio::sync::Mutex<()>; KEYS as usize],
}

impl<W: World> Process<W> {
    pub(crate) fn new(cache: Cache, world: Arc<W>) -> Arc<Self> {
        let own = std::array::from_fn(|_| AtomicU64::new(0));
        let writers = std::array::from_fn(|_| tokio::sync::Mutex::new(()));
        Arc::new(Self {
            cache,
            world,
            own,
            writers,
        })
    }

    /// Runs `tasks` until the time is over. `setter`: this process changes the keys whose
    /// values are set, which only one may.
    pub(crate) async fn race(self: &Arc<Self>, tasks: u64, setter: bool, time: Duration) -> u64 {
        let end = Instant::now() + time;
        let task = |number| {
            let process = Arc::clone(self);
            tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(number ^ u64::from(std::process::id()));
                let mut reads = 0;
                while Instant::now() < end {
                    let key = random.u64(0..KEYS);
                    match random.u32(0..100) {
                        0..80 => {
                            process.read(key, random.u64(0..400)).await;
                            reads += 1;
                        }
                        choice @ 80..99 => process.change(key, choice, setter).await,
                        _ => tokio::time::sleep(Duration::from_millis(random.u64(0..30))).await,
                    }
                }
                reads
            })
        };
        let tasks: Vec<_> = (0..tasks).map(task).collect();
        let mut reads = 0;
        for task in tasks {
            reads += task.await.expect("a task that checks");
        }
        reads
    }

    async fn read(&self, key: u64, micros: u64) {
        let own = self.own[index(key)].load(Ordering::SeqCst);
        let others = self.world.committed(key, BOUND + SLACK).await;
        let world = Arc::clone(&self.world);
        let load = self
            .cache
            .get(&TRUTH, &key)
            .tag(tag(key))
            .or_load(move |_| async move {
                let version = world.truth(key).await;
                tokio::time::sleep(Duration::from_micros(micros)).await;
                Ok(version)
            });
        let got = load.await.expect("a value");
        let truth = self.world.truth(key).await;
        assert!(
            *got >= own,
            "key {key}: {got:?}, but {own} was done here before"
        );
        // What is served while the remote level does not answer says so.
        assert!(
            *got >= others || got.is_stale(),
            "key {key}: {got:?}, but {others} was done elsewhere long before"
        );
        assert!(
            *got <= truth,
            "key {key}: {got:?}, but the truth is {truth}"
        );
    }

    async fn change(&self, key: u64, choice: u32, setter: bool) {
        // A value that is set late, after another process's change, is what its program asked for.
        let is_set = key.is_multiple_of(2);
        if is_set && !setter {
            return;
        }
        let _writer = self.writers[index(key)].lock().await;
        let version = self.world.advance(key).await;
        let cache = &self.cache;
        let done = match choice {
            80..85 if is_set => {
                let set = cache.set(&TRUTH, &key, version).tag(tag(key));
                set.strict().await
            }
            80..90 => cache.remove(&TRUTH, &key).strict().await,
            90..95 => cache.expire(&TRUTH, &key).strict().await,
            95..98 => cache.remove_by_tag(&tag(key)).strict().await,
            _ => cache.clear(&TRUTH).strict().await,
        };
        self.own[index(key)].fetch_max(version, Ordering::SeqCst);
        // Others learn of a change that the remote level did not take when it is repeated.
        if done.is_ok() {
            self.world.commit(key, version).await;
        }
    }
}

fn tag(key: u64) -> String {
    format!("key-{key}")
}

fn index(key: u64) -> usize {
    usize::try_from(key % KEYS).expect("a small number")
}

pub(crate) fn race_time() -> Duration {
    let text = std::env::var("FAAS_TEST_RACE_MS");
    let millis = text.map_or(700, |text| {
        text.parse().expect("FAAS_TEST_RACE_MS is a number")
    });
    Duration::from_millis(millis)
}
