//! What a thread keeps to write its next line with: buffers, and the callsites it passed lately.

use crate::callsite::Callsite;
use crate::encode::Timestamps;
use crate::logger::Logger;
use crate::record::Parts;
use std::cell::Cell;
use std::sync::Arc;
use tracing::Metadata;

thread_local! {
    static KEPT: Cell<Option<Box<Local>>> = const { Cell::new(None) };
}

#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) line: Vec<u8>,
    pub(crate) parts: Parts,
    pub(crate) stamps: Timestamps,
    sites: Vec<Option<Known>>,
}

/// A callsite of a logger, with the address of its metadata.
#[derive(Debug)]
struct Known {
    logger: u64,
    address: usize,
    site: Arc<Callsite>,
}

/// A power of two; a program's warm callsites are fewer.
const SITES: usize = 64;

/// What a buffer may keep once a line is out.
const MOST: usize = 64 << 10;

impl Local {
    fn new() -> Self {
        Self {
            line: Vec::new(),
            parts: Parts::default(),
            stamps: Timestamps::new(),
            sites: (0..SITES).map(|_| None).collect(),
        }
    }

    /// What is known about a callsite.
    pub(crate) fn site(
        &mut self,
        logger: &Logger,
        metadata: &'static Metadata<'static>,
    ) -> Arc<Callsite> {
        let address = std::ptr::from_ref(metadata).addr();
        // Metadata lie at least so far apart.
        let place = (address >> 5) % SITES;
        let Some(slot) = self.sites.get_mut(place) else {
            return logger.site(metadata);
        };
        match slot {
            Some(known) if known.address == address && known.logger == logger.id => {
                Arc::clone(&known.site)
            }
            _ => {
                let site = logger.site(metadata);
                *slot = Some(Known {
                    logger: logger.id,
                    address,
                    site: Arc::clone(&site),
                });
                site
            }
        }
    }
}

/// Works with what this thread keeps. A line that is logged while another one is put together, by a
/// value that is being formatted, gets something of its own.
pub(crate) fn with<T>(work: impl FnOnce(&mut Local) -> T) -> T {
    let kept = KEPT.try_with(Cell::take).ok().flatten();
    let mut local = kept.unwrap_or_else(|| Box::new(Local::new()));
    let result = work(&mut local);
    if local.line.capacity() > MOST {
        local.line = Vec::new();
        local.parts = Parts::default();
    }
    // A thread that is at its end keeps nothing.
    let _ = KEPT.try_with(|kept| kept.set(Some(local)));
    result
}
