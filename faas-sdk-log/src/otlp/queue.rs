use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What waits to be exported: so many items, and bytes, and no more. What finds no room is lost, and
/// counted.
#[derive(Debug)]
pub(super) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    limit: usize,
    /// Items that were lost and that nobody was told of yet.
    lost: AtomicU64,
}

#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<Item<T>>,
    /// How many there are, with those that are being exported: these may come back.
    count: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Item<T> {
    value: T,
    bytes: usize,
}

/// Receivers take requests of this size; many take no much larger ones.
const BYTES: usize = 4 << 20;

impl<T> Queue<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                items: VecDeque::new(),
                count: 0,
                bytes: 0,
            }),
            limit,
            lost: AtomicU64::new(0),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item of about so many bytes.
    pub(super) fn push(&self, value: T, bytes: usize) {
        let mut waiting = self.waiting();
        if waiting.count >= self.limit || waiting.bytes + bytes > BYTES {
            drop(waiting);
            self.lose(1);
            return;
        }
        waiting.count += 1;
        waiting.bytes += bytes;
        waiting.items.push_back(Item { value, bytes });
    }

    pub(super) fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// How many items were lost since this was last asked.
    pub(super) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    /// How many items are there, with those that are being exported.
    pub(super) fn len(&self) -> usize {
        self.waiting().count
    }

    /// Takes all items out to be exported.
    pub(super) fn take(&self) -> Batch<'_, T> {
        Batch {
            items: std::mem::take(&mut self.waiting().items),
            queue: self,
        }
    }
}

/// Items that are being exported. Those it is not told to be done with come back, before those that
/// came since.
#[derive(Debug)]
pub(super) struct Batch<'a, T> {
    items: VecDeque<Item<T>>,
    queue: &'a Queue<T>,
}

impl<T> Batch<'_, T> {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().map(|item| &item.value)
    }

    /// None of the items is needed any more.
    pub(super) fn done(mut self) {
        let items = std::mem::take(&mut self.items);
        let mut waiting = self.queue.waiting();
        waiting.count -= items.len();
        waiting.bytes -= items.iter().map(|item| item.bytes).sum::<usize>();
    }
}

impl<T> Drop for Batch<'_, T> {
    fn drop(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        if items.is_empty() {
            return;
        }
        let mut waiting = self.queue.waiting();
        items.append(&mut waiting.items);
        waiting.items = items;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(batch: &Batch<'_, u32>) -> Vec<u32> {
        batch.iter().copied().collect()
    }

    #[test]
    fn what_is_not_done_with_comes_back_in_its_order() {
        let queue = Queue::new(10);
        queue.push(1, 1);
        queue.push(2, 1);
        let batch = queue.take();
        queue.push(3, 1);
        assert_eq!((values(&batch), queue.len()), (vec![1, 2], 3));
        drop(batch);
        let batch = queue.take();
        assert_eq!(values(&batch), [1, 2, 3]);
        batch.done();
        assert_eq!((queue.len(), queue.take().is_empty()), (0, true));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_what_is_out_keeps_its_room() {
        let queue = Queue::new(2);
        queue.push(1, 1);
        queue.push(2, 1);
        let batch = queue.take();
        queue.push(3, 1);
        drop(batch);
        assert_eq!(
            (queue.len(), queue.take_lost(), queue.take_lost()),
            (2, 1, 0)
        );
        queue.take().done();
        queue.push(4, BYTES);
        queue.push(5, 1);
        assert_eq!((values(&queue.take()), queue.take_lost()), (vec![4], 1));
    }
}
