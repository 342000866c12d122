use deadpool_redis::redis::{self, Cmd};
use std::borrow::Cow;
use std::fmt;

/// A Lua script, known to servers by its hash. Make it once and keep it.
///
/// ```
/// let script = faas_sdk_redis::Script::new("return ARGV[1]");
/// assert_eq!(script.hash().len(), 40);
/// ```
#[derive(Clone)]
pub struct Script {
    code: Cow<'static, str>,
    hash: String,
}

impl Script {
    /// A script of this code. Nothing is sent.
    #[must_use]
    pub fn new(code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        let hash = redis::Script::new(&code).get_hash().to_owned();
        Self { code, hash }
    }

    /// The SHA-1 of its code in hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The call for a server that knows the script.
    pub(crate) fn by_hash<K: AsRef<[u8]>, A: AsRef<[u8]>>(&self, keys: &[K], args: &[A]) -> Cmd {
        call("EVALSHA", &self.hash, keys, args)
    }

    /// The call for one that does not; it does afterwards.
    pub(crate) fn by_code<K: AsRef<[u8]>, A: AsRef<[u8]>>(&self, keys: &[K], args: &[A]) -> Cmd {
        call("EVAL", &self.code, keys, args)
    }
}

fn call<K: AsRef<[u8]>, A: AsRef<[u8]>>(name: &str, script: &str, keys: &[K], args: &[A]) -> Cmd {
    let keys_len: usize = keys.iter().map(|key| key.as_ref().len()).sum();
    let args_len: usize = args.iter().map(|arg| arg.as_ref().len()).sum();
    let mut command = Cmd::with_capacity(
        3 + keys.len() + args.len(),
        name.len() + script.len() + keys_len + args_len + 20,
    );
    command.arg(name).arg(script).arg(keys.len());
    for key in keys {
        command.arg(key.as_ref());
    }
    for arg in args {
        command.arg(arg.as_ref());
    }
    command
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Script").field(&self.hash).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_calls_have_the_same_arguments() {
        let script = Script::new("return KEYS[1]");
        assert_eq!(script.hash(), "4a2267357833227dd98abdedb8cf24b15a986445");
        let (keys, args) = (["one", "two"], [&b"\x00"[..]]);
        let by_hash = script.by_hash(&keys, &args).get_packed_command();
        let by_code = script.by_code(&keys, &args).get_packed_command();
        let tail = b"$1\r\n2\r\n$3\r\none\r\n$3\r\ntwo\r\n$1\r\n\x00\r\n";
        assert!(
            by_hash.starts_with(b"*6\r\n$7\r\nEVALSHA\r\n$40\r\n4a22") && by_hash.ends_with(tail)
        );
        assert!(
            by_code.starts_with(b"*6\r\n$4\r\nEVAL\r\n$14\r\nreturn") && by_code.ends_with(tail)
        );
    }
}
