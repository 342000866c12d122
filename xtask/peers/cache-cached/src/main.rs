//! Functions cached by cached: `sharded`, its way for many callers, and `by-key`, where of those who
//! want the same value one loads it.

use cache_loop::local::{self, Item, Values};
use cache_loop::{Arguments, Error};
use cached::macros::{cached, concurrent_cached};
use std::sync::Arc;

#[concurrent_cached(
    max_size = 200_000,
    ttl_secs = 300,
    key = "String",
    convert = { key.to_owned() }
)]
async fn sharded(key: &str, number: u64) -> Arc<Item> {
    let _in_the_loader_only = key;
    Arc::new(Item::load(number))
}

#[cached(
    max_size = 200_000,
    ttl_secs = 300,
    sync_writes = "by_key",
    key = "String",
    convert = { key.to_owned() }
)]
async fn by_key(key: &str, number: u64) -> Arc<Item> {
    let _in_the_loader_only = key;
    Arc::new(Item::load(number))
}

#[derive(Clone)]
struct Sharded;

impl Values for Sharded {
    async fn get(&self, key: &str, number: u64) -> u64 {
        sharded(key, number).await.number
    }
}

#[derive(Clone)]
struct ByKey;

impl Values for ByKey {
    async fn get(&self, key: &str, number: u64) -> u64 {
        by_key(key, number).await.number
    }
}

fn main() -> Result<(), Error> {
    let mut args = Arguments::new();
    match args.value::<String>("--cache")?.as_str() {
        "by-key" => local::run(args, |_| ByKey),
        _ => local::run(args, |_| Sharded),
    }
}
