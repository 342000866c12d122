//! Settings of the fake, and their defaults.

use std::time::Duration;

/// The platform's limit for buffered responses: 6 MiB and 100 bytes.
const RESPONSE_LIMIT: usize = 6 * 1024 * 1024 + 100;
const STREAM_LIMIT: usize = 200 * 1024 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) strict: bool,
    pub(super) prefix: String,
    pub(super) slots: usize,
    pub(super) deadline: Duration,
    pub(super) enforce_deadline: bool,
    pub(super) invocation_id: bool,
    pub(super) empty_headers: bool,
    pub(super) response_limit: usize,
    pub(super) stream_limit: usize,
    pub(super) snap_start: bool,
    pub(super) patience: Duration,
    pub(super) keep_requests: usize,
    pub(super) function: String,
}

impl Options {
    pub(super) fn arn(&self) -> String {
        format!(
            "arn:aws:lambda:us-east-1:123456789012:function:{}",
            self.function
        )
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strict: true,
            prefix: String::new(),
            slots: 1,
            deadline: Duration::from_secs(10),
            enforce_deadline: true,
            invocation_id: true,
            empty_headers: false,
            response_limit: RESPONSE_LIMIT,
            stream_limit: STREAM_LIMIT,
            snap_start: false,
            patience: Duration::from_secs(10),
            keep_requests: 10_000,
            function: "function".to_owned(),
        }
    }
}
