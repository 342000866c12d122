use super::describe::describe;
use crate::config::LogConfig;
use faas_sdk_core::{Deployment, Env};
use faas_sdk_log::{Builder, Profile};

/// Sets the program's subscriber, unless it has set one itself. Lines go to standard output, or to
/// standard error where standard output is for the answer of a single call.
pub(crate) fn start(
    env: &Env,
    config: &LogConfig,
    platform: &'static str,
    deployment: Deployment,
    one_shot: bool,
) {
    let variables = env.clone();
    let mut builder = faas_sdk_log::builder()
        .variables(move |name| variables.get(name).map(str::to_owned))
        .describe(describe)
        .platform_level(deployment.log_level.clone())
        .origin(|origin| {
            let own = |text: &Option<String>| text.clone().map(Into::into);
            origin.service = own(&config.service);
            origin.env = own(&config.env);
            origin.function = own(&deployment.function);
            origin.function_version = own(&deployment.version);
            origin.platform = Some(platform.into());
            origin.region = own(&deployment.region);
            origin.instance = own(&deployment.instance);
        })
        .debug_ring(config.debug_ring_bytes)
        .debug_sample(config.debug_sample)
        .write_timeout(config.write_timeout());
    builder = profile(builder, config, deployment.log_profile);
    for key in &config.redact {
        builder = builder.redact(key);
    }
    for key in &config.redact_never {
        builder = builder.redact_never(key);
    }
    if let Some(project) = &config.google_project {
        builder = builder.google_project(project);
    }
    if let Some(namespace) = &config.metrics_namespace {
        builder = builder.metrics_namespace(namespace);
    }
    if one_shot {
        // The adapter shows the error of the call itself.
        builder = builder
            .stderr()
            .debug_ring(0)
            .default_filter("warn,faas_sdk::invoke=off");
    }
    // A program that has its own subscriber wants it.
    drop(builder.init());
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
