use crate::link::Link;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many threads have a place of their own; more of them share.
const PLACES: usize = 8;

/// The most clones that are kept in a place.
const MOST: usize = 128;

/// Clones of a link that nobody uses now. To take one is several times cheaper than to make one,
/// because the counts of clones are written by all threads, and each has a place of its own here.
#[derive(Default)]
pub(crate) struct Idle([Place; PLACES]);

/// Apart from the others in memory, so that processors do not contend for it.
#[derive(Default)]
#[repr(align(128))]
struct Place(Mutex<Vec<Link>>);

static THREADS: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    static PLACE: usize = THREADS.fetch_add(1, Relaxed) % PLACES;
}

impl Idle {
    pub(crate) fn take(&self) -> Option<Link> {
        self.place().pop()
    }

    /// Keeps `link`, if it is `wanted` still, which is asked while nothing can be cleared.
    pub(crate) fn put(&self, link: Link, wanted: impl FnOnce(&Link) -> bool) {
        let mut place = self.place();
        if wanted(&link) && place.len() < MOST {
            place.push(link);
        }
    }

    /// Forgets all. What is no longer wanted by now is not there afterwards.
    pub(crate) fn clear(&self) {
        for Place(place) in &self.0 {
            let dropped = std::mem::take(&mut *lock(place));
            drop(dropped);
        }
    }

    fn place(&self) -> MutexGuard<'_, Vec<Link>> {
        lock(&self.0[PLACE.with(|place| *place)].0)
    }
}

fn lock(place: &Mutex<Vec<Link>>) -> MutexGuard<'_, Vec<Link>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}
