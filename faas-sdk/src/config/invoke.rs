use std::num::NonZeroUsize;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// How invocations are run: section `[invoke]`. Times are in milliseconds, at most a day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InvokeConfig {
    /// How long before the platform's deadline a handler is cancelled; default 150.
    #[serde(deserialize_with = "milliseconds")]
    pub reserve_ms: u64,
    /// How many items of an unordered batch are handled at once; default 10.
    pub batch_concurrency: NonZeroUsize,
    /// How long work in flight may take after a stop signal; default 8000.
    #[serde(deserialize_with = "milliseconds")]
    pub drain_ms: u64,
    /// How long the work registered for the end of an invocation may take; default 1000.
    #[serde(deserialize_with = "milliseconds")]
    pub end_ms: u64,
    /// The largest request body or event, in bytes; default `None`, the platform's own limit.
    pub max_body_bytes: Option<u64>,
}

impl Default for InvokeConfig {
    fn default() -> Self {
        Self {
            reserve_ms: 150,
            batch_concurrency: const { NonZeroUsize::new(10).unwrap() },
            drain_ms: 8_000,
            end_ms: 1_000,
            max_body_bytes: None,
        }
    }
}

/// Bounded, because a time that a clock cannot add is a panic far away from here.
pub(super) fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    const DAY: u64 = 86_400_000;
    match u64::deserialize(deserializer)? {
        time @ ..=DAY => Ok(time),
        time => Err(D::Error::invalid_value(
            Unexpected::Unsigned(time),
            &"at most 86400000 milliseconds, a day",
        )),
    }
}
