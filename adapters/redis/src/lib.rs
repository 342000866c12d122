//! Redis connections for functions: lazy, bounded, shared, and made anew after a freeze.
//!
//! ```no_run
//! use faas_sdk_redis::redis::cmd;
//! use faas_sdk_redis::{Error, Redis, Retry};
//! use std::time::Duration;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let redis = Redis::builder()
//!         .url("rediss://cache.example.com:6379")
//!         .username("shop")
//!         .password(std::env::var("REDIS_PASSWORD").unwrap_or_default())
//!         .build()?;
//!
//!     let within = Duration::from_millis(200);
//!     let mut get = cmd("GET");
//!     get.arg("greeting");
//!     let value = redis.query(&get, Retry::Once, within).await?;
//!     println!("{value:?}");
//!     Ok(())
//! }
//! ```
//!
//! [`Redis`] is cheap to clone and connects when it is first used. Commands of all tasks share one
//! multiplexed connection, the *link* (or up to four); commands that block get a pooled connection of
//! their own from [`Redis::dedicated`]. Servers are found by one address, through sentinels, or as a
//! cluster: see [`Topology`].
//!
//! A link is never used again once the process was frozen, which its
//! [`Instance`](faas_sdk_scope::Instance) tells, nor after a command on it was not answered in time or
//! failed by I/O. Whatever a call does, connecting included, ends within the time that it is given, and
//! each call may be dropped at any point without harm to others.

mod backoff;
mod builder;
mod client;
mod cluster;
mod config;
mod connection;
mod dedicated;
mod error;
mod exchange;
mod fault;
mod health;
mod idle;
mod link;
mod node;
mod opener;
mod pools;
mod request;
mod retry;
mod script;
mod sentinels;
mod server;
mod slot;
mod status;
mod thaw;
mod tls;
mod url;
mod validate;

pub use builder::RedisBuilder;
pub use client::Redis;
pub use config::{RedisConfig, Topology};
pub use deadpool_redis::redis;
pub use dedicated::Dedicated;
pub use error::{Error, ErrorKind};
pub use retry::Retry;
pub use script::Script;
pub use status::Status;
