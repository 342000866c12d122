//! What a variable's text stands for.

use super::value::Value;

/// The text read as JSON or, failing that, as TOML.
pub(super) fn value(text: &str) -> Option<Value> {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        return Some(json.into());
    }
    #[cfg(feature = "config-file")]
    return super::parse::value(text);
    #[cfg(not(feature = "config-file"))]
    None
}
