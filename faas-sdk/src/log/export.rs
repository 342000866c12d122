//! When spans and log records that wait are sent.

use crate::config::OtlpConfig;
use faas_sdk_core::{Env, Program, Stage};
use faas_sdk_log::{Builder, Otlp, OtlpError, err};
use faas_sdk_scope::{Background, Instance};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Sets the exporter up, if there is an endpoint: in OpenTelemetry's own variables, else in the
/// section `[otlp]`.
pub(super) fn configure(
    builder: Builder,
    env: &Env,
    config: &OtlpConfig,
) -> (Builder, Option<OtlpError>) {
    let variables = |name: &str| {
        let configured = (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| config.endpoint.clone());
        let given = env.get(name).map(str::to_owned);
        given.or_else(|| configured.flatten())
    };
    match Otlp::from_variables(variables) {
        Ok(Some(otlp)) => (builder.otlp(otlp.logs(config.logs)), None),
        Ok(None) => (builder, None),
        Err(error) => (builder, Some(error)),
    }
}

/// Has everything sent before the platform may freeze the instance, and before the process ends.
pub(crate) fn add_hooks(program: &mut Program) {
    let (end, drain) = (program.settings.end, program.settings.drain);
    for (stage, allowance) in [(Stage::BeforeFreeze, end), (Stage::Shutdown, drain)] {
        // What is left of it is for the engine to see that it is over.
        let within = allowance * 9 / 10;
        program.hooks.add(stage, move || async move {
            flush(within).await;
            Ok(())
        });
    }
}

async fn flush(within: Duration) {
    if let Err(error) = faas_sdk_log::flush(within).await {
        tracing::warn!(error = err(&error), "not everything was exported");
    }
}

/// Sends now and then, where the process keeps running.
pub(super) struct Exporter {
    interval: Duration,
    waiting: Arc<AtomicBool>,
}

impl Exporter {
    pub(super) fn new(config: &OtlpConfig) -> Self {
        Self {
            interval: config.interval(),
            waiting: Arc::default(),
        }
    }

    /// Sees to it that what this invocation leaves is sent within the interval.
    pub(super) fn invoked(&self, instance: &Instance) {
        let runs_on = instance.background() == Background::Always;
        if !runs_on || !faas_sdk_log::is_exporting() || self.waiting.swap(true, Ordering::AcqRel) {
            return;
        }
        let (interval, waiting) = (self.interval, Arc::clone(&self.waiting));
        // Nothing is lost with this task: what it has not sent, the hook at the end sends.
        drop(tokio::spawn(async move {
            tokio::time::sleep(interval).await;
            waiting.store(false, Ordering::Release);
            flush(interval).await;
        }));
    }
}
