//! Reads logs, which are streams.

use super::reply::{Entry, entries};
use crate::store::{Change, ChangeKind, LogAnswer, NewGeneration, StoreError, Version};
use faas_sdk_redis::redis::{Pipeline, Value};

/// The most entries that are ever asked for: what is longer is a gap.
const MOST: usize = 1 << 20;

/// A question to a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    after: Option<Version>,
    limit: usize,
}

impl Question {
    /// Asks for at most so many entries after a position, or for the end alone.
    pub(super) fn new(after: Option<Version>, limit: usize) -> Self {
        Self {
            after,
            limit: limit.min(MOST),
        }
    }

    /// Adds the commands whose replies [`Question::take`] takes.
    pub(super) fn ask(self, log: &str, pipeline: &mut Pipeline) {
        if let Some(after) = self.after {
            // With the entry at the position, by which a gap is noticed, and one over the limit.
            let count = self.limit + 2;
            pipeline
                .cmd("XRANGE")
                .arg(log)
                .arg(after)
                .arg("+")
                .arg("COUNT")
                .arg(count);
        }
        pipeline
            .cmd("XREVRANGE")
            .arg(log)
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1);
    }

    /// Takes the replies. `None`: the log is empty and needs an origin.
    pub(super) fn take<E>(
        self,
        replies: &mut impl Iterator<Item = Value>,
        meaning: fn(Entry) -> Option<Vec<E>>,
    ) -> Result<Option<LogAnswer<E>>, StoreError> {
        let mut next = || {
            entries(
                replies
                    .next()
                    .ok_or(StoreError::Garbled("too few replies"))?,
            )
        };
        let range = match self.after {
            Some(after) => Some((after, next()?)),
            None => None,
        };
        let Some(Entry { version: end, .. }) = next()?.pop() else {
            return Ok(None);
        };
        Ok(Some(match range {
            None => LogAnswer {
                position: end,
                entries: Vec::new(),
                gap: false,
            },
            Some((after, range)) => self.since(after, range, meaning).unwrap_or(LogAnswer {
                position: end,
                entries: Vec::new(),
                gap: true,
            }),
        }))
    }

    /// What has happened after a position; `None` if that cannot be told.
    fn since<E>(
        self,
        after: Version,
        range: Vec<Entry>,
        meaning: fn(Entry) -> Option<Vec<E>>,
    ) -> Option<LogAnswer<E>> {
        let (first, position) = (range.first()?.version, range.last()?.version);
        if first != after || range.len() > self.limit + 1 {
            return None;
        }
        let mut entries = Vec::with_capacity(range.len() - 1);
        for entry in range.into_iter().filter(|entry| entry.version > after) {
            // What is not understood may mean anything.
            entries.extend(meaning(entry)?);
        }
        (entries.len() <= self.limit).then_some(LogAnswer {
            position,
            entries,
            gap: false,
        })
    }
}

/// The changes that an entry of a shard's log stands for.
pub(super) fn changes(entry: Entry) -> Option<Vec<Change>> {
    let mut changes = Vec::with_capacity(1);
    for (field, key) in entry.fields {
        let kind = match &field[..] {
            b"r" => ChangeKind::Replaced,
            b"x" => ChangeKind::Expired,
            b"o" => continue,
            _ => return None,
        };
        changes.push(Change {
            version: entry.version,
            key,
            kind,
        });
    }
    Some(changes)
}

/// The names that an entry of the log of generations stands for.
pub(super) fn generations(entry: Entry) -> Option<Vec<NewGeneration>> {
    let mut new = Vec::with_capacity(entry.fields.len());
    for (field, name) in entry.fields {
        match &field[..] {
            b"n" => new.push(NewGeneration {
                name: String::from_utf8(name.into()).ok()?,
                generation: entry.version,
            }),
            b"o" => {}
            _ => return None,
        }
    }
    Some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn stream(entries: &[(u64, &str, &str)]) -> Value {
        let entry = |(version, field, value): &(u64, &str, &str)| {
            let fields = Value::Array(vec![text(field), text(value)]);
            Value::Array(vec![text(&format!("{version}-0")), fields])
        };
        Value::Array(entries.iter().map(entry).collect())
    }

    fn take(limit: usize, range: &[(u64, &str, &str)], end: u64) -> LogAnswer<Change> {
        let mut replies = [stream(range), stream(&[(end, "r", "end")])].into_iter();
        let answer = Question::new(Some(5), limit).take(&mut replies, changes);
        answer.expect("well formed").expect("not empty")
    }

    #[test]
    fn gaps_are_noticed() {
        let complete = take(2, &[(5, "o", ""), (6, "r", "a"), (7, "x", "b")], 9);
        assert_eq!(
            (complete.position, complete.entries.len(), complete.gap),
            (7, 2, false)
        );
        for (limit, range) in [
            (1, &[(5, "o", ""), (6, "r", "a"), (7, "x", "b")][..]),
            (9, &[(6, "r", "a")]),
            (9, &[]),
            (9, &[(5, "o", ""), (6, "?", "unknown")]),
        ] {
            let gap = take(limit, range, 9);
            assert_eq!(
                (gap.position, gap.entries.len(), gap.gap),
                (9, 0, true),
                "{range:?}"
            );
        }
    }

    #[test]
    fn an_empty_log_needs_an_origin() {
        let mut replies = [stream(&[])].into_iter();
        let answer = Question::new(None, 1).take(&mut replies, changes);
        assert!(matches!(answer, Ok(None)));
        let answer = Question::new(None, 1).take(&mut std::iter::empty(), changes);
        assert!(matches!(answer, Err(StoreError::Garbled(_))));
    }

    #[test]
    fn names_that_are_no_text_are_not_understood() {
        let fields = vec![("n".into(), bytes::Bytes::from_static(b"\xFF"))];
        assert_eq!(generations(Entry { version: 1, fields }), None);
    }
}
