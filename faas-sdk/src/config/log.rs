use std::time::Duration;

use serde::Deserialize;

use super::invoke::milliseconds;

/// How log lines are written: section `[log]`. What is written is filtered by the variable
/// `FAAS_LOG`, which may change without the configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LogConfig {
    /// The service that the function belongs to; default the function's name.
    pub service: Option<String>,
    /// The stage it runs in: `prod`, `pre`, …
    pub env: Option<String>,
    /// The form of lines; default `auto`: text at a terminal, the platform's form elsewhere.
    pub format: LogFormat,
    /// Keys whose values are redacted beside the usual ones.
    pub redact: Vec<String>,
    /// Keys whose values are never redacted.
    pub redact_never: Vec<String>,
    /// How many bytes of DEBUG lines are kept for each invocation, to be written if it fails; default
    /// 32768, and 0 for none.
    pub debug_ring_bytes: usize,
    /// The share of traces, from 0 to 1, whose DEBUG lines are written in any case; default 0.
    pub debug_sample: f64,
    /// How long a full output may hold the function up, in milliseconds; default 1000.
    #[serde(deserialize_with = "milliseconds")]
    pub write_timeout_ms: u64,
    /// The longest line, in bytes; default the platform's.
    pub line_limit_bytes: Option<usize>,
    /// The Google Cloud project, which trace names need there.
    pub google_project: Option<String>,
    /// The namespace of metrics in CloudWatch's embedded format; default the service.
    pub metrics_namespace: Option<String>,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// Text at a terminal, the platform's form elsewhere.
    #[default]
    Auto,
    /// The standard.
    V1,
    /// The standard, with CloudWatch's metrics and X-Ray's trace id.
    Aws,
    /// Google Cloud Logging's keys.
    Google,
    /// The standard, between the lines that Alibaba Cloud marks invocations by.
    Alibaba,
    /// Text.
    Pretty,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            service: None,
            env: None,
            format: LogFormat::Auto,
            redact: Vec::new(),
            redact_never: Vec::new(),
            debug_ring_bytes: 32 << 10,
            debug_sample: 0.0,
            write_timeout_ms: 1000,
            line_limit_bytes: None,
            google_project: None,
            metrics_namespace: None,
        }
    }
}

impl LogConfig {
    pub(crate) fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms)
    }
}

impl LogFormat {
    /// The profile that is asked for by name.
    pub(crate) fn profile(self) -> Option<faas_sdk_log::Profile> {
        use faas_sdk_log::Profile;
        match self {
            Self::Auto => None,
            Self::V1 => Some(Profile::V1),
            Self::Aws => Some(Profile::AWS),
            Self::Google => Some(Profile::GOOGLE),
            Self::Alibaba => Some(Profile::ALIBABA),
            Self::Pretty => Some(Profile::PRETTY),
        }
    }
}
