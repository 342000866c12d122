//! A layered cache for functions: in this process and remote, correct under freezing, crashes and
//! races.
//!
//! ```
//! use faas_sdk_cache::{Cache, Region};
//! use std::time::Duration;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Item {
//!     name: String,
//! }
//!
//! const ITEM: Region<Item> = Region::new("item").ttl(Duration::from_secs(60));
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), faas_sdk_cache::Error> {
//! let cache = Cache::local();
//! let item = cache
//!     .get(&ITEM, "42")
//!     .or_load(|_| async { Ok(Item { name: "tea".into() }) })
//!     .await?;
//! assert_eq!(item.name, "tea");
//! assert!(cache.contains(&ITEM, "42").await?);
//! # Ok(())
//! # }
//! ```

mod breaker;
mod builder;
mod cache;
mod capacity;
mod chance;
mod coherence;
mod engine;
mod error;
mod get;
mod get_many;
mod handle;
mod key;
mod load;
mod local;
mod policy;
mod region;
mod remote;
mod set;
mod stats;
pub mod store;
mod value;
mod version;
mod wire;
mod write;

pub use builder::CacheBuilder;
pub use cache::Cache;
pub use error::{BoxError, Error, ErrorKind};
pub use get::{Get, OrLoad};
pub use get_many::GetMany;
pub use key::{Key, KeyBuffer};
pub use load::{Load, LoadError, Loaded};
pub use region::Region;
pub use set::Set;
pub use stats::CacheStats;
pub use value::{Cached, Source};
pub use wire::{CodecError, RawValue};
pub use write::{Clear, Invalidate, RemoveByTags};
