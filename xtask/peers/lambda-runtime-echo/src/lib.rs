//! The function both flavours serve.

use lambda_runtime::{Error, LambdaEvent};
use serde::{Deserialize, Serialize};

/// Input and output: one text.
#[derive(Debug, Deserialize, Serialize)]
pub struct Echo {
    /// Sent back as it came.
    pub text: String,
}

/// Answers with its input.
pub async fn echo(event: LambdaEvent<Echo>) -> Result<Echo, Error> {
    Ok(event.payload)
}
