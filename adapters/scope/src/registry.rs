use crate::cancel::CancelReason;
use crate::{BoxFuture, CatchUnwind};
use std::fmt;

/// How an invocation came to its end, told to what was registered for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The handler answered, with success or with an error.
    Finished,
    /// The invocation was cancelled.
    Cancelled(CancelReason),
}

/// Something that did not end within the allowance of its invocation, or that panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leftover {
    /// The name it was registered under, or the place that spawned it.
    pub name: String,
    /// Whether it panicked; otherwise it was dropped unfinished.
    pub panicked: bool,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.panicked {
            "panicked"
        } else {
            "was dropped unfinished"
        };
        write!(f, "{} {how}", self.name)
    }
}

type Callback = Box<dyn FnOnce(Ending) -> BoxFuture<'static, ()> + Send>;

pub(crate) struct Entry {
    id: u64,
    name: &'static str,
    callback: Callback,
}

/// The callbacks of one invocation, in the order of their registration.
#[derive(Default)]
pub(crate) struct Registry {
    next_id: u64,
    entries: Vec<Entry>,
}

impl Registry {
    pub(crate) fn push(&mut self, name: &'static str, callback: Callback) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push(Entry { id, name, callback });
        id
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.entries.len() < before
    }

    /// Takes over the callbacks of another registry, behind its own and under new ids.
    pub(crate) fn append(&mut self, other: Self) {
        for entry in other.entries {
            self.push(entry.name, entry.callback);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.entries.pop()
    }
}

impl Entry {
    pub(crate) fn leftover(&self) -> Leftover {
        Leftover {
            name: self.name.to_owned(),
            panicked: false,
        }
    }

    /// Runs the callback until `until`.
    pub(crate) async fn run(
        self,
        ending: Ending,
        until: tokio::time::Instant,
    ) -> Result<(), Leftover> {
        let name = self.name;
        let leftover = |panicked| Leftover {
            name: name.to_owned(),
            panicked,
        };
        let callback = self.callback;
        let work = CatchUnwind::new(Box::pin(async move { callback(ending).await }));
        match tokio::time::timeout_at(until, work).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_panic)) => Err(leftover(true)),
            Err(_elapsed) => Err(leftover(false)),
        }
    }
}
