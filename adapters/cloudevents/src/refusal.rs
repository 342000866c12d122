use faas_sdk_core::{Error, ErrorKind};
use std::fmt::Display;

/// The refusal of an attribute. `problem` goes on after its name.
pub(crate) fn invalid(attribute: &str, problem: impl Display) -> Error {
    let name = shown(attribute);
    Error::new(
        ErrorKind::InvalidInput,
        format!("attribute `{name}` {problem}"),
    )
    .with_context("attribute", name)
}

/// The refusal of a header that is not an attribute's.
pub(crate) fn invalid_header(header: &'static str, problem: impl Display) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!("header `{header}` {problem}"),
    )
    .with_context("header", header)
}

/// What a sender wrote, fit for a line of a log.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}
