use crate::app::IntoApp;
use crate::config::{Config, Environment};
use crate::error::Result;
use faas_sdk_core::Env;
use faas_sdk_testkit::behaviour::{Answer, Served, Subject};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Serves an app on every platform that is compiled in, each with a fake that stands for the
/// platform, and runs `check` on each: over real sockets, through the platform's own messages.
///
/// ```
/// use faas_sdk::prelude::*;
/// use faas_sdk::testing::every_platform;
///
/// async fn double(number: u32, _cx: Context) -> Result<u32> {
///     Ok(number * 2)
/// }
///
/// # #[tokio::main]
/// # async fn main() {
/// every_platform("double", || double, |platform| async move {
///     assert_eq!(platform.call(&21).await.unwrap(), 42);
///     let failure = platform.call(&"many").await.unwrap_err();
///     assert_eq!(failure.name, "InvalidInput", "on {}", platform.name());
/// })
/// .await;
/// # }
/// ```
///
/// # Panics
///
/// If a platform can't be started or does not end in order, and if `check` panics.
pub async fn every_platform<A, M, F, Fut>(function: &str, app: impl Fn() -> A, check: F)
where
    A: IntoApp<M>,
    F: Fn(OnPlatform) -> Fut,
    Fut: Future<Output = ()>,
{
    for subject in subjects(function) {
        let name = subject.name();
        let env = Env::from_iter([("FAAS_FUNCTION", function)]);
        let config = Config::load(&Environment::with_variables(&env));
        let program = app().into_app().into_program(name, None, env, config);
        let served = subject.start(program, None).await;
        let served = served.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        check(OnPlatform {
            name,
            served: Arc::clone(&served),
        })
        .await;
        served.stop();
        served
            .ended()
            .await
            .unwrap_or_else(|error| panic!("{name} ended with {error}"));
    }
}

/// The adapters that are compiled in, each with its caller.
#[allow(unused_variables, reason = "unused when no adapter is compiled in")]
fn subjects(function: &str) -> Vec<Box<dyn Subject>> {
    vec![
        #[cfg(feature = "platform-aws-lambda")]
        Box::new(faas_sdk_testkit::behaviour::Lambda::new(
            faas_sdk_adapter_aws_lambda::AwsLambda::new,
        )),
        #[cfg(feature = "platform-local")]
        Box::new(faas_sdk_testkit::behaviour::Http::new(
            faas_sdk_adapter_local::Local::new,
            format!("/{function}"),
            faas_sdk_testkit::behaviour::Traits::new(64),
            |address, _| vec![("FAAS_LOCAL_ADDR", address.to_string())],
        )),
    ]
}

/// An app that is being served on one platform.
#[derive(Clone)]
pub struct OnPlatform {
    name: &'static str,
    served: Arc<dyn Served>,
}

/// An error in the platform's own form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The error's code in camel case, for example `InvalidInput`; empty if there was no answer
    /// that the platform would understand.
    pub name: String,
    /// Its message.
    pub message: String,
}

impl OnPlatform {
    /// The platform's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Calls the function, and gives its answer as JSON, or as text if it is none.
    ///
    /// # Errors
    ///
    /// The function's, as the platform tells it.
    pub async fn call(&self, input: &(impl Serialize + ?Sized)) -> Result<Value, Failure> {
        let failure = |name: &str, message: String| Failure {
            name: name.to_owned(),
            message,
        };
        let payload = serde_json::to_vec(input).map_err(|error| failure("", error.to_string()))?;
        match self.served.call(payload.into()).await {
            Answer::Reply(reply) => Ok(serde_json::from_slice(&reply)
                .unwrap_or_else(|_| String::from_utf8_lossy(&reply).into_owned().into())),
            Answer::Failed { name, message } => Err(Failure { name, message }),
            other => Err(failure("", format!("{other:?}"))),
        }
    }
}

impl fmt::Debug for OnPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnPlatform")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
