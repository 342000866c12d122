use faas_sdk_core::Env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// What configuration is read from: a snapshot of the process's variables, the directory of the
/// executable and the working directory.
///
/// The default is empty: no variables and no place to look for a file.
#[derive(Clone, Default)]
pub struct Environment {
    pub(super) variables: Vec<(OsString, OsString)>,
    pub(super) exe_dir: Option<PathBuf>,
    pub(super) working_dir: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process, as it is now.
    #[must_use]
    pub fn from_process() -> Self {
        Self::with_variables(&Env::process())
    }

    fn directories() -> Self {
        Self {
            variables: Vec::new(),
            exe_dir: std::env::current_exe()
                .ok()
                .and_then(|exe| Some(exe.parent()?.to_owned())),
            working_dir: std::env::current_dir().ok(),
        }
    }

    /// These variables, with the directories of this process.
    pub(crate) fn with_variables(env: &Env) -> Self {
        let variables = env
            .iter_os()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            variables: variables.collect(),
            ..Self::directories()
        }
    }

    /// Adds a variable.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Sets the directory of the executable, the first place to look for `faas.toml`.
    #[must_use]
    pub fn with_exe_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.exe_dir = Some(dir.into());
        self
    }

    /// Sets the working directory, the second place to look for `faas.toml`; a relative `FAAS_CONFIG`
    /// starts there.
    #[must_use]
    pub fn with_working_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.working_dir = Some(dir.into());
        self
    }

    /// The value of a variable, by its exact name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_os_str())
    }
}

impl fmt::Debug for Environment {
    /// Shows the names of the variables; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&OsString> = self.variables.iter().map(|(name, _)| name).collect();
        f.debug_struct("Environment")
            .field("variables", &names)
            .field("exe_dir", &self.exe_dir)
            .field("working_dir", &self.working_dir)
            .finish()
    }
}
