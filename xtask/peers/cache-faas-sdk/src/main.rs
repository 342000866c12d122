//! faas-sdk-cache: in this process alone (`local`), that with a handle bound to an invocation's scope
//! (`scope`), and before a remote level whose log is not due to be read (`memory`).

use cache_loop::local::{self, Item, Values};
use cache_loop::{Arguments, Error};
use faas_sdk_cache::store::MemoryStore;
use faas_sdk_cache::{Cache, Region};
use faas_sdk_scope::{Instance, Scope};
use std::time::Duration;

const ITEM: Region<Item> = Region::new("item");

#[derive(Clone)]
struct Layered(Cache);

impl Values for Layered {
    async fn get(&self, key: &str, number: u64) -> u64 {
        let item = self
            .0
            .get(&ITEM, key)
            .or_load(move |_| async move { Ok(Item::load(number)) })
            .await;
        item.expect("a value").number
    }
}

fn main() -> Result<(), Error> {
    let mut args = Arguments::new();
    let cache: String = args.value("--cache")?;
    local::run(args, |values| {
        let instance = Instance::new();
        // More than half full, from where on moka counts how often a key is read.
        let builder = Cache::builder().instance(&instance).capacity(values * 800);
        Layered(match cache.as_str() {
            "memory" => builder
                .store(MemoryStore::new())
                .verify_after(Duration::from_secs(3_600))
                .build(),
            "scope" => builder.build().bind(&Scope::new(&instance, None)),
            _ => builder.build(),
        })
    })
}
