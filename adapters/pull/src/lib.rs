//! The long-poll engine of faas-sdk platform adapters.
//!
//! On such a platform the function asks for its next invocation, works on it, and posts the
//! answer. The [`Engine`] does that for any of them: a platform is a [`Profile`] of numbers and a
//! [`Codec`] that writes its requests and reads its answers. This one is complete but for errors
//! and streams:
//!
//! ```
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use faas_sdk_core::{
//!     BoxFuture, Data, Error, ErrorKind, Event, Invocation, Invoke, Outcome, Program, Reply, Result,
//!     Stop, Text,
//! };
//! use faas_sdk_pull::{Codec, Endpoint, Engine, Head, PathPart, Profile, Report, RequestWriter};
//! use faas_sdk_scope::{Instance, Scope};
//!
//! struct Example(Arc<Endpoint>);
//!
//! impl Codec for Example {
//!     type Call = Text;
//!
//!     fn endpoint(&self) -> &Arc<Endpoint> {
//!         &self.0
//!     }
//!
//!     fn next(&self, out: &mut Vec<u8>) {
//!         RequestWriter::new(out, "GET", &self.0, &[PathPart::Fixed("/next")]).end();
//!     }
//!
//!     fn call(&self, head: &Head) -> Result<Text> {
//!         let id = head.text("request-id").ok().flatten();
//!         id.ok_or_else(|| Error::new(ErrorKind::Protocol, "the event has no request-id"))
//!     }
//!
//!     fn id<'c>(&self, call: &'c Text) -> &'c str {
//!         call
//!     }
//!
//!     fn decode(&self, id: &Text, _: &Head, body: Bytes, instance: &Arc<Instance>) -> Result<Invocation> {
//!         let event = Event::invoke(id.clone(), "example", Data::Json(body));
//!         Ok(Invocation::new(id.clone(), Scope::new(instance, None), event))
//!     }
//!
//!     fn report(&self, id: &Text, outcome: Outcome, out: &mut Vec<u8>) -> Result<Report> {
//!         let whole = |reply| match reply {
//!             Reply::Content(content) => content.body.try_into_bytes().ok(),
//!             _ => None,
//!         };
//!         let (what, body) = match outcome {
//!             Ok(reply) => ("/response", whole(reply).ok_or(ErrorKind::Unsupported)?),
//!             Err(error) => ("/error", error.to_string().into()),
//!         };
//!         let path = [PathPart::Fixed("/"), PathPart::Segment(id), PathPart::Fixed(what)];
//!         RequestWriter::new(out, "POST", &self.0, &path).body(&body);
//!         Ok(Report::Whole)
//!     }
//! }
//!
//! struct Hello;
//!
//! impl Invoke for Hello {
//!     fn invoke(&self, _: Invocation) -> BoxFuture<'_, Outcome> {
//!         Box::pin(async { Ok(Reply::json("\"hello\"".into())) })
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//!     let endpoint = Endpoint::parse("EXAMPLE_API", "127.0.0.1:9001")?;
//!     let stop = Stop::on_signals();
//! #   stop.request();
//!     let engine = Engine::new(Example(Arc::new(endpoint)), Profile::default()).stop(stop);
//!     engine.serve(Program::new(Arc::new(Hello))).await?;
//!     Ok(())
//! }
//! ```
//!
//! The HTTP client underneath is part of the interface, for requests an adapter makes on its own:
//! [`Connection`] carries one exchange after the other on one socket and one buffer, and allocates
//! nothing for an ordinary one.

mod client;
mod engine;

pub use client::{
    Answer, ClientError, Connection, ConnectionOptions, Endpoint, EndpointError, Head,
    HeaderNotText, Limits, PathPart, Progress, ProtocolError, RequestWriter, Upload,
};
pub use engine::{Backoff, Codec, Delivery, Engine, Polled, Profile, Report, refusal};
