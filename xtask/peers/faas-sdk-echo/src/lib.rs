//! The function every flavour serves.

use faas_sdk::{Context, Result};
use serde::{Deserialize, Serialize};

/// Input and output: one text.
#[derive(Debug, Deserialize, Serialize)]
pub struct Echo {
    /// Sent back as it came.
    pub text: String,
}

/// Answers with its input.
pub async fn echo(input: Echo, _: Context) -> Result<Echo> {
    Ok(input)
}
