//! An internal extension without events. The platform sends SIGTERM to an instance only if one is
//! registered (the Extensions API's shutdown phase).

use bytes::Bytes;
use faas_sdk_core::{Error, ErrorKind, Result};
use faas_sdk_pull::{Connection, ConnectionOptions, Endpoint, PathPart, RequestWriter, refusal};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Registers the extension and lets it wait for its first event, which never comes. Has to be done
/// before the first poll for an invocation; the initialisation does not end without the wait.
pub(crate) async fn register(endpoint: &Arc<Endpoint>) -> Result<Waiting> {
    let mut connection = Connection::new(Arc::clone(endpoint), ConnectionOptions::default());
    let mut request = Vec::new();
    let path = [PathPart::Fixed("/2020-01-01/extension/register")];
    RequestWriter::new(&mut request, "POST", endpoint, &path)
        .header("Lambda-Extension-Name", b"faas-sdk-shutdown")
        .header("Content-Type", b"application/json")
        .body(br#"{"events":[]}"#);
    let unreachable = |error| {
        let message = "the extension for shutdown hooks could not be registered";
        Error::new(ErrorKind::Protocol, message).with_source(error)
    };
    let answer = connection
        .post(&request, b"", TIMEOUT)
        .await
        .map_err(unreachable)?;
    let id = answer
        .head
        .bytes("Lambda-Extension-Identifier")
        .filter(|id| !id.is_empty());
    let (200, Some(id)) = (answer.head.status(), id) else {
        return Err(refusal(
            "the registration of an extension",
            answer.head,
            &answer.body,
        ));
    };
    let endpoint = Arc::clone(endpoint);
    Ok(Waiting(tokio::spawn(async move {
        wait(connection, &endpoint, &id).await;
    })))
}

async fn wait(mut connection: Connection, endpoint: &Endpoint, id: &Bytes) {
    let mut request = Vec::new();
    let path = [PathPart::Fixed("/2020-01-01/extension/event/next")];
    RequestWriter::new(&mut request, "GET", endpoint, &path)
        .header("Lambda-Extension-Identifier", id)
        .end();
    match connection.poll(&request).await {
        Ok(answer) => tracing::debug!(status = answer.head.status(), "the extension was woken"),
        Err(error) => tracing::warn!(%error, "the extension for shutdown hooks lost the platform"),
    }
}

/// The extension's wait; it holds nothing that could be lost.
#[derive(Debug)]
pub(crate) struct Waiting(JoinHandle<()>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abort();
    }
}
