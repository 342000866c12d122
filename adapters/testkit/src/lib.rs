//! Fake platforms to test function runtimes against, without a cloud.
//!
//! ```
//! use faas_sdk_testkit::lambda::{Event, FakeRuntimeApi};
//! use serde_json::json;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::TcpStream;
//!
//! /// Stands for the runtime under test: answers one event with `{"ok":true}`.
//! async fn runtime(address: String) -> std::io::Result<()> {
//!     let mut api = TcpStream::connect(address).await?;
//!     api.write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: api\r\n\r\n").await?;
//!     let mut next = vec![0; 4096];
//!     let length = api.read(&mut next).await?;
//!     let next = String::from_utf8_lossy(&next[..length]);
//!     let id = next.lines().find_map(|line| line.strip_prefix("Lambda-Runtime-Aws-Request-Id: "));
//!     let path = format!("/2018-06-01/runtime/invocation/{}/response", id.unwrap_or_default());
//!     let body = "{\"ok\":true}";
//!     let length = body.len();
//!     let post = format!("POST {path} HTTP/1.1\r\nHost: api\r\nContent-Length: {length}\r\n\r\n{body}");
//!     api.write_all(post.as_bytes()).await?;
//!     api.read(&mut [0; 4096]).await?;
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let api = FakeRuntimeApi::builder().start().await?;
//!     let invocation = api.invoke(Event::json(json!({"name": "world"})));
//!     runtime(api.address()).await?;
//!
//!     let outcome = invocation.await;
//!     let response = outcome.response().ok_or("no response")?;
//!     assert_eq!(response.json()?, json!({"ok": true}));
//!     assert_eq!(api.connections(), 1);
//!     Ok(())
//! }
//! ```

pub mod behaviour;
pub mod lambda;
