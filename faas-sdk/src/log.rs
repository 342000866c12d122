//! Log lines in text, until the log standard takes its place.

use faas_sdk_core::Env;
use std::io::IsTerminal;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Writes log lines to standard output, or to standard error where standard output is for the
/// answer of a single call. Does nothing if the program has set a subscriber already.
///
/// The filter is `FAAS_LOG`, else `RUST_LOG`, else `info`.
pub(crate) fn init(env: &Env, one_shot: bool) {
    let wanted = ["FAAS_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|name| Some((name, env.get(name)?)));
    let parsed = wanted.map(|(name, text)| (name, text.parse::<Targets>()));
    let (filter, bad) = match parsed {
        Some((_, Ok(filter))) => (filter, None),
        Some((name, Err(error))) => (
            Targets::new().with_default(tracing::Level::INFO),
            Some((name, error)),
        ),
        // The adapter shows the error of the call itself.
        None if one_shot => {
            let own = (
                "faas_sdk::invocation",
                tracing_subscriber::filter::LevelFilter::OFF,
            );
            (
                Targets::new()
                    .with_default(tracing::Level::WARN)
                    .with_targets([own]),
                None,
            )
        }
        None => (Targets::new().with_default(tracing::Level::INFO), None),
    };
    let layer = tracing_subscriber::fmt::layer();
    let registry = tracing_subscriber::registry().with(filter);
    let set = if one_shot {
        let colours = std::io::stderr().is_terminal();
        registry
            .with(layer.with_ansi(colours).with_writer(std::io::stderr))
            .try_init()
    } else {
        registry
            .with(layer.with_ansi(std::io::stdout().is_terminal()))
            .try_init()
    };
    if set.is_ok()
        && let Some((variable, error)) = bad
    {
        tracing::warn!(variable, %error, "the log filter does not parse; lines from INFO on are shown");
    }
}
