//! Clocks, thaw detection and the per-invocation [`Scope`] of faas-sdk.
//!
//! This is the ground floor: it knows no platform, no HTTP and no handler. Everything that must
//! end with an invocation, count for it, or stop at its deadline hangs on a [`Scope`]; everything
//! that must notice that the process was frozen asks its [`Instance`].
//!
//! ```
//! use faas_sdk_scope::{Instance, Scope};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let instance = Instance::new();
//! let scope = Scope::new(&instance, Some(Duration::from_secs(3)));
//! scope.on_end("say goodbye", |ending| async move { println!("{ending:?}") });
//! scope.add("greetings", 1);
//! assert!(scope.remaining().is_some());
//! assert!(scope.end(Duration::from_millis(100)).await.is_empty());
//! # }
//! ```

mod cancel;
mod catch;
mod clock;
mod instance;
mod measure;
mod registry;
mod scope;
mod sensitive;
mod spawn;

pub use cancel::CancelReason;
pub use catch::CatchUnwind;
pub use clock::{Clock, ManualClock, Moment, Stamp, SystemClock};
pub use instance::{Arrival, Background, Epoch, InFlight, Instance, InstanceBuilder};
pub use measure::{Measure, Unit};
pub use registry::{Ending, Leftover};
pub use scope::{Registration, Scope};
pub use sensitive::Sensitive;
pub use spawn::{SpawnError, Spawned};

/// A boxed future that may be sent to another thread.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
