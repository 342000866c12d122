use std::ffi::{OsStr, OsString};

/// The environment variables a program was started with, read once and replaceable in tests.
#[derive(Clone, Default)]
pub struct Env(Vec<(OsString, OsString)>);

impl Env {
    /// The environment of this process.
    #[must_use]
    pub fn process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The value of a variable; one that is empty counts as absent.
    ///
    /// A value that is not UTF-8 counts as absent too; [`Env::iter_os`] gives it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self
            .0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)?;
        value.to_str().filter(|value| !value.is_empty())
    }

    /// All variables.
    pub fn iter_os(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_os_str(), value.as_os_str()))
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl<K: Into<OsString>, V: Into<OsString>> Extend<(K, V)> for Env {
    /// Sets variables, over those of the same name.
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, variables: I) {
        for (key, value) in variables {
            let key = key.into();
            self.0.retain(|(known, _)| *known != key);
            self.0.push((key, value.into()));
        }
    }
}

impl std::fmt::Debug for Env {
    /// Shows the names alone: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(key, _)| key))
            .finish()
    }
}
