use crate::codec::RuntimeApi;
use crate::environment::{Environment, NAME, RUNTIME_API, concurrency};
use crate::extension;
use faas_sdk_core::{Deployment, Detection, Env, Platform, Program, Result, Stage, Stop};
use faas_sdk_pull::{Engine, Profile};
use faas_sdk_scope::{Background, Clock, Instance, SystemClock};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// After this long without an invocation, pooled sockets are taken for dead: the monotonic clock
/// runs on through a freeze here, so that only the idle time shows it.
const IDLE_GAP: Duration = Duration::from_secs(30);

/// AWS Lambda's Runtime API.
#[derive(Debug, Default)]
pub struct AwsLambda {
    clock: Mutex<Option<BoxClock>>,
    post_timeout: Option<Duration>,
}

/// A clock that has lost its type.
struct BoxClock(Box<dyn Clock>);

impl Clock for BoxClock {
    fn now(&self) -> faas_sdk_scope::Stamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

impl std::fmt::Debug for BoxClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl AwsLambda {
    /// The platform on the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The platform on another clock, for tests of freezes.
    #[must_use]
    pub fn with_clock(clock: impl Clock) -> Self {
        Self {
            clock: Mutex::new(Some(BoxClock(Box::new(clock)))),
            post_timeout: None,
        }
    }

    /// The longest wait for the Runtime API to take an answer. Default: 10 s.
    #[must_use]
    pub fn post_timeout(mut self, timeout: Duration) -> Self {
        self.post_timeout = Some(timeout);
        self
    }

    fn instance(&self, frozen: bool) -> Arc<Instance> {
        let clock = self
            .clock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let clock = clock.unwrap_or_else(|| BoxClock(Box::new(SystemClock)));
        let builder = Instance::builder().clock(clock);
        if frozen {
            builder
                .background(Background::HookWindow)
                .idle_gap(Some(IDLE_GAP))
                .build()
        } else {
            builder.build()
        }
    }
}

impl Platform for AwsLambda {
    fn name(&self) -> &'static str {
        NAME
    }

    fn detect(&self, env: &Env) -> Detection {
        match env.get(RUNTIME_API) {
            Some(_) => Detection::Certain(RUNTIME_API),
            None => Detection::No,
        }
    }

    fn deployed_as(&self, env: &Env) -> Option<Vec<String>> {
        let names = ["_HANDLER", "AWS_LAMBDA_FUNCTION_NAME"].into_iter();
        Some(
            names
                .filter_map(|name| env.get(name))
                .map(str::to_owned)
                .collect(),
        )
    }

    fn deployment(&self, env: &Env) -> Deployment {
        let text = |name: &str| env.get(name).map(str::to_owned);
        let mut deployment = Deployment::new();
        deployment.function = text("AWS_LAMBDA_FUNCTION_NAME");
        deployment.version = text("AWS_LAMBDA_FUNCTION_VERSION");
        deployment.region = text("AWS_REGION");
        // One execution environment has one log stream.
        deployment.instance = text("AWS_LAMBDA_LOG_STREAM_NAME");
        deployment.log_profile = "aws";
        // The level comes with the JSON format only; lines are JSON in any case.
        let json = env.get("AWS_LAMBDA_LOG_FORMAT") == Some("JSON");
        deployment.log_level = text("AWS_LAMBDA_LOG_LEVEL").filter(|_| json);
        deployment
    }

    async fn serve(&self, program: Program) -> Result<()> {
        let environment = Environment::read(&program.env)?;
        let endpoint = Arc::clone(&environment.endpoint);
        let mut profile = Profile::default();
        let concurrency = match concurrency(&program.env) {
            Ok(concurrency) => concurrency,
            Err(error) => {
                let engine = Engine::new(RuntimeApi { environment }, profile);
                engine.report_init_error(&error).await;
                return Err(error);
            }
        };
        profile.slots = concurrency.unwrap_or(NonZeroUsize::MIN);
        if let Some(timeout) = self.post_timeout {
            profile.post_timeout = timeout;
        }
        let instance = self.instance(concurrency.is_none());
        let stop = program.stop.clone().unwrap_or_else(Stop::on_signals);
        // Kept until serving ends, so that the platform sees its extension waiting.
        let _extension = if program.hooks.has(Stage::Shutdown) {
            match extension::register(&endpoint).await {
                Ok(waiting) => Some(waiting),
                Err(error) => {
                    let error: &(dyn std::error::Error + 'static) = &error;
                    tracing::warn!(error, "shutdown hooks will not run on this instance");
                    None
                }
            }
        } else {
            None
        };
        Engine::new(RuntimeApi { environment }, profile)
            .instance(instance)
            .stop(stop)
            .serve(program)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_level_counts_with_the_json_format_alone() {
        let level = |format: Option<&str>| {
            let mut env = Env::from_iter([("AWS_LAMBDA_LOG_LEVEL", "ERROR")]);
            env.extend(format.map(|format| ("AWS_LAMBDA_LOG_FORMAT", format)));
            AwsLambda::new().deployment(&env).log_level
        };
        assert_eq!(level(Some("JSON")).as_deref(), Some("ERROR"));
        assert_eq!(level(Some("Text")), None);
        assert_eq!(level(None), None);
    }
}
