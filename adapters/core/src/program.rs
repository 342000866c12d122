use crate::{Env, Hooks, Invoke, Stop};
use std::sync::Arc;
use std::time::Duration;

/// What a platform adapter is given to serve.
#[derive(Clone)]
#[non_exhaustive]
pub struct Program {
    /// Answers every invocation.
    pub invoke: Arc<dyn Invoke>,
    /// What runs at which moment of the instance's life.
    pub hooks: Hooks,
    /// The limits that were configured.
    pub settings: Settings,
    /// The environment of the process.
    pub env: Env,
    /// The arguments of the process, without its name.
    pub arguments: Vec<String>,
    /// What can be called, for listings.
    pub entries: Vec<Entry>,
    /// Asks the adapter to stop. `None`: the adapter follows the process's signals itself.
    pub stop: Option<Stop>,
}

/// One thing that can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// An example of its input as JSON, if it is known.
    pub example: Option<String>,
}

/// What can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A function of this name.
    Function(String),
    /// An HTTP route: method (`None`: any) and path pattern.
    Route(Option<http::Method>, String),
    /// A subscription to events.
    Subscription(String),
}

impl Entry {
    /// Something that can be called, without an example.
    #[must_use]
    pub fn new(kind: EntryKind) -> Self {
        Self {
            kind,
            example: None,
        }
    }

    /// Adds an example of its input as JSON.
    #[must_use]
    pub fn with_example(mut self, example: Option<String>) -> Self {
        self.example = example;
        self
    }
}

/// Limits that hold on every platform.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How long before the platform's deadline a handler is cancelled. Default: 150 ms.
    pub reserve: Duration,
    /// How long work that is under way may take after a stop signal. Default: 8 s.
    pub drain: Duration,
    /// How long the end of an invocation may take. Default: 1 s.
    pub end: Duration,
    /// The largest request body. `None`: the platform's own limit.
    pub max_body: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reserve: Duration::from_millis(150),
            drain: Duration::from_secs(8),
            end: Duration::from_secs(1),
            max_body: None,
        }
    }
}

impl Program {
    /// A program with no hooks, default settings and an empty environment.
    #[must_use]
    pub fn new(invoke: Arc<dyn Invoke>) -> Self {
        Self {
            invoke,
            hooks: Hooks::default(),
            settings: Settings::default(),
            env: Env::default(),
            arguments: Vec::new(),
            entries: Vec::new(),
            stop: None,
        }
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("hooks", &self.hooks)
            .field("settings", &self.settings)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}
