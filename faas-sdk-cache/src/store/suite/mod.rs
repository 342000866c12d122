//! What every store must do, to be run against a store of your own.
//!
//! A test names its [`Subject`] and calls [`run`]. Cases that need a [guarantee](super::Guarantees)
//! which the store does not give are left out.
//!
//! ```
//! use async_trait::async_trait;
//! use faas_sdk_cache::store::suite::{self, Subject};
//! use faas_sdk_cache::store::{CacheStore, MemoryStore};
//! use std::sync::{Arc, Mutex};
//! use std::time::Duration;
//!
//! #[derive(Default)]
//! struct Memory(Mutex<Vec<MemoryStore>>);
//!
//! #[async_trait]
//! impl Subject for Memory {
//!     async fn open(&self) -> Arc<dyn CacheStore> {
//!         let store = MemoryStore::new();
//!         self.0.lock().unwrap().push(store.clone());
//!         Arc::new(store)
//!     }
//!
//!     async fn pass(&self, time: Duration) {
//!         tokio::time::sleep(time).await;
//!     }
//!
//!     async fn flush(&self) {
//!         self.0.lock().unwrap().iter().for_each(MemoryStore::flush);
//!     }
//!
//!     async fn trim_logs(&self) {
//!         self.0.lock().unwrap().iter().for_each(MemoryStore::trim_log);
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! suite::run(&Memory::default()).await;
//! # }
//! ```

mod generations;
mod leases;
mod logs;
mod probe;
mod races;
mod values;

use super::CacheStore;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// No case waits longer than this for anything; what takes so long is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A store, and what can happen to it. Cases run one after the other.
#[async_trait]
pub trait Subject: Send + Sync {
    /// A store whose data is its own, and empty.
    async fn open(&self) -> Arc<dyn CacheStore>;

    /// Lets so much time pass on the clock by which values and leases expire: tens of milliseconds.
    async fn pass(&self, time: Duration);

    /// Loses everything that is kept for all stores, as a server that is restarted empty.
    async fn flush(&self);

    /// Drops all entries of all logs of all stores, but nothing else.
    async fn trim_logs(&self);
}

/// Runs every case that the store's guarantees allow, in a tokio runtime, better of several threads.
///
/// # Panics
///
/// If the store fails one.
pub async fn run(subject: &dyn Subject) {
    macro_rules! cases {
        ($($module:ident: $($case:ident)+;)+) => {
            $($(
                let done = tokio::time::timeout(PATIENCE, $module::$case(subject)).await;
                let name = concat!(stringify!($module), "::", stringify!($case));
                assert!(done.is_ok(), "{name} took longer than {PATIENCE:?}");
            )+)+
        };
    }
    let guarantees = subject.open().await.guarantees();
    cases! {
        values: nothing_at_first written_values_come_back several_keys any_bytes_are_a_key
            large_values foreign_bytes_stay_as_they_are gone_after_their_time removed expired_in_place
            unless_a_later_value_is_there shards_are_apart no_such_shard calls_for_nothing
            extreme_times;
    }
    if guarantees.leases {
        cases! {
            leases: one_holder ends_with_its_time fills_need_it voided_by_changes fresh_values_first
                stale_values_are_loaded rejected_values_are_loaded repeated_fills several_at_once;
            races: one_grant_of_many;
        }
    }
    if guarantees.log {
        cases! {
            logs: an_end_at_first changes_in_order fills_are_not_logged repeated_changes
                limited_by_number trimmed_logs_are_gaps lost_logs_are_gaps unknown_positions_are_gaps
                versions_rise_through_a_loss each_shard_has_its_own;
            races: values_are_not_older_than_the_log changes_of_many;
        }
    }
    if guarantees.generations {
        cases! {
            generations: a_base_at_first advanced_names_alone advances_are_logged limited_by_names
                gaps a_loss_makes_all_newer all_at_once;
            races: generations_are_not_older_than_the_log;
        }
    }
}
