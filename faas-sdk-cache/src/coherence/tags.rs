use super::guard::{Cell, Guard, is_known};
use super::shard::Applied;
use crate::store::{LogAnswer, NewGeneration, Version};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The name of the generation of all regions.
pub(crate) const ALL: &str = "*";

/// How many tags are remembered before those that no entry uses are forgotten; and again, whenever as
/// many as are left have come in addition.
const REMEMBERED: usize = 16_384;

/// The generations of tags, of regions and of everything, as far as they are known here.
///
/// Generations come from the remote level, where one place issues and logs them. Without one that has
/// generations they are counted here.
pub(crate) struct Tags {
    remote: bool,
    all: Arc<Cell>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Up to where the log was read; without a remote level, the last generation issued.
    position: Option<Version>,
    /// The latest generation that was learnt of: one that is later was issued afterwards.
    latest: Option<Version>,
    /// Counts what was learnt, changed and forgotten.
    changes: u64,
    /// Moves when what was known has been thrown away: earlier questions are void.
    era: u64,
    regions: HashMap<&'static str, Arc<Names>>,
    tags: HashMap<Box<str>, Arc<Cell>>,
    /// At how many tags they are looked through.
    full: usize,
    /// Names whose new generation the remote level has not issued yet: what it says of them is old.
    pending: HashSet<Box<str>>,
}

/// What belongs to a region.
#[derive(Debug)]
pub(crate) struct Names {
    /// Moves with every clear that is learnt of: entries read before are unusable.
    pub(crate) epoch: Arc<Cell>,
    /// The region's generation at the remote level; 0 if it is not known.
    pub(crate) generation: Arc<Cell>,
    /// The name of the generation.
    pub(crate) name: Box<str>,
}

/// From where the log of generations is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) position: Option<Version>,
    era: u64,
}

/// What was known of generations at some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Knowledge {
    latest: Option<Version>,
    changes: u64,
}

impl Tags {
    /// `remote`: generations come from the remote level.
    pub(crate) fn new(remote: bool) -> Self {
        Self {
            remote,
            all: Cell::new(ALL, u64::from(!remote)),
            inner: Mutex::new(Inner {
                position: (!remote).then_some(1),
                latest: (!remote).then_some(1),
                changes: 0,
                era: 0,
                regions: HashMap::new(),
                tags: HashMap::new(),
                full: REMEMBERED,
                pending: HashSet::new(),
            }),
        }
    }

    pub(crate) fn is_remote(&self) -> bool {
        self.remote
    }

    pub(crate) fn all(&self) -> &Arc<Cell> {
        &self.all
    }

    pub(crate) fn region(&self, region: &'static str) -> Arc<Names> {
        let known = u64::from(!self.remote);
        let names = || {
            let name = format!("r:{region}").into_boxed_str();
            Arc::new(Names {
                epoch: Cell::new("region", 1),
                generation: Cell::new(&name, known),
                name,
            })
        };
        Arc::clone(self.inner().regions.entry(region).or_insert_with(names))
    }

    pub(crate) fn tag(&self, tag: &str) -> Arc<Cell> {
        let mut inner = self.inner();
        if let Some(cell) = inner.tags.get(tag) {
            return Arc::clone(cell);
        }
        if inner.tags.len() >= inner.full {
            inner.tags.retain(|_, cell| Arc::strong_count(cell) > 1);
            inner.full = REMEMBERED.max(inner.tags.len() * 2);
        }
        let cell = Cell::new(tag, u64::from(!self.remote));
        inner.tags.insert(tag.into(), Arc::clone(&cell));
        cell
    }

    pub(crate) fn asked(&self) -> Asked {
        let inner = self.inner();
        Asked {
            position: inner.position,
            era: inner.era,
        }
    }

    /// What is known at this moment.
    pub(crate) fn knowledge(&self) -> Knowledge {
        let inner = self.inner();
        Knowledge {
            latest: inner.latest,
            changes: inner.changes,
        }
    }

    /// Takes what the log said since `asked`, and the generations of `names` that were read after it.
    pub(crate) fn apply(
        &self,
        asked: Asked,
        answer: LogAnswer<NewGeneration>,
        names: &[&str],
        generations: &[Version],
    ) {
        let mut inner = self.inner();
        if inner.era != asked.era {
            return;
        }
        let position = answer.position;
        let gap = answer.gap;
        let answered = if gap {
            Applied::Gap
        } else {
            Applied::Entries(answer.entries)
        };
        match answered {
            Applied::Gap => inner.forget(&self.all),
            Applied::Entries(entries) => {
                for NewGeneration { name, generation } in &entries {
                    inner.set(&self.all, name, *generation, false);
                }
            }
        }
        inner.learnt(position);
        for generation in generations {
            inner.learnt(*generation);
        }
        // A generation read before the position that others have reached may have changed in between,
        // and nobody would read of it.
        let current = inner.position.is_none_or(|reached| position >= reached);
        inner.position = match (asked.position, inner.position) {
            (None, Some(before)) => Some(before),
            // A position that is lost is of no use, even if it was later.
            _ if gap => Some(position),
            (_, before) => before.max(Some(position)),
        };
        if current {
            for (name, generation) in names.iter().zip(generations) {
                inner.set(&self.all, name, *generation, true);
            }
        }
    }

    /// Takes a generation that the remote level has issued for this process.
    pub(crate) fn advanced(&self, names: &[&str], generation: Version) {
        let mut inner = self.inner();
        inner.learnt(generation);
        for name in names {
            inner.pending.remove(*name);
            inner.set(&self.all, name, generation, false);
        }
    }

    /// Issues a generation where the remote level has none.
    pub(crate) fn advance_here(&self, names: &[&str]) {
        for tag in names.iter().filter_map(|name| name.strip_prefix("t:")) {
            // A load that is under way may add the tag: it has to find the new generation.
            self.tag(tag);
        }
        let mut inner = self.inner();
        let next = inner.position.unwrap_or(1) + 1;
        inner.position = Some(next);
        inner.learnt(next);
        for name in names {
            inner.set(&self.all, name, next, false);
        }
    }

    /// Makes generations unknown until [`Tags::advanced`], because the remote level does not answer:
    /// nothing that it keeps under them may be served.
    pub(crate) fn suspend(&self, names: &[&str]) {
        let mut inner = self.inner();
        inner.changes += 1;
        for name in names {
            inner.unknown(&self.all, name);
            inner.pending.insert((*name).into());
        }
    }

    /// A guard on a tag that a loader added: as it was at `start`, or `None` if it has changed since.
    pub(crate) fn late_guard(&self, tag: &str, start: Knowledge) -> Option<Guard> {
        let guard = self.tag(tag).guard();
        let unchanged = if is_known(guard.seen()) {
            start.latest.is_some_and(|latest| guard.seen() <= latest)
        } else {
            self.knowledge().changes == start.changes
        };
        unchanged.then_some(guard)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn learnt(&mut self, generation: Version) {
        self.changes += 1;
        self.latest = self.latest.max(Some(generation));
    }

    /// Raises the generation of a name that is in use here. `first`: it was not known, rather than
    /// changed.
    fn set(&self, all: &Arc<Cell>, name: &str, generation: Version, first: bool) {
        if self.pending.contains(name) {
            return;
        }
        if name == ALL {
            if all.learn(generation) && !first {
                self.regions.values().for_each(|names| names.epoch.bump());
            }
        } else if let Some(region) = name.strip_prefix("r:") {
            if let Some(names) = self.regions.get(region)
                && names.generation.learn(generation)
                && !first
            {
                names.epoch.bump();
            }
        } else if let Some(cell) = name.strip_prefix("t:").and_then(|tag| self.tags.get(tag)) {
            cell.learn(generation);
        }
    }

    /// Makes a generation unknown, so that nothing that depends on it is served until it was read.
    fn unknown(&self, all: &Arc<Cell>, name: &str) {
        if name == ALL {
            all.forget();
            self.regions.values().for_each(|names| names.epoch.bump());
        } else if let Some(region) = name.strip_prefix("r:") {
            if let Some(names) = self.regions.get(region) {
                names.generation.forget();
                names.epoch.bump();
            }
        } else if let Some(cell) = name.strip_prefix("t:").and_then(|tag| self.tags.get(tag)) {
            cell.forget();
        }
    }

    fn forget(&mut self, all: &Arc<Cell>) {
        self.era += 1;
        self.changes += 1;
        all.forget();
        for names in self.regions.values() {
            names.generation.forget();
            names.epoch.bump();
        }
        self.tags.values().for_each(|cell| cell.forget());
    }
}

/// The name of a tag's generation.
pub(crate) fn tag_name(tag: &str) -> String {
    format!("t:{tag}")
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tags")
            .field("remote", &self.remote)
            .field("all", &self.all)
            .finish_non_exhaustive()
    }
}
