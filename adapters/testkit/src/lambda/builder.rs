//! How a test sets the fake up.

use std::io;
use std::time::Duration;

use super::api::FakeRuntimeApi;
use super::options::Options;

/// Settings of a [`FakeRuntimeApi`] before it starts.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    options: Options,
}

impl Builder {
    /// Does without state checks, `Host` and announced trailers: the runtime may do things in any order. Unknown and
    /// second answers are still refused. Default: strict.
    pub fn lenient(mut self) -> Self {
        self.options.strict = false;
        self
    }

    /// Serves below a path such as `/.rt/fn`, as some local emulators do. Default: none.
    pub fn path_prefix(mut self, prefix: &str) -> Self {
        let trimmed = prefix.trim_matches('/');
        self.options.prefix = if trimmed.is_empty() {
            String::new()
        } else {
            format!("/{trimmed}")
        };
        self
    }

    /// Invocations the runtime may hold at once, at least 1. Default: 1, the sequential mode.
    pub fn slots(mut self, slots: usize) -> Self {
        self.options.slots = slots.max(1);
        self
    }

    /// Time the runtime has for an event that names none. Default: 10 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// Whether an invocation times out at its deadline and a later answer gets `410`. Default: true.
    pub fn enforce_deadline(mut self, enforce: bool) -> Self {
        self.options.enforce_deadline = enforce;
        self
    }

    /// Whether `next` carries `Lambda-Runtime-Invocation-Id` and its echo is checked. Default: true.
    pub fn invocation_id(mut self, on: bool) -> Self {
        self.options.invocation_id = on;
        self
    }

    /// Whether optional headers an event does not set are sent with an empty value. Default: false.
    pub fn empty_headers(mut self, on: bool) -> Self {
        self.options.empty_headers = on;
        self
    }

    /// Most bytes of a buffered response and of an error body. Default: 6 MiB and 100 bytes.
    pub fn response_limit(mut self, bytes: usize) -> Self {
        self.options.response_limit = bytes;
        self
    }

    /// Most bytes of a streamed response. Default: 200 MiB.
    pub fn stream_limit(mut self, bytes: usize) -> Self {
        self.options.stream_limit = bytes;
        self
    }

    /// Whether the restore calls of SnapStart exist. Default: false.
    pub fn snap_start(mut self, on: bool) -> Self {
        self.options.snap_start = on;
        self
    }

    /// How long the fake waits for a half-sent request, for a condition of a test and, beyond the deadline, for an
    /// outcome. Default: 10 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.options.patience = patience;
        self
    }

    /// How many of the newest requests are kept for inspection. Default: 10,000.
    pub fn keep_requests(mut self, count: usize) -> Self {
        self.options.keep_requests = count;
        self
    }

    /// The function's name, part of its ARN. Default: `function`.
    pub fn function(mut self, name: impl Into<String>) -> Self {
        self.options.function = name.into();
        self
    }

    /// Starts to serve on a free port of `127.0.0.1`, on tasks of the current tokio runtime.
    ///
    /// Cancel-safe: a dropped future leaves nothing behind.
    ///
    /// # Errors
    /// If no port can be bound.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time, as every tokio socket does.
    pub async fn start(self) -> io::Result<FakeRuntimeApi> {
        FakeRuntimeApi::start(self.options).await
    }
}

impl FakeRuntimeApi {
    /// Settings to start from.
    pub fn builder() -> Builder {
        Builder::default()
    }
}
