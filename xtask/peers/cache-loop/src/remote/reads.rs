use crate::Error;
use std::sync::Arc;
use std::time::Instant;

/// How many values there are.
const KEYS: usize = 1_000;

/// From one key to the next of a task: a prime, so that it comes to all of them.
const STRIDE: usize = 379;

/// How many bytes a value has.
const LENGTH: usize = 500;

/// Of each task, in one part.
const READS: usize = 50;

/// Of all tasks, in one part, at least.
const LEAST: usize = 500;

/// A remote cache under test.
pub trait Reads: Clone + Send + Sync + 'static {
    /// Stores a value.
    fn store(&self, key: &str, value: Vec<u8>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Reads a value that is there; answers its length.
    fn read(&self, key: &str) -> impl Future<Output = Result<usize, Error>> + Send;
}

/// The nanoseconds between two reads of so many tasks.
pub(crate) async fn time(reads: impl Reads, tasks: usize, parts: usize) -> Result<f64, Error> {
    let keys: Arc<[String]> = (0..KEYS).map(|key| format!("customer-{key:08}")).collect();
    for key in keys.iter() {
        reads.store(key, vec![b'v'; LENGTH]).await?;
    }
    let each = READS.max(LEAST / tasks);
    let mut took = Vec::with_capacity(parts);
    // One more, which is not measured: connections are made, buffers have grown.
    for _ in 0..=parts {
        let start = Instant::now();
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let (reads, keys) = (reads.clone(), Arc::clone(&keys));
                tokio::spawn(async move { part(&reads, &keys, task * KEYS / tasks, each).await })
            })
            .collect();
        for task in running {
            task.await??;
        }
        took.push(start.elapsed().as_nanos() as f64 / (tasks * each) as f64);
    }
    let mut took = took.split_off(1);
    took.sort_by(f64::total_cmp);
    Ok(took[took.len() / 2])
}

async fn part(
    reads: &impl Reads,
    keys: &[String],
    first: usize,
    count: usize,
) -> Result<(), Error> {
    let mut next = first;
    for _ in 0..count {
        next = (next + STRIDE) % keys.len();
        assert_eq!(reads.read(&keys[next]).await?, LENGTH);
    }
    Ok(())
}
