//! What is measured: ours and the peers, in the process and on Redis.

/// What is asked of a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Work {
    /// Hits of values in its process.
    Local,
    /// Values read from Redis, on a tokio runtime of this flavour.
    Remote(&'static str),
    /// What a miss, a read of many keys and a crowd cost in Redis.
    Counts,
}

/// One measured program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    /// The package and the binary in the peers' workspace.
    pub(super) package: &'static str,
    /// Which of its caches, where it has several.
    pub(super) cache: &'static str,
    pub(super) work: Work,
}

pub(super) const OURS: &str = "faas-sdk-cache";
pub(super) const SCOPE: &str = "faas-sdk-cache in a scope";
pub(super) const STORE: &str = "faas-sdk-cache before a store";
pub(super) const MOKA: &str = "moka";
const MOKA_TTL: &str = "moka with a lifetime";
const CACHED: &str = "cached, sharded";
const CACHED_BY_KEY: &str = "cached, one loader";
const HITBOX: &str = "hitbox";

pub(super) const OURS_CURRENT: &str = "faas-sdk-cache, current";
pub(super) const BARE_CURRENT: &str = "one connection, current";
pub(super) const POOL_CURRENT: &str = "pool, current";
pub(super) const OURS_MULTI: &str = "faas-sdk-cache, multi";
pub(super) const BARE_MULTI: &str = "one connection, multi";
pub(super) const POOL_MULTI: &str = "pool, multi";

pub(super) const COUNTS: &str = "faas-sdk-cache, counts";

/// Those in the process, in the order of a round.
pub(super) const LOCAL: [Program; 8] = [
    local(MOKA, "cache-moka", "plain"),
    local(OURS, "cache-faas-sdk", "local"),
    local(STORE, "cache-faas-sdk", "memory"),
    local(SCOPE, "cache-faas-sdk", "scope"),
    local(MOKA_TTL, "cache-moka", "ttl"),
    local(CACHED, "cache-cached", "sharded"),
    local(CACHED_BY_KEY, "cache-cached", "by-key"),
    local(HITBOX, "cache-hitbox", "only"),
];

/// Those on Redis.
pub(super) const REMOTE: [Program; 6] = [
    remote(BARE_CURRENT, "cache-redis", "multiplexed", "current"),
    remote(OURS_CURRENT, "cache-faas-sdk-redis", "only", "current"),
    remote(POOL_CURRENT, "cache-redis", "pool", "current"),
    remote(BARE_MULTI, "cache-redis", "multiplexed", "multi"),
    remote(OURS_MULTI, "cache-faas-sdk-redis", "only", "multi"),
    remote(POOL_MULTI, "cache-redis", "pool", "multi"),
];

/// What is counted.
pub(super) const COUNTED: Program = Program {
    name: COUNTS,
    package: "cache-faas-sdk-redis",
    cache: "only",
    work: Work::Counts,
};

/// Who is compared with whom in the process: ours first.
pub(super) const LOCAL_PAIRS: [(&str, &str); 8] = [
    (OURS, MOKA),
    (STORE, MOKA),
    (SCOPE, MOKA),
    (OURS, MOKA_TTL),
    (OURS, CACHED),
    (OURS, CACHED_BY_KEY),
    (OURS, HITBOX),
    (MOKA_TTL, MOKA),
];

/// The same on Redis.
pub(super) const REMOTE_PAIRS: [(&str, &str); 4] = [
    (OURS_CURRENT, BARE_CURRENT),
    (OURS_MULTI, BARE_MULTI),
    (OURS_CURRENT, POOL_CURRENT),
    (OURS_MULTI, POOL_MULTI),
];

/// All programs, in the order of a round.
pub(super) fn all() -> Vec<Program> {
    let counted = std::iter::once(COUNTED);
    LOCAL.into_iter().chain(REMOTE).chain(counted).collect()
}

const fn local(name: &'static str, package: &'static str, cache: &'static str) -> Program {
    Program {
        name,
        package,
        cache,
        work: Work::Local,
    }
}

const fn remote(
    name: &'static str,
    package: &'static str,
    cache: &'static str,
    flavor: &'static str,
) -> Program {
    Program {
        name,
        package,
        cache,
        work: Work::Remote(flavor),
    }
}
