//! Which of the compiled adapters serves this process.

use faas_sdk_core::{Detection, Env, Error, ErrorKind, Program, Result};

#[cfg(any(feature = "platform-aws-lambda", feature = "platform-local"))]
use faas_sdk_core::Platform;

macro_rules! adapters {
    ($($(#[$feature:meta])* $variant:ident($adapter:ty) = $value:expr, $flavour:ident;)+) => {
        /// The adapters that are compiled in. Where two are equally likely, the first one wins.
        pub(crate) enum Adapter {
            $($(#[$feature])* $variant($adapter),)+
            /// No adapter is compiled in.
            #[allow(dead_code, reason = "it only stands in where there is no other")]
            None,
        }

        impl Adapter {
            fn all() -> Vec<Self> {
                vec![$($(#[$feature])* Self::$variant($value),)+]
            }

            pub(crate) fn name(&self) -> &'static str {
                match self {
                    $($(#[$feature])* Self::$variant(adapter) => adapter.name(),)+
                    Self::None => "none",
                }
            }

            #[allow(unused_variables, reason = "unused when no adapter is compiled in")]
            fn detect(&self, env: &Env) -> Detection {
                match self {
                    $($(#[$feature])* Self::$variant(adapter) => adapter.detect(env),)+
                    Self::None => Detection::No,
                }
            }

            /// What the platform calls the deployed function, if it has one at a time.
            #[allow(unused_variables, reason = "unused when no adapter is compiled in")]
            pub(crate) fn deployed_as(&self, env: &Env) -> Option<Vec<String>> {
                match self {
                    $($(#[$feature])* Self::$variant(adapter) => adapter.deployed_as(env),)+
                    Self::None => None,
                }
            }

            /// What the platform says of what is deployed.
            #[cfg(feature = "log")]
            #[allow(unused_variables, reason = "unused when no adapter is compiled in")]
            pub(crate) fn deployment(&self, env: &Env) -> faas_sdk_core::Deployment {
                match self {
                    $($(#[$feature])* Self::$variant(adapter) => adapter.deployment(env),)+
                    Self::None => faas_sdk_core::Deployment::new(),
                }
            }

            /// Which runtime suits the adapter.
            pub(crate) fn flavour(&self) -> Flavour {
                match self {
                    $($(#[$feature])* Self::$variant(_) => Flavour::$flavour,)+
                    Self::None => Flavour::CurrentThread,
                }
            }

            #[allow(unused_variables, reason = "unused when no adapter is compiled in")]
            pub(crate) async fn serve(&self, program: Program) -> Result<()> {
                match self {
                    $($(#[$feature])* Self::$variant(adapter) => adapter.serve(program).await,)+
                    Self::None => Ok(()),
                }
            }
        }
    };
}

adapters! {
    #[cfg(feature = "platform-aws-lambda")]
    AwsLambda(faas_sdk_adapter_aws_lambda::AwsLambda) = faas_sdk_adapter_aws_lambda::AwsLambda::new(), CurrentThread;
    #[cfg(feature = "platform-local")]
    Local(faas_sdk_adapter_local::Local) = faas_sdk_adapter_local::Local::new(), MultiThread;
}

/// The tokio runtime that suits a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    dead_code,
    reason = "which of them is used depends on the adapters that are compiled in"
)]
pub(crate) enum Flavour {
    /// One invocation at a time: another thread would only cost hand-overs.
    CurrentThread,
    /// Many invocations at a time.
    #[cfg(feature = "platform-local")]
    MultiThread,
}

/// Chooses the adapter: `FAAS_PLATFORM` if it is set; else the one that is certain, then the one
/// that is likely; else `local`.
pub(crate) fn choose(env: &Env) -> Result<Adapter> {
    let adapters = Adapter::all();
    let names = || {
        let names: Vec<_> = adapters.iter().map(Adapter::name).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    if let Some(wanted) = env.get("FAAS_PLATFORM") {
        let message = format!(
            "FAAS_PLATFORM names `{wanted}`, but this program was built for: {}; enable the \
             feature `platform-{wanted}` or correct the name",
            names()
        );
        let mut adapters = adapters.into_iter();
        let named = adapters.find(|adapter| adapter.name() == wanted);
        return named.ok_or_else(|| not_configured(message));
    }
    let detections: Vec<_> = adapters.iter().map(|adapter| adapter.detect(env)).collect();
    let certain = |index: &usize| matches!(detections[*index], Detection::Certain(_));
    let likely = |index: &usize| matches!(detections[*index], Detection::Likely(_));
    let all_certain: Vec<_> = (0..adapters.len()).filter(certain).collect();
    match *all_certain {
        [index] => return Ok(take(adapters, index)),
        [first, second, ..] => {
            return Err(not_configured(format!(
                "{} and {} are both certain of their platform ({} and {}): set FAAS_PLATFORM",
                adapters[first].name(),
                adapters[second].name(),
                variable(detections[first]),
                variable(detections[second]),
            )));
        }
        [] => {}
    }
    let local = |index: &usize| adapters[*index].name() == "local";
    let mut indices = 0..adapters.len();
    let message = format!(
        "no platform was detected; this program was built for: {}; set FAAS_PLATFORM, or enable \
         the feature `platform-local` to run it here",
        names()
    );
    let chosen = indices.clone().find(likely).or_else(|| indices.find(local));
    chosen
        .map(|index| take(adapters, index))
        .ok_or_else(|| not_configured(message))
}

fn take(mut adapters: Vec<Adapter>, index: usize) -> Adapter {
    adapters.swap_remove(index)
}

fn variable(detection: Detection) -> &'static str {
    match detection {
        Detection::Certain(variable) | Detection::Likely(variable) => variable,
        Detection::No => "none",
    }
}

fn not_configured(message: String) -> Error {
    Error::new(ErrorKind::NotConfigured, message).with_code("no_platform")
}

#[cfg(all(test, feature = "platform-local", feature = "platform-aws-lambda"))]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Result<&'static str> {
        choose(&variables.iter().copied().collect()).map(|adapter| adapter.name())
    }

    #[test]
    fn the_environment_decides_and_local_is_the_rest() {
        assert_eq!(chosen(&[]).expect("local"), "local");
        let lambda = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
        assert_eq!(chosen(&[lambda]).expect("lambda"), "aws-lambda");
        assert_eq!(
            chosen(&[lambda, ("FAAS_PLATFORM", "local")]).expect("local"),
            "local"
        );
        let error = chosen(&[("FAAS_PLATFORM", "moon")]).expect_err("unknown");
        assert!(error.message().contains("FAAS_PLATFORM") && error.message().contains("moon"));
    }
}
