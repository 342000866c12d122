use super::link::Down;
use crate::local::BuildPrehashed;
use bytes::Bytes;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How many keys one read holds at most, and how many are read at once where so many wait.
const MOST: usize = 64;
const ENOUGH: usize = 32;

/// Reads that are asked for at the same time, made together: what is waiting when a read starts goes
/// with it, and the same key is read once.
pub(crate) struct Coalescer(Box<[Mutex<Queue>]>);

#[derive(Default)]
struct Queue {
    waiting: Vec<Wanted>,
    /// A read will start soon, and take what is waiting.
    scheduled: bool,
}

/// What one caller wants of a read.
pub(crate) struct Wanted {
    /// A value; `None` if only the logs are to be read.
    pub(crate) key: Option<Bytes>,
    /// Names whose generations are not known.
    pub(crate) names: Vec<String>,
    answer: oneshot::Sender<Result<Option<Bytes>, Down>>,
}

/// Waits for a read.
pub(crate) type Wait = oneshot::Receiver<Result<Option<Bytes>, Down>>;

impl Coalescer {
    pub(crate) fn new(shards: u16) -> Self {
        Self((0..shards.max(1)).map(|_| Mutex::default()).collect())
    }

    /// Adds a wish. `true`: the caller has to start a read, since no other one will.
    pub(crate) fn submit(
        &self,
        shard: u16,
        key: Option<Bytes>,
        names: Vec<String>,
    ) -> (Wait, bool) {
        let (answer, wait) = oneshot::channel();
        let mut queue = self.queue(shard);
        queue.waiting.push(Wanted { key, names, answer });
        (wait, !std::mem::replace(&mut queue.scheduled, true))
    }

    /// Takes what is waiting. `true`: some is left, for which the caller has to start another read.
    pub(crate) fn take(&self, shard: u16) -> (Vec<Wanted>, bool) {
        let mut queue = self.queue(shard);
        let waiting = &mut queue.waiting;
        // Two reads of half the size, rather than one: while the server works on the second, the answer
        // to the first is taken, and neither waits for the other.
        let count = waiting
            .len()
            .div_ceil(2)
            .clamp(ENOUGH, MOST)
            .min(waiting.len());
        let mut batch: Vec<Wanted> = waiting.drain(..count).collect();
        // Who wants the logs alone goes with any read.
        batch.extend(waiting.extract_if(.., |wanted| wanted.key.is_none()));
        queue.scheduled = !queue.waiting.is_empty();
        (batch, queue.scheduled)
    }

    fn queue(&self, shard: u16) -> MutexGuard<'_, Queue> {
        self.0[usize::from(shard)]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wanted {
    /// Answers; nobody may be waiting any more.
    pub(crate) fn answer(self, value: Result<Option<Bytes>, Down>) {
        drop(self.answer.send(value));
    }
}

/// The keys of a batch, each once, and for each wish its place.
pub(crate) fn distinct<'b>(batch: &'b [Wanted]) -> (Vec<&'b [u8]>, Vec<Option<usize>>) {
    let mut keys: Vec<&[u8]> = Vec::with_capacity(batch.len());
    let mut places = HashMap::with_capacity_and_hasher(batch.len(), BuildPrehashed::default());
    let place = |wanted: &'b Wanted| {
        let key = wanted.key.as_deref()?;
        Some(*places.entry(key).or_insert_with(|| {
            keys.push(key);
            keys.len() - 1
        }))
    };
    let indices = batch.iter().map(place).collect();
    (keys, indices)
}

impl fmt::Debug for Coalescer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalescer")
            .field("shards", &self.0.len())
            .finish_non_exhaustive()
    }
}
