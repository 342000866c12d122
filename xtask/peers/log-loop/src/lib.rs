//! The loop log writers are measured in: the same event, again and again, inside one span.
//!
//! `--lines N` are shared by `--threads T`, after `--warmup W` lines in each of them that are not
//! measured. The nanoseconds that the N lines took all together go to standard error.

use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

pub use pico_args::Error;

/// Where the lines go: `--sink null` or `--sink stdout`.
#[derive(Clone, Copy, Debug)]
pub enum Sink {
    /// Nowhere, once they are complete.
    Null,
    /// To standard output, the way the writer does it by default.
    Stdout,
}

impl FromStr for Sink {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "null" => Ok(Self::Null),
            "stdout" => Ok(Self::Stdout),
            _ => Err("neither `null` nor `stdout`"),
        }
    }
}

/// Has `install` set the global writer up, logs as the arguments say, and tells the time taken.
///
/// # Errors
/// When an argument is missing, unknown or of another form.
pub fn run(install: impl FnOnce(Sink)) -> Result<(), Error> {
    let mut args = pico_args::Arguments::from_env();
    let lines = args.value_from_str("--lines")?;
    let threads = args.value_from_str("--threads")?;
    let warmup = args.value_from_str("--warmup")?;
    install(args.value_from_str("--sink")?);
    eprintln!("{}", time(lines, threads, warmup).as_nanos());
    Ok(())
}

fn time(lines: usize, threads: usize, warmup: usize) -> Duration {
    let barrier = Barrier::new(threads + 1);
    let worker = |first: usize| {
        let _span = tracing::info_span!(
            "checkout",
            request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            tenant = "north",
            route = "/orders",
        )
        .entered();
        (0..warmup).for_each(event);
        barrier.wait();
        barrier.wait();
        (first..lines).step_by(threads).for_each(event);
    };
    let start = thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || worker(first));
        }
        // All are warm; the clock is read before any of them goes on.
        barrier.wait();
        let start = Instant::now();
        barrier.wait();
        start
    });
    start.elapsed()
}

fn event(items: usize) {
    let client = Ipv4Addr::new(192, 0, 2, 77);
    tracing::info!(order = "A-1047", items, total = 49.95, %client, "order placed");
}
