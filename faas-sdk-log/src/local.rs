//! What a thread keeps to write its next line with: buffers, and the callsites it passed lately.

use crate::buffers::Buffers;
use crate::callsite::Callsite;
use crate::logger::Logger;
use std::cell::Cell;
use std::sync::Arc;
use tracing::Metadata;

thread_local! {
    static KEPT: Cell<Option<Box<Local>>> = const { Cell::new(None) };
}

#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) buffers: Buffers,
    pub(crate) sites: Sites,
}

/// The callsites that were passed lately.
#[derive(Debug)]
pub(crate) struct Sites([Option<Known>; SITES]);

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
            buffers: Buffers::default(),
            sites: Sites([const { None }; SITES]),
        }
    }
}

impl Sites {
    /// What is known about a callsite.
    pub(crate) fn get(
        &mut self,
        logger: &Logger,
        metadata: &'static Metadata<'static>,
    ) -> &Callsite {
        let address = std::ptr::from_ref(metadata).addr();
        // Metadata lie at least so far apart.
        let slot = &mut self.0[(address >> 5) % SITES];
        let hit = |known: &Known| known.address == address && known.logger == logger.id;
        if !slot.as_ref().is_some_and(hit) {
            *slot = None;
        }
        let known = slot.get_or_insert_with(|| Known {
            logger: logger.id,
            address,
            site: logger.site(metadata),
        });
        &known.site
    }
}

/// Works with what this thread keeps. A line that is logged while another one is put together, by a
/// value that is being formatted, gets something of its own.
pub(crate) fn with<T>(work: impl FnOnce(&mut Local) -> T) -> T {
    let kept = KEPT.try_with(Cell::take).ok().flatten();
    let mut local = kept.unwrap_or_else(|| Box::new(Local::new()));
    let result = work(&mut local);
    let buffers = &mut local.buffers;
    if buffers.line.capacity() + buffers.parts.capacity() > MOST {
        buffers.line = Vec::new();
        buffers.parts = Default::default();
    }
    // A thread that is at its end keeps nothing.
    let _ = KEPT.try_with(|kept| kept.set(Some(local)));
    result
}
