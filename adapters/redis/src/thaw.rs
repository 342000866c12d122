use faas_sdk_scope::{Epoch, Instance};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// How much the wall clock has to move before all clocks are compared, in milliseconds. Less than the
/// shortest freeze an [`Instance`] notices.
const LOOK: u64 = 100;

/// Tells the epoch.
#[derive(Debug)]
pub(crate) enum Thaw {
    /// Somebody else looks at the clocks, at the latest when an invocation arrives.
    Told(Arc<Instance>),
    /// Nobody else does.
    Own {
        instance: Arc<Instance>,
        looked: AtomicU64,
    },
}

impl Thaw {
    pub(crate) fn new(instance: Option<Arc<Instance>>) -> Self {
        match instance {
            Some(instance) => Self::Told(instance),
            None => Self::Own {
                instance: Instance::new(),
                looked: AtomicU64::new(wall()),
            },
        }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        match self {
            Self::Told(instance) => instance.epoch(),
            Self::Own { instance, looked } => {
                // One clock for most commands: it runs on through every freeze.
                let now = wall();
                if now.abs_diff(looked.load(Ordering::Relaxed)) >= LOOK {
                    looked.store(now, Ordering::Relaxed);
                    instance.check();
                }
                instance.epoch()
            }
        }
    }
}

fn wall() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(time.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
