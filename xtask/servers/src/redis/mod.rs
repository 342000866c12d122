//! Redis: one server, one watched by sentinels, and a cluster.

mod builder;
mod cli;
mod cluster;
mod instance;
mod sentinels;
mod server;
mod tls;

pub use builder::RedisServerBuilder;
pub use cluster::{RedisCluster, SlotMove};
pub use sentinels::RedisSentinels;
pub use server::RedisServer;

/// The Debian package all programs of Redis come with.
const PACKAGE: &str = "redis-server";
