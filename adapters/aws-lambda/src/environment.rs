use faas_sdk_core::{Env, Error, ErrorKind, Result, Text};
use faas_sdk_pull::Endpoint;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The adapter's name.
pub(crate) const NAME: &str = "aws-lambda";

pub(crate) const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// What the platform says in variables, read once.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) handler: Option<Text>,
    pub(crate) name: Option<Text>,
    pub(crate) version: Option<Text>,
}

impl Environment {
    pub(crate) fn read(env: &Env) -> Result<Self> {
        let Some(address) = env.get(RUNTIME_API) else {
            let message = format!(
                "{RUNTIME_API} is not set: outside of AWS Lambda it has to name an emulator, for \
                 example 127.0.0.1:9001"
            );
            return Err(Error::new(ErrorKind::NotConfigured, message));
        };
        let endpoint = Endpoint::parse(RUNTIME_API, address)
            .map_err(|error| Error::new(ErrorKind::NotConfigured, error.to_string()))?;
        let text = |name: &str| env.get(name).map(Text::from);
        Ok(Self {
            endpoint: Arc::new(endpoint),
            handler: text("_HANDLER"),
            name: text("AWS_LAMBDA_FUNCTION_NAME"),
            version: text("AWS_LAMBDA_FUNCTION_VERSION"),
        })
    }
}

/// On managed instances: how many invocations run at once, and the instance is never frozen.
pub(crate) fn concurrency(env: &Env) -> Result<Option<NonZeroUsize>> {
    const NAME: &str = "AWS_LAMBDA_MAX_CONCURRENCY";
    let Some(text) = env.get(NAME) else {
        return Ok(None);
    };
    let number: Option<NonZeroUsize> = text.parse().ok();
    match number.filter(|number| number.get() <= 1024) {
        Some(number) => Ok(Some(number)),
        None => {
            let message = format!("{NAME} is `{text}`: a number from 1 to 1024 is expected");
            Err(Error::new(ErrorKind::NotConfigured, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_bad_variable_is_named() {
        let bad = |variables: &[(&str, &str)]| {
            let env = variables.iter().copied().collect();
            Environment::read(&env)
                .expect_err("it is bad")
                .message()
                .to_owned()
        };
        assert!(bad(&[]).contains(RUNTIME_API));
        assert!(bad(&[(RUNTIME_API, "https://x")]).contains(RUNTIME_API));
        for bad in ["many", "0", "-1", "1025"] {
            let env = Env::from_iter([("AWS_LAMBDA_MAX_CONCURRENCY", bad)]);
            let error = concurrency(&env).expect_err(bad);
            assert!(error.message().contains("MAX_CONCURRENCY"), "{error}");
        }
    }
}
