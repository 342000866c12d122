#![doc = include_str!("../README.md")]

mod app;
mod batch;
#[cfg(feature = "cache")]
mod caching;
mod config;
mod context;
mod erase;
mod error;
mod function;
mod handler;
#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "cache")]
mod meaning;
mod metrics;
mod platform;
pub mod prelude;
mod router;
mod routes;
mod run;
mod stream;
mod subscription;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tower;

pub use app::{App, IntoApp};
#[cfg(feature = "cache")]
pub use config::CacheConfig;
#[cfg(feature = "otlp")]
pub use config::OtlpConfig;
#[cfg(feature = "cache-redis")]
pub use config::RedisConfig;
pub use config::{Config, ConfigError, Environment, InvokeConfig};
#[cfg(feature = "log")]
pub use config::{LogConfig, LogFormat};
pub use context::Context;
pub use error::{Error, Result};
pub use handler::Handler;
pub use metrics::Metrics;
pub use run::{run, start};
pub use stream::stream;

#[cfg(feature = "cache")]
pub use faas_sdk_cache as cache;
pub use faas_sdk_core::Error as CoreError;
pub use faas_sdk_core::{
    Attempt, Attribute, Batch, Body, BodySender, BoxFuture, Content, Data, Disposition, ErrorKind,
    Event, EventKind, FromEvent, HttpRequest, HttpResponse, Identity, Info, IntoReply, Invocation,
    Invoke, Item, ItemOutcome, Layer, Metadata, Outcome, PathParameters, Payload, Raw, Reply,
    Stage, Text, Trace, TraceContext,
};
pub use faas_sdk_scope::{
    CancelReason, Ending, Registration, Scope, Sensitive, SpawnError, Spawned,
};
pub use http::{self, HeaderMap, Method, StatusCode};
