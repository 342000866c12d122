//! Places in a file.

use std::fmt;

/// ", line 3, column 7", or nothing if the place is not known.
#[derive(Debug)]
pub(super) struct Position(Option<(usize, usize)>);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, ", line {line}, column {column}"),
            None => Ok(()),
        }
    }
}

impl Position {
    /// The place is not known.
    pub(super) const UNKNOWN: Self = Self(None);

    /// The place behind this text.
    pub(super) fn after(text: &str) -> Self {
        let line = text.matches('\n').count() + 1;
        let column = text.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Self(Some((line, column)))
    }
}
