//! Waiting for a state of a server, with a bound.

use anyhow::{Context, Result, bail};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const PAUSE: Duration = Duration::from_millis(10);

/// Calls `check` again and again until it returns a value.
///
/// # Errors
/// After `limit`, with `what` was awaited and the last error of `check`.
pub(crate) async fn until<T>(
    what: &str,
    limit: Duration,
    mut check: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let mut last = None;
    let checks = async {
        loop {
            match check().await {
                Ok(value) => return value,
                Err(error) => last = Some(error),
            }
            sleep(PAUSE).await;
        }
    };
    if let Ok(value) = timeout(limit, checks).await {
        return Ok(value);
    }
    let late = format!("waited {limit:?} in vain until {what}");
    match last {
        Some(error) => Err(error).context(late),
        None => bail!(late),
    }
}
