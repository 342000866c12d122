use async_trait::async_trait;
use faas_sdk_cache::store::suite::{self, Subject};
use faas_sdk_cache::store::{CacheStore, Invalidation, MemoryStore, Read, Write};
use faas_sdk_scope::ManualClock;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

struct Memory {
    clock: Arc<ManualClock>,
    shards: u16,
    opened: Mutex<Vec<MemoryStore>>,
}

impl Memory {
    fn new(shards: u16) -> Self {
        Self {
            clock: Arc::new(ManualClock::new()),
            shards,
            opened: Mutex::default(),
        }
    }

    fn opened(&self) -> Vec<MemoryStore> {
        self.opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl Subject for Memory {
    async fn open(&self) -> Arc<dyn CacheStore> {
        let store = MemoryStore::builder()
            .clock(Arc::clone(&self.clock))
            .shards(self.shards)
            .max_bytes(1 << 30)
            .build();
        self.opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(store.clone());
        Arc::new(store)
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn flush(&self) {
        self.opened().iter().for_each(MemoryStore::flush);
    }

    async fn trim_logs(&self) {
        self.opened().iter().for_each(MemoryStore::trim_log);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_shard_behaves() {
    suite::run(&Memory::new(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_shards_behave() {
    suite::run(&Memory::new(64)).await;
}

const HOUR: Duration = Duration::from_secs(3_600);

fn write(key: &[u8], bytes: usize, physical: Duration) -> Write<'_> {
    let envelope = vec![0; bytes].into();
    Write {
        key,
        envelope,
        physical,
        unless_after: None,
    }
}

async fn is_there(store: &MemoryStore, key: &[u8]) -> bool {
    let read = Read {
        keys: &[key],
        ..Read::default()
    };
    store.read(read).await.expect("it answers").values[0].is_some()
}

#[tokio::test]
async fn a_full_store_drops_what_expires_soonest() {
    let store = MemoryStore::builder().max_bytes(10_000).build();
    for (key, hours) in [(b"a", 3), (b"b", 1), (b"c", 2)] {
        let written = store.write(0, &[write(key, 3_000, HOUR * hours)]).await;
        assert!(written.expect("it answers")[0].is_some());
    }
    assert!(is_there(&store, b"a").await && is_there(&store, b"c").await);
    assert!(!is_there(&store, b"b").await);
    let written = store.write(0, &[write(b"large", 20_000, HOUR * 9)]).await;
    assert!(
        written.expect("it answers")[0].is_some(),
        "it is written, and dropped at once"
    );
    assert!(!is_there(&store, b"large").await);
    assert!(is_there(&store, b"a").await && is_there(&store, b"c").await);
}

#[tokio::test]
async fn each_clock_makes_values_old() {
    let seconds = Duration::from_secs;
    for (monotonic, boottime, realtime) in [(60, 0, 0), (0, 60, 0), (0, 0, 60)] {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::builder().clock(Arc::clone(&clock)).build();
        store
            .write(0, &[write(b"key", 100, seconds(60))])
            .await
            .expect("it answers");
        assert!(is_there(&store, b"key").await);
        clock.step(seconds(monotonic), seconds(boottime), seconds(realtime));
        assert!(!is_there(&store, b"key").await);
    }
}

#[tokio::test]
async fn clones_share_their_data() {
    let store = MemoryStore::new();
    let clone = store.clone();
    store
        .write(0, &[write(b"key", 100, HOUR)])
        .await
        .expect("it answers");
    assert!(is_there(&clone, b"key").await);
    clone.flush();
    assert!(!is_there(&store, b"key").await);
}

#[tokio::test]
async fn logs_and_names_are_bounded() {
    let store = MemoryStore::builder().log_length(10).max_names(3).build();
    let end = Read {
        log: Some(None),
        tag_log: Some(None),
        ..Read::default()
    };
    let end = store.read(end).await.expect("it answers");
    let (log, tag_log) = (end.log.expect("asked for"), end.tag_log.expect("asked for"));
    let since = async || {
        let (log, tag_log) = (Some(Some(log.position)), Some(Some(tag_log.position)));
        let read = Read {
            log,
            tag_log,
            names: &["a", "z"],
            log_limit: 100,
            ..Read::default()
        };
        store.read(read).await.expect("it answers")
    };
    for round in 0..9 {
        store
            .invalidate(0, &[b"key"], Invalidation::Remove)
            .await
            .expect("it answers");
        store
            .advance(&[["a", "b", "c"][round % 3]])
            .await
            .expect("it answers");
    }
    let answer = since().await;
    assert!(
        answer
            .log
            .is_some_and(|log| log.entries.len() == 9 && !log.gap)
    );
    assert!(
        answer
            .tag_log
            .is_some_and(|log| log.entries.len() == 9 && !log.gap)
    );
    assert!(answer.generations[0] > answer.generations[1]);

    store
        .invalidate(0, &[b"key"], Invalidation::Remove)
        .await
        .expect("it answers");
    let all = store.advance(&["d"]).await.expect("it answers");
    let answer = since().await;
    assert!(
        answer
            .log
            .is_some_and(|log| log.entries.is_empty() && log.gap)
    );
    assert!(
        answer
            .tag_log
            .is_some_and(|log| log.entries.is_empty() && log.gap)
    );
    assert_eq!(answer.generations, [all, all]);
}
