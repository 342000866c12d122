use crate::Error;
use std::fmt::Display;
use std::str::FromStr;

/// The arguments of a program.
#[derive(Debug)]
pub struct Arguments(pico_args::Arguments);

impl Arguments {
    /// Those of this process.
    #[must_use]
    pub fn new() -> Self {
        Self(pico_args::Arguments::from_env())
    }

    /// The value of an option.
    ///
    /// # Errors
    /// When it is missing or of another form.
    pub fn value<T>(&mut self, option: &'static str) -> Result<T, Error>
    where
        T: FromStr,
        T::Err: Display,
    {
        Ok(self.0.value_from_str(option)?)
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self::new()
    }
}
