//! How much memory the level in this process takes, if nothing is set.

use std::path::{Component, Path};

const MIB: u64 = 1 << 20;

/// What share of the instance's memory it may take.
pub(crate) const DEFAULT_SHARE: f64 = 1.0 / 16.0;

/// What is assumed of an instance that does not tell its memory.
const UNKNOWN: u64 = 128 * MIB;

const LEAST: u64 = 4 * MIB;
const MOST: u64 = 1024 * MIB;

/// Bounds of memory in megabytes, as platforms set them: AWS Lambda, Google Cloud Functions.
const VARIABLES: [&str; 2] = ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "FUNCTION_MEMORY_MB"];

/// A bound in bytes: a share of the memory that the instance may use, at least 4 MiB, at most 1 GiB.
pub(crate) fn capacity(share: f64) -> u64 {
    let host = Host {
        file: &|path| std::fs::read_to_string(path).ok(),
        variable: &|name| std::env::var(name).ok(),
    };
    share_of(host.memory(), share)
}

fn share_of(memory: Option<u64>, share: f64) -> u64 {
    let share = memory.unwrap_or(UNKNOWN) as f64 * share;
    // A float becomes the nearest integer that there is.
    (share as u64).clamp(LEAST, MOST)
}

/// What can be learnt of an instance.
struct Host<'a> {
    file: &'a dyn Fn(&Path) -> Option<String>,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Host<'_> {
    /// How many bytes of memory the instance may use: the least of all bounds, since each of them is
    /// enforced, and the machine's memory bounds what has no other bound.
    fn memory(&self) -> Option<u64> {
        let variables = VARIABLES.iter().filter_map(|name| {
            let megabytes: u64 = (self.variable)(name)?.trim().parse().ok()?;
            Some(megabytes.saturating_mul(MIB))
        });
        let bounds = variables.chain(self.control_groups()).chain(self.machine());
        bounds.filter(|bytes| *bytes > 0).min()
    }

    /// The bounds of the process's control groups and of all that these are in, of both versions.
    fn control_groups(&self) -> Vec<u64> {
        let groups = (self.file)(Path::new("/proc/self/cgroup")).unwrap_or_default();
        let mut bounds = Vec::new();
        for line in groups.lines() {
            // hierarchy:controllers:path, the hierarchy of version 2 being 0 and without controllers.
            let mut fields = line.splitn(3, ':');
            let (Some(hierarchy), Some(controllers), Some(path)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if hierarchy == "0" && controllers.is_empty() {
                self.bounds_along("/sys/fs/cgroup", path, "memory.max", &mut bounds);
            } else if controllers
                .split(',')
                .any(|controller| controller == "memory")
            {
                self.bounds_along(
                    "/sys/fs/cgroup/memory",
                    path,
                    "memory.limit_in_bytes",
                    &mut bounds,
                );
            }
        }
        bounds
    }

    /// Reads `file` of a group and of its parents. In a container the path may be the host's while the
    /// root is the container's own group: then only the root is found, which is the bound.
    fn bounds_along(&self, root: &str, path: &str, file: &str, bounds: &mut Vec<u64>) {
        let mut directory = Path::new(root).to_owned();
        let names = Path::new(path)
            .components()
            .filter_map(|component| match component {
                Component::Normal(name) => Some(name),
                _ => None,
            });
        bounds.extend(self.number(&directory.join(file)));
        for name in names {
            directory.push(name);
            bounds.extend(self.number(&directory.join(file)));
        }
    }

    /// What a file says that holds a number; `max` is none.
    fn number(&self, path: &Path) -> Option<u64> {
        (self.file)(path)?.trim().parse().ok()
    }

    /// The memory of the machine.
    fn machine(&self) -> Option<u64> {
        let text = (self.file)(Path::new("/proc/meminfo"))?;
        let total = text
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kibibytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes.saturating_mul(1024))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn memory(files: Pairs<'_>, variables: Pairs<'_>) -> Option<u64> {
        let find = |pairs: Pairs<'_>, wanted: &str| {
            let found = pairs.iter().find(|(name, _)| *name == wanted)?;
            Some(found.1.to_owned())
        };
        let host = Host {
            file: &|path| find(files, path.to_str().expect("UTF-8")),
            variable: &|name| find(variables, name),
        };
        host.memory()
    }

    const MEMINFO: (&str, &str) = (
        "/proc/meminfo",
        "MemTotal:        8388608 kB\nMemFree:          100000 kB\n",
    );
    const V2: (&str, &str) = ("/proc/self/cgroup", "0::/kubepods/pod1/app\n");

    #[test]
    fn the_smallest_bound_of_the_own_group_and_its_parents_counts() {
        let pod = ("/sys/fs/cgroup/kubepods/pod1/memory.max", "268435456\n");
        let all = ("/sys/fs/cgroup/kubepods/memory.max", "4294967296\n");
        let own = |bound| ("/sys/fs/cgroup/kubepods/pod1/app/memory.max", bound);
        assert_eq!(
            memory(&[V2, MEMINFO, all, pod, own("max\n")], &[]),
            Some(256 * MIB)
        );
        assert_eq!(
            memory(&[V2, MEMINFO, all, pod, own("134217728\n")], &[]),
            Some(128 * MIB)
        );
        assert_eq!(memory(&[V2, MEMINFO, all], &[]), Some(4096 * MIB));
        assert_eq!(memory(&[V2, MEMINFO, own("max\n")], &[]), Some(8192 * MIB));
    }

    #[test]
    fn the_path_may_be_that_of_the_host() {
        let root = ("/sys/fs/cgroup/memory.max", "268435456\n");
        for path in ["0::/\n", "0::/docker/0123\n", "0::/../..\n", "0::\n"] {
            assert_eq!(
                memory(&[("/proc/self/cgroup", path), MEMINFO, root], &[]),
                Some(256 * MIB),
                "{path}"
            );
        }
    }

    #[test]
    fn control_groups_of_version_1_count() {
        let groups = "12:cpu,cpuacct:/a\n5:memory:/docker/x:y\n1:name=systemd:/b\n0::/c\n";
        let own = (
            "/sys/fs/cgroup/memory/docker/x:y/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        let root = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
        let groups = ("/proc/self/cgroup", groups);
        assert_eq!(memory(&[groups, own, root, MEMINFO], &[]), Some(512 * MIB));
        assert_eq!(
            memory(&[groups, own, MEMINFO], &[]),
            Some(8192 * MIB),
            "no bound is no bound"
        );
    }

    #[test]
    fn variables_of_platforms_count() {
        assert_eq!(
            memory(&[], &[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")]),
            Some(512 * MIB)
        );
        assert_eq!(
            memory(&[MEMINFO], &[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")]),
            Some(512 * MIB)
        );
        assert_eq!(
            memory(&[MEMINFO], &[("FUNCTION_MEMORY_MB", "256")]),
            Some(256 * MIB)
        );
        for nonsense in ["", "many", "0", "-1", "99999999999999999999"] {
            assert_eq!(
                memory(&[MEMINFO], &[("FUNCTION_MEMORY_MB", nonsense)]),
                Some(8192 * MIB),
                "{nonsense}"
            );
        }
    }

    #[test]
    fn the_machine_counts_where_nothing_else_is_known() {
        assert_eq!(memory(&[MEMINFO], &[]), Some(8192 * MIB));
        for nonsense in [
            "",
            "MemFree: 1 kB\n",
            "MemTotal:\n",
            "MemTotal: x kB\n",
            "MemTotal: 5\n",
        ] {
            assert_eq!(
                memory(&[("/proc/meminfo", nonsense)], &[]),
                None,
                "{nonsense}"
            );
        }
        let huge = ("/proc/meminfo", "MemTotal: 18446744073709551615 kB\n");
        assert_eq!(memory(&[huge], &[]), Some(u64::MAX));
        assert_eq!(
            memory(&[("/proc/self/cgroup", "nonsense\n0:\n::\n")], &[]),
            None
        );
    }

    #[test]
    fn the_share_is_bounded() {
        assert_eq!(share_of(Some(512 * MIB), DEFAULT_SHARE), 32 * MIB);
        assert_eq!(share_of(None, DEFAULT_SHARE), 8 * MIB);
        assert_eq!(share_of(Some(MIB), DEFAULT_SHARE), LEAST);
        assert_eq!(share_of(Some(u64::MAX), DEFAULT_SHARE), MOST);
        for share in [f64::NAN, -1.0, f64::NEG_INFINITY] {
            assert_eq!(share_of(Some(512 * MIB), share), LEAST);
        }
        assert_eq!(share_of(Some(512 * MIB), f64::INFINITY), MOST);
        assert!((LEAST..=MOST).contains(&capacity(DEFAULT_SHARE)));
    }
}
