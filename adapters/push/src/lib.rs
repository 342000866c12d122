//! The HTTP server engine of faas-sdk platform adapters.
//!
//! A platform that pushes its invocations over HTTP is a [`Profile`] (data: limits, what may run
//! when, what happens at the end) and a [`Codec`] (what a request means, and how an outcome is
//! answered). The engine does the rest: connections and their timeouts, body limits, health and
//! control paths, one task for each invocation with its deadline and cancellation, streamed
//! bodies both ways, hooks, and a graceful end.
//!
//! ```
//! use faas_sdk_core::{
//!     BoxFuture, HttpRequest, HttpResponse, Invocation, Invoke, Outcome, Program, Reply, Result,
//!     Stop,
//! };
//! use faas_sdk_push::{Class, Codec, Detail, Profile, Server, Situation, error_response, new_id};
//! use faas_sdk_scope::Scope;
//! use std::sync::Arc;
//!
//! /// Hands every request on as it is.
//! struct Plain;
//!
//! impl Codec for Plain {
//!     type Call = ();
//!
//!     fn classify(&self, head: &http::request::Parts, _: &Situation) -> Class<()> {
//!         match head.uri.path() {
//!             "/healthz" => Class::Answer(HttpResponse::default()),
//!             _ => Class::Invoke { call: (), allowed: None },
//!         }
//!     }
//!
//!     fn decode<'a>(
//!         &'a self,
//!         _: &'a mut (),
//!         request: HttpRequest,
//!         scope: Scope,
//!     ) -> BoxFuture<'a, Result<Invocation>> {
//!         Box::pin(async move { Ok(Invocation::new(new_id(), scope, request)) })
//!     }
//!
//!     fn encode(&self, _: (), outcome: Outcome) -> HttpResponse {
//!         match outcome {
//!             Ok(Reply::Content(content)) => content.into_response(),
//!             Ok(Reply::Http(response)) => response,
//!             Ok(_) => HttpResponse::default(),
//!             Err(error) => error_response(&error, Detail::Public),
//!         }
//!     }
//! }
//!
//! struct Hello;
//!
//! impl Invoke for Hello {
//!     fn invoke(&self, _: Invocation) -> BoxFuture<'_, Outcome> {
//!         Box::pin(async { Ok(Reply::json("{}".into())) })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let program = Program::new(Arc::new(Hello));
//! let mut profile = Profile::default();
//! profile.address.set_port(0);
//! let stop = Stop::new();
//! # stop.request();
//! Server::new(Arc::new(Plain), profile, &program).serve(stop).await
//! # }
//! ```
//!
//! # What a client can't do
//!
//! | Fault | Answer |
//! |---|---|
//! | No valid HTTP | 400, connection closed |
//! | Head too large, too many headers | 431, closed |
//! | Head too slow | 408, closed |
//! | Body above the limit, announced or found while reading | 413, closed |
//! | Body too slow, broken or cut off | an error where it is read (408 or 400, if it gets there) |
//! | Answer not taken | closed, the invocation is cancelled |
//! | Gone before the answer | the invocation is cancelled (`Disconnected`) and its scope finished |
//! | Too many at once | invocations are refused (429 or 503), connections wait in the backlog |
//!
//! # Features
//!
//! `h2c` serves HTTP/2 without TLS to clients that begin with its preface.

mod activity;
mod codec;
mod connection;
mod exchange;
mod headers;
#[cfg(feature = "h2c")]
mod http2;
mod invocation;
mod listen;
mod profile;
mod reply;
mod request_body;
mod respond;
mod server;
mod service;
mod shared;
mod wire;

pub use codec::{Class, Codec, Situation};
pub use headers::{new_id, request_id, trace};
pub use listen::listen;
pub use profile::{InitMoment, Limits, Profile};
pub use respond::{Detail, error_response};
pub use server::Server;
