use crate::checker::{BOUND, Process, race_time};
use crate::world::Memory;
use faas_sdk_cache::Cache;
use faas_sdk_cache::store::MemoryStore;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_instances_over_a_store_in_memory() {
    race(race_time()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "a long race"]
async fn soak_two_instances_over_a_store_in_memory() {
    race(Duration::from_secs(10)).await;
}

async fn race(time: Duration) {
    for shards in [1, 4] {
        let store = MemoryStore::builder().shards(shards).build();
        let world = Arc::new(Memory::default());
        let process = || {
            let cache = Cache::builder()
                .store(store.clone())
                .verify_after(BOUND)
                .build();
            Process::new(cache, Arc::clone(&world))
        };
        let (first, second) = (process(), process());
        let (reads, more) = tokio::join!(first.race(8, true, time), second.race(8, false, time));
        let stats = first.cache.stats();
        assert!(
            reads + more > 100 && stats.l1_hits > 0 && stats.l2_hits > 0,
            "{stats:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_instance_without_a_remote_level() {
    let process = Process::new(Cache::local(), Arc::new(Memory::default()));
    assert!(process.race(8, true, race_time()).await > 100);
}
