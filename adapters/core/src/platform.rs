use crate::{Deployment, Env, Program, Result};

/// How sure an adapter is that this process runs on its platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detection {
    /// Nothing points to it.
    No,
    /// This variable points to it, and to others as well.
    Likely(&'static str),
    /// This variable is set by this platform alone.
    Certain(&'static str),
}

/// A platform adapter.
pub trait Platform: Send + Sync {
    /// The adapter's name: the value of `FAAS_PLATFORM`, for example `aws-lambda`.
    fn name(&self) -> &'static str;

    /// Looks for the platform in the environment; without any I/O.
    fn detect(&self, env: &Env) -> Detection;

    /// What the platform calls the deployed function: its handler string, then its name, as far as
    /// they are set. `None`, the default, where each call names the function it wants.
    fn deployed_as(&self, env: &Env) -> Option<Vec<String>> {
        let _ = env;
        None
    }

    /// What the platform says in variables of what is deployed; without any I/O. Default: nothing.
    fn deployment(&self, env: &Env) -> Deployment {
        let _ = env;
        Deployment::new()
    }

    /// Serves the program until the platform ends it or a stop signal was followed.
    ///
    /// # Errors
    ///
    /// What made serving impossible: a missing variable, an init hook that failed, a lost
    /// platform. The error has been reported to the platform where it takes such reports.
    fn serve(&self, program: Program) -> impl Future<Output = Result<()>> + Send;
}
