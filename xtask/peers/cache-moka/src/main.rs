//! moka alone: `plain`, and with a lifetime (`ttl`), for which it reads its clock more often.

use cache_loop::local::{self, Item, Values};
use cache_loop::{Arguments, Error};
use moka::future::Cache;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone)]
struct Moka(Cache<String, Arc<Item>>);

impl Values for Moka {
    async fn get(&self, key: &str, number: u64) -> u64 {
        if let Some(item) = self.0.get(key).await {
            return item.number;
        }
        let item = Arc::new(Item::load(number));
        self.0.insert(key.to_owned(), Arc::clone(&item)).await;
        item.number
    }
}

fn main() -> Result<(), Error> {
    let mut args = Arguments::new();
    let cache: String = args.value("--cache")?;
    local::run(args, |values| {
        // More than half full, from where on moka counts how often a key is read.
        let builder = Cache::builder().max_capacity(values + values / 2);
        Moka(match cache.as_str() {
            "ttl" => builder.time_to_live(Duration::from_secs(300)).build(),
            _ => builder.build(),
        })
    })
}
