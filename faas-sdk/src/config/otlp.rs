use std::time::Duration;

use serde::Deserialize;

use super::invoke::milliseconds;

/// Where spans and log records are exported to: section `[otlp]`. OpenTelemetry's own variables, such
/// as `OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_EXPORTER_OTLP_HEADERS`, count before it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct OtlpConfig {
    /// The receiver, for example `http://localhost:4318`; default none, and nothing is exported.
    pub endpoint: Option<String>,
    /// Whether log lines are exported, too; default yes.
    pub logs: bool,
    /// Where the process keeps running between invocations: how long spans and log records may wait,
    /// in milliseconds; default 5000. Elsewhere they are sent before the instance may freeze.
    #[serde(deserialize_with = "milliseconds")]
    pub interval_ms: u64,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            logs: true,
            interval_ms: 5000,
        }
    }
}

impl OtlpConfig {
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }
}
