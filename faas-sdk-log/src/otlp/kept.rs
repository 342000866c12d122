use super::record::Record;
use std::collections::VecDeque;

/// The records of the last lines that are only written if the invocation fails. It keeps those whose
/// lines [`Ring`](crate::ring::Ring) keeps.
#[derive(Debug, Default)]
pub(super) struct Kept {
    records: VecDeque<(Record, usize)>,
    bytes: usize,
}

impl Kept {
    /// Keeps the record of a line of so many bytes.
    pub(super) fn push(&mut self, record: Record, line: usize, capacity: usize) {
        if line > capacity {
            return;
        }
        while self.bytes + line > capacity {
            let Some((_, dropped)) = self.records.pop_front() else {
                break;
            };
            self.bytes -= dropped;
        }
        self.bytes += line;
        self.records.push_back((record, line));
    }

    /// Gives the records, the oldest first, and forgets them.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Record> + use<> {
        let kept = std::mem::take(self);
        kept.records.into_iter().map(|(record, _)| record)
    }
}
