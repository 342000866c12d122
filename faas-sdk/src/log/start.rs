use super::describe::describe;
use crate::config::{Config, Environment, LogConfig};
use crate::error::Result;
use crate::platform;
use faas_sdk_core::{Deployment, Env};
use faas_sdk_log::{Builder, LogLayer, Profile};

/// Sets the program's subscriber, unless it has set one itself. Lines go to standard output, or to
/// standard error where standard output is for the answer of a single call.
pub(crate) fn start(
    env: &Env,
    config: &Config,
    platform: &'static str,
    deployment: &Deployment,
    one_shot: bool,
) {
    let mut builder = builder(env, config, platform, deployment);
    if one_shot {
        // The adapter shows the error of the call itself.
        builder = builder
            .stderr()
            .debug_ring(0)
            .default_filter("warn,faas_sdk::invoke=off");
    }
    #[cfg(feature = "otlp")]
    let (builder, error) = super::export::configure(builder, env, config.otlp());
    // A program that has its own subscriber wants it.
    drop(builder.init());
    #[cfg(feature = "otlp")]
    if let Some(error) = error {
        tracing::error!(error = faas_sdk_log::err(&error), "nothing is exported");
    }
}

/// The layer that [`start`](crate::start) and [`run`](crate::run) set, for programs that put layers of
/// their own beside it. It is to be set before those are called, which then leave the subscriber
/// alone. Spans and log lines are not exported by it.
///
/// ```no_run
/// # use faas_sdk::prelude::*;
/// use tracing_subscriber::prelude::*;
///
/// # async fn hello(_: (), _: Context) -> Result<()> { Ok(()) }
/// # fn main() -> Result<()> {
/// tracing_subscriber::registry().with(faas_sdk::log::layer()?).init();
/// faas_sdk::start(hello);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The platform can't be told, or the configuration can't be read.
pub fn layer() -> Result<LogLayer> {
    let env = Env::process();
    let adapter = platform::choose(&env)?;
    let config = Config::load(&Environment::with_variables(&env))?;
    let deployment = adapter.deployment(&env);
    Ok(builder(&env, &config, adapter.name(), &deployment).layer())
}

fn builder(env: &Env, config: &Config, platform: &'static str, deployment: &Deployment) -> Builder {
    let (variables, log) = (env.clone(), config.log());
    let mut builder = faas_sdk_log::builder()
        .variables(move |name| variables.get(name).map(str::to_owned))
        .describe(describe)
        .platform_level(deployment.log_level.as_deref())
        .origin(|origin| {
            let own = |text: &Option<String>| text.clone().map(Into::into);
            origin.service = own(&log.service);
            origin.env = own(&log.env);
            origin.function = own(&deployment.function);
            origin.function_version = own(&deployment.version);
            origin.platform = Some(platform.into());
            origin.region = own(&deployment.region);
            origin.instance = own(&deployment.instance);
        })
        .debug_ring(log.debug_ring_bytes)
        .debug_sample(log.debug_sample)
        .write_timeout(log.write_timeout());
    builder = profile(builder, log, deployment.log_profile);
    for key in &log.redact {
        builder = builder.redact(key);
    }
    for key in &log.redact_never {
        builder = builder.redact_never(key);
    }
    if let Some(project) = &log.google_project {
        builder = builder.google_project(project);
    }
    if let Some(namespace) = &log.metrics_namespace {
        builder = builder.metrics_namespace(namespace);
    }
    builder
}

/// The form of lines: the one that is configured, else text at a terminal, else the platform's.
fn profile(builder: Builder, config: &LogConfig, platforms: &str) -> Builder {
    let wanted = config.format.profile().or_else(|| {
        // Without a profile the builder looks whether there is a terminal.
        Profile::named(platforms).filter(|profile| profile.name() != Profile::V1.name())
    });
    match (wanted, config.line_limit_bytes) {
        (Some(profile), Some(limit)) => builder.profile(profile.with_line_limit(limit)),
        (Some(profile), None) => builder.profile(profile),
        (None, Some(limit)) => builder.line_limit(limit),
        (None, None) => builder,
    }
}
