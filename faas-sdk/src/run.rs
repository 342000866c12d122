use crate::app::IntoApp;
use crate::config::{Config, Environment};
use crate::error::{Error, Result};
use crate::platform::{self, Adapter, Flavour};
use faas_sdk_core::{Env, Program};

/// Runs an app or a single function until the platform ends it: a whole `main`.
///
/// It makes the tokio runtime that suits the platform, which is chosen from the adapters that are
/// compiled in. If the app can't be served, or a call from the command line failed, the process
/// ends with exit code 1; with 2 if its arguments were wrong.
///
/// ```no_run
/// use faas_sdk::prelude::*;
///
/// async fn hello(name: String, _cx: Context) -> Result<String> {
///     Ok(format!("Hello, {name}!"))
/// }
///
/// fn main() {
///     faas_sdk::start(hello);
/// }
/// ```
pub fn start<M>(app: impl IntoApp<M>) {
    let result = prepare(app).and_then(|(adapter, program)| {
        let runtime = runtime(adapter.flavour())?;
        let result = runtime.block_on(adapter.serve(program));
        // What still runs has had its drain time; blocking work may not hold the process up.
        runtime.shutdown_background();
        Ok(result?)
    });
    if let Err(error) = result {
        report(&error);
        std::process::exit(exit_code(&error));
    }
}

/// Runs an app or a single function on the caller's own tokio runtime, which needs its I/O and
/// time drivers, until the platform ends it. Dropping the future ends it at once, with everything
/// that is under way.
///
/// # Errors
///
/// What kept the app from being served. It has been reported to the platform where that is
/// possible, but not been printed.
pub async fn run<M>(app: impl IntoApp<M>) -> Result<()> {
    let (adapter, program) = prepare(app)?;
    // A task of its own: on a multi-thread runtime the caller's future runs outside of the worker
    // threads, and each of its wake-ups would cross threads.
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { adapter.serve(program).await });
    match serving.join_next().await {
        Some(Ok(result)) => Ok(result?),
        Some(Err(error)) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(error.into()),
        },
        None => Ok(()),
    }
}

fn prepare<M>(app: impl IntoApp<M>) -> Result<(Adapter, Program)> {
    let env = Env::process();
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let adapter = platform::choose(&env)?;
    let config = Config::load(&Environment::with_variables(&env));
    #[cfg(feature = "log")]
    {
        // What is wrong with the configuration is to be logged, too.
        let or_default = Config::default();
        let settings = config.as_ref().unwrap_or(&or_default);
        let (name, deployment) = (adapter.name(), adapter.deployment(&env));
        crate::log::start(&env, settings, name, &deployment, one_shot(&arguments));
    }
    faas_sdk_core::capture_panics();
    let deployed = adapter.deployed_as(&env);
    let app = app.into_app();
    let mut program = app.into_program(adapter.name(), deployed, env, config);
    program.arguments = arguments;
    #[cfg(feature = "otlp")]
    crate::log::add_hooks(&mut program);
    Ok((adapter, program))
}

/// Whether standard output is for the answer of a single call.
#[cfg(feature = "log")]
fn one_shot(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|word| word == "invoke")
}

fn runtime(flavour: Flavour) -> Result<tokio::runtime::Runtime> {
    let mut builder = match flavour {
        Flavour::CurrentThread => tokio::runtime::Builder::new_current_thread(),
        #[cfg(feature = "platform-local")]
        Flavour::MultiThread => tokio::runtime::Builder::new_multi_thread(),
    };
    Ok(builder.enable_all().build()?)
}

#[allow(
    clippy::print_stderr,
    reason = "the last words of a process that could not start"
)]
fn report(error: &Error) {
    // A failed call from the command line has been shown already.
    if error.code() == "reported" {
        return;
    }
    eprintln!("error: {error}");
    for cause in error.causes() {
        eprintln!("  caused by: {cause}");
    }
}

/// 2 for wrong arguments, as command line tools have it, and 1 for everything else.
fn exit_code(error: &Error) -> i32 {
    if error.code() == "usage" { 2 } else { 1 }
}
