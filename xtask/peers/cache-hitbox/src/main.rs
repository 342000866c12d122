//! A function cached by hitbox, with its moka backend as it is by default. The backend keeps bytes, so
//! that a hit decodes them.

use cache_loop::local::{self, Item, Values};
use cache_loop::{Arguments, Error};
use hitbox_fn::prelude::*;
use hitbox_moka::MokaBackend;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, CacheableResponse, Deserialize, Serialize)]
struct Cacheable {
    number: u64,
    name: String,
}

#[cached(skip(number))]
async fn item(key: String, number: u64) -> Cacheable {
    drop(key);
    let Item { number, name } = Item::load(number);
    Cacheable { number, name }
}

#[derive(Clone)]
struct Hitbox(Cache<MokaBackend>);

impl Values for Hitbox {
    async fn get(&self, key: &str, number: u64) -> u64 {
        item(key.to_owned(), number).cache(&self.0).await.number
    }
}

fn main() -> Result<(), Error> {
    let mut args = Arguments::new();
    let _only_one: String = args.value("--cache")?;
    local::run(args, |values| {
        let policy = PolicyConfig::builder().ttl(Duration::from_secs(300));
        let backend = MokaBackend::builder().max_entries(values + values / 2);
        Hitbox(
            Cache::builder()
                .backend(backend.build())
                .policy(policy.build())
                .build(),
        )
    })
}
