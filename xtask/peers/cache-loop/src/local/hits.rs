use super::{Values, fill, names};
use std::hint::black_box;
use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;
use tokio::runtime::Builder;

/// From one key to the next of a thread: a prime, so that it comes to all of them.
const STRIDE: usize = 7_919;

/// How many hits are timed together: the median of such parts is told, which neither a neighbour on the
/// machine nor the system's timer can move as long as most parts run undisturbed.
const PART: usize = 1_000;

/// The nanoseconds of a hit, while so many threads, each of which has a runtime of its own, do so many.
pub(crate) fn time(
    values: &impl Values,
    keys: u64,
    hits: usize,
    threads: usize,
) -> io::Result<f64> {
    let names = names(keys);
    // What the cache may have spawned on it lives on.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(fill(values, &names));
    let runtimes: io::Result<Vec<_>> = (0..threads)
        .map(|_| Builder::new_current_thread().enable_all().build())
        .collect();
    let warm = Barrier::new(threads);
    let mut parts: Vec<f64> = thread::scope(|scope| {
        let threads: Vec<_> = runtimes?
            .into_iter()
            .enumerate()
            .map(|(thread, runtime)| {
                let (names, warm) = (&names, &warm);
                let first = thread * names.len() / threads;
                scope.spawn(move || {
                    runtime.block_on(async {
                        fill(values, names).await;
                        warm.wait();
                        parts(values, names, first, hits).await
                    })
                })
            })
            .collect();
        let parts = threads.into_iter().map(thread::ScopedJoinHandle::join);
        io::Result::Ok(parts.flat_map(|parts| parts.expect("no panic")).collect())
    })?;
    parts.sort_by(f64::total_cmp);
    Ok(parts[parts.len() / 2])
}

/// The nanoseconds of a hit in each part.
async fn parts(values: &impl Values, names: &[String], first: usize, hits: usize) -> Vec<f64> {
    let mut next = first;
    let mut parts = Vec::with_capacity(hits.div_ceil(PART));
    for begun in (0..hits).step_by(PART) {
        let hits = PART.min(hits - begun);
        let start = Instant::now();
        for _ in 0..hits {
            next = (next + STRIDE) % names.len();
            black_box(values.get(&names[next], next as u64).await);
        }
        parts.push(start.elapsed().as_nanos() as f64 / hits as f64);
    }
    parts
}
