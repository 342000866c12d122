use std::time::Duration;

use serde::Deserialize;

use super::invoke::milliseconds;

/// How values are cached: section `[cache]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CacheConfig {
    /// What sets this app's keys apart from those of others in the same Redis; default `faas`.
    /// Functions with the same namespace share what they cache.
    pub namespace: String,
    /// How many bytes this process may hold; default a sixteenth of the instance's memory, at least
    /// 4 MiB and at most 1 GiB.
    pub capacity_bytes: Option<u64>,
    /// The largest value this process keeps, in bytes; default an eighth of the capacity.
    pub entry_cap_bytes: Option<usize>,
    /// The largest value that is written to or read from Redis, in bytes; default 1 MiB.
    pub value_cap_bytes: usize,
    /// How long another instance's change may go unnoticed, in milliseconds; default 1000.
    #[serde(deserialize_with = "milliseconds")]
    pub verify_after_ms: u64,
    /// How long a call of Redis may take, in milliseconds; default 500.
    #[serde(deserialize_with = "milliseconds")]
    pub remote_timeout_ms: u64,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            namespace: "faas".to_owned(),
            capacity_bytes: None,
            entry_cap_bytes: None,
            value_cap_bytes: 1 << 20,
            verify_after_ms: 1000,
            remote_timeout_ms: 500,
        }
    }
}

impl CacheConfig {
    pub(crate) fn builder(&self) -> faas_sdk_cache::CacheBuilder {
        let mut builder = faas_sdk_cache::Cache::builder()
            .value_cap(self.value_cap_bytes)
            .verify_after(Duration::from_millis(self.verify_after_ms))
            .remote_timeout(Duration::from_millis(self.remote_timeout_ms));
        if let Some(bytes) = self.capacity_bytes {
            builder = builder.capacity(bytes);
        }
        if let Some(bytes) = self.entry_cap_bytes {
            builder = builder.entry_cap(bytes);
        }
        builder
    }
}
