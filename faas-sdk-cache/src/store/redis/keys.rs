use faas_sdk_redis::redis::{RedisWrite, ToRedisArgs, ToSingleRedisArg};
use std::io::Write as _;

/// A namespace that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a namespace is 1 to 64 visible ASCII characters other than braces")]
pub struct InvalidNamespace;

/// The keys of a namespace. The part in braces decides where a cluster keeps a key: what one script
/// touches has the same.
#[derive(Debug)]
pub(super) struct Keys {
    shards: Box<[ShardKeys]>,
    pub(super) generations: String,
    pub(super) tag_log: String,
}

/// The keys of a shard.
#[derive(Debug)]
pub(super) struct ShardKeys {
    pub(super) counter: String,
    pub(super) log: String,
    values: String,
    leases: String,
}

/// A key of two parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joined<'a>(&'a str, &'a [u8]);

impl Keys {
    pub(super) fn new(namespace: &str, shards: u16) -> Result<Self, InvalidNamespace> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
        if namespace.is_empty() || namespace.len() > 64 || !namespace.bytes().all(allowed) {
            return Err(InvalidNamespace);
        }
        let shard = |index| ShardKeys {
            counter: format!("{{{namespace}:{index}}}:ver"),
            log: format!("{{{namespace}:{index}}}:log"),
            values: format!("{{{namespace}:{index}}}:v:"),
            leases: format!("{{{namespace}:{index}}}:l:"),
        };
        Ok(Self {
            shards: (0..shards).map(shard).collect(),
            generations: format!("{{{namespace}:tags}}:gen"),
            tag_log: format!("{{{namespace}:tags}}:log"),
        })
    }

    pub(super) fn shards(&self) -> u16 {
        u16::try_from(self.shards.len()).unwrap_or(u16::MAX)
    }

    pub(super) fn shard(&self, index: u16) -> Option<&ShardKeys> {
        self.shards.get(usize::from(index))
    }
}

impl ShardKeys {
    pub(super) fn value<'a>(&'a self, key: &'a [u8]) -> Joined<'a> {
        Joined(&self.values, key)
    }

    pub(super) fn lease<'a>(&'a self, key: &'a [u8]) -> Joined<'a> {
        Joined(&self.leases, key)
    }

    /// How long the part of a value's key is that is not the caller's.
    pub(super) fn prefix_len(&self) -> usize {
        self.values.len()
    }
}

impl Joined<'_> {
    pub(super) fn len(&self) -> usize {
        self.0.len() + self.1.len()
    }

    pub(super) fn to_vec(self) -> Vec<u8> {
        [self.0.as_bytes(), self.1].concat()
    }
}

impl ToRedisArgs for Joined<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut arg = out.writer_for_next_arg();
        // Writing into memory does not fail.
        let _written = arg.write_all(self.0.as_bytes());
        let _written = arg.write_all(self.1);
    }
}

impl ToSingleRedisArg for Joined<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_checked() {
        for namespace in ["", "a b", "a{b", "a}b", "ä", "a\n", &"a".repeat(65)] {
            assert_eq!(
                Keys::new(namespace, 1).err(),
                Some(InvalidNamespace),
                "{namespace:?}"
            );
        }
        for namespace in ["a", "shop:prod/eu.1_2-3", &"a".repeat(64)] {
            assert!(Keys::new(namespace, 1).is_ok(), "{namespace:?}");
        }
    }

    #[test]
    fn keys_of_a_shard_share_their_slot() {
        let keys = Keys::new("ns", 2).expect("valid");
        let shard = keys.shard(1).expect("there are two");
        assert_eq!(shard.value(b"{k}\xFF").to_vec(), b"{ns:1}:v:{k}\xFF");
        assert_eq!(shard.lease(b"k").to_redis_args(), [b"{ns:1}:l:k"]);
        assert_eq!(
            (&shard.counter[..], &shard.log[..]),
            ("{ns:1}:ver", "{ns:1}:log")
        );
        assert_eq!(shard.prefix_len(), "{ns:1}:v:".len());
        assert_eq!(
            (&keys.generations[..], &keys.tag_log[..]),
            ("{ns:tags}:gen", "{ns:tags}:log")
        );
        assert!(keys.shard(2).is_none() && keys.shards() == 2);
    }
}
