use super::log::Log;
use super::shard::next;
use crate::store::{LogAnswer, NewGeneration, Version};
use std::collections::HashMap;

/// The generations of names, and their log.
#[derive(Debug)]
pub(super) struct Generations {
    /// The generation of names that have none of their own; 0 until someone asks.
    base: Version,
    names: HashMap<String, Version>,
    log: Log<NewGeneration>,
    last: Version,
    max_names: usize,
}

impl Generations {
    pub(super) fn new(log_length: usize, max_names: usize) -> Self {
        Self {
            base: 0,
            names: HashMap::new(),
            log: Log::new(log_length),
            last: 0,
            max_names,
        }
    }

    pub(super) fn get(&mut self, name: &str, now: u64) -> Version {
        self.start(now);
        self.names.get(name).copied().unwrap_or(self.base)
    }

    pub(super) fn log(
        &mut self,
        after: Option<Version>,
        limit: usize,
        now: u64,
    ) -> LogAnswer<NewGeneration> {
        let last = &mut self.last;
        self.log.answer(after, limit, || next(last, now))
    }

    pub(super) fn advance(&mut self, names: &[&str], now: u64) -> Version {
        self.start(now);
        let generation = next(&mut self.last, now);
        let owned = names.iter().map(|&name| (name.to_owned(), generation));
        self.names.extend(owned);
        if self.names.len() > self.max_names {
            // A new base makes everything stale once; without the log, readers forget what they know.
            self.names.clear();
            self.log.clear();
            self.base = generation;
        }
        for &name in names {
            self.log.push(
                generation,
                NewGeneration {
                    name: name.to_owned(),
                    generation,
                },
            );
        }
        generation
    }

    pub(super) fn clear(&mut self) {
        self.base = 0;
        self.names.clear();
        self.log.clear();
    }

    pub(super) fn trim_log(&mut self) {
        self.log.clear();
    }

    fn start(&mut self, now: u64) {
        if self.base == 0 {
            self.base = next(&mut self.last, now);
        }
    }
}
