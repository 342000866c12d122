//! Which processors host and programs run on.

use super::program::Threads;
use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::fmt::{self, Display, Formatter};

/// The processors of this machine, dealt out.
///
/// A program of one thread shares the host's processor unless told otherwise. The two never have
/// work at the same time, and waking each other across the processors of a virtual machine costs
/// either of them more than all its work: that cost is the machine's, and hides what is compared.
#[derive(Debug)]
pub(super) struct Processors {
    allowed: Vec<usize>,
    apart: bool,
}

impl Processors {
    /// The processors this process may use; `apart` keeps programs of one thread off the host's.
    pub(super) fn detect(apart: bool) -> Result<Self> {
        let set = sched_getaffinity(Pid::from_raw(0)).context("reading the processor affinity")?;
        let allowed = (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false));
        Ok(Self {
            allowed: allowed.collect(),
            apart,
        })
    }

    /// The host's own.
    pub(super) fn host(&self) -> &[usize] {
        &self.allowed[..self.allowed.len().min(1)]
    }

    /// A program's: several threads get all but the host's where that leaves at least two.
    pub(super) fn program(&self, threads: Threads) -> &[usize] {
        match (threads, self.allowed.len()) {
            (_, 0 | 1) | (Threads::Many, 2) => &self.allowed,
            (Threads::One, _) if self.apart => &self.allowed[1..2],
            (Threads::One, _) => self.host(),
            (Threads::Many, _) => &self.allowed[1..],
        }
    }

    /// Calls `spawn` confined to `cpus`: what it starts inherits that.
    pub(super) fn confined<T>(cpus: &[usize], spawn: impl FnOnce() -> T) -> Result<T> {
        let own = Pid::from_raw(0);
        let before = sched_getaffinity(own).context("reading the processor affinity")?;
        let mut set = CpuSet::new();
        for cpu in cpus {
            set.set(*cpu).context("choosing processors")?;
        }
        sched_setaffinity(own, &set).context("setting the processor affinity")?;
        let spawned = spawn();
        sched_setaffinity(own, &before).context("restoring the processor affinity")?;
        Ok(spawned)
    }
}

impl Display for Processors {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (host, one) = (self.host(), self.program(Threads::One));
        let many = self.program(Threads::Many);
        write!(
            f,
            "host on {host:?}, current-thread and std on {one:?}, multi-thread on {many:?}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Processors, Threads};

    fn deal(allowed: &[usize], apart: bool) -> [Vec<usize>; 3] {
        let all = Processors {
            allowed: allowed.to_vec(),
            apart,
        };
        let program = |threads| all.program(threads).to_vec();
        [
            all.host().to_vec(),
            program(Threads::One),
            program(Threads::Many),
        ]
    }

    #[test]
    fn one_thread_shares_the_hosts_processor_or_not_as_told() {
        assert_eq!(
            deal(&[0, 1, 2, 3], false),
            [vec![0], vec![0], vec![1, 2, 3]]
        );
        assert_eq!(deal(&[0, 1, 2, 3], true), [vec![0], vec![1], vec![1, 2, 3]]);
    }

    #[test]
    fn several_threads_have_several_processors_where_there_are_any() {
        assert_eq!(deal(&[4, 7], false), [vec![4], vec![4], vec![4, 7]]);
        assert_eq!(deal(&[4, 7], true), [vec![4], vec![7], vec![4, 7]]);
        assert_eq!(deal(&[5], true), [[5], [5], [5]]);
    }
}
