use crate::store::{LogAnswer, Version};
use std::collections::VecDeque;

/// A log of bounded length. An entry of nothing marks a position that others may start from.
#[derive(Debug)]
pub(super) struct Log<E> {
    records: VecDeque<(Version, Option<E>)>,
    max: usize,
}

impl<E: Clone> Log<E> {
    pub(super) fn new(max: usize) -> Self {
        Self {
            records: VecDeque::new(),
            max: max.max(1),
        }
    }

    pub(super) fn push(&mut self, version: Version, entry: E) {
        self.records.push_back((version, Some(entry)));
        while self.records.len() > self.max {
            self.records.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
    }

    /// The entries after a position, or the present end alone. An empty log gets an origin first, so
    /// that there is always an entry whose absence tells later that something was lost.
    pub(super) fn answer(
        &mut self,
        after: Option<Version>,
        limit: usize,
        origin: impl FnOnce() -> Version,
    ) -> LogAnswer<E> {
        let position = match self.records.back() {
            Some((last, _)) => *last,
            None => {
                let version = origin();
                self.records.push_back((version, None));
                version
            }
        };
        let none = |gap| LogAnswer {
            position,
            entries: Vec::new(),
            gap,
        };
        let Some(after) = after else {
            return none(false);
        };
        let first = self
            .records
            .partition_point(|(version, _)| *version < after);
        if self
            .records
            .get(first)
            .is_none_or(|(version, _)| *version != after)
        {
            return none(true);
        }
        let newer = self
            .records
            .range(first..)
            .filter(|(version, _)| *version > after);
        let entries: Vec<E> = newer
            .filter_map(|(_, entry)| entry.clone())
            .take(limit.saturating_add(1))
            .collect();
        if entries.len() > limit {
            return none(true);
        }
        LogAnswer {
            position,
            entries,
            gap: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &mut Log<char>, after: Option<Version>, limit: usize) -> (Version, String, bool) {
        let answer = log.answer(after, limit, || 5);
        (
            answer.position,
            answer.entries.into_iter().collect(),
            answer.gap,
        )
    }

    #[test]
    fn positions_that_are_gone_are_gaps() {
        let mut log = Log::new(3);
        assert_eq!(read(&mut log, None, 9), (5, String::new(), false));
        log.push(10, 'a');
        log.push(10, 'b');
        assert_eq!(read(&mut log, Some(5), 9), (10, "ab".into(), false));
        assert_eq!(
            read(&mut log, Some(5), 1),
            (10, String::new(), true),
            "too many"
        );
        assert_eq!(read(&mut log, Some(10), 0), (10, String::new(), false));
        log.push(12, 'c');
        assert_eq!(
            read(&mut log, Some(5), 9),
            (12, String::new(), true),
            "trimmed"
        );
        assert_eq!(read(&mut log, Some(10), 9), (12, "c".into(), false));
        for unknown in [0, 9, 11, 13, u64::MAX] {
            assert_eq!(read(&mut log, Some(unknown), 9), (12, String::new(), true));
        }
        log.clear();
        assert_eq!(
            read(&mut log, Some(12), 9),
            (5, String::new(), true),
            "lost"
        );
    }
}
