//! The scripts, and how their calls are put together.

use super::keys::ShardKeys;
use faas_sdk_redis::Script;
use std::borrow::Cow;
use std::time::Duration;

macro_rules! script {
    ($($file:literal)+) => {
        Script::new(concat!(include_str!("lua/prelude.lua"), $("\n", include_str!(concat!("lua/", $file))),+))
    };
}

#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) lease: Script,
    pub(super) fill: Script,
    pub(super) release: Script,
    pub(super) write: Script,
    pub(super) invalidate: Script,
    pub(super) origin: Script,
    pub(super) begin: Script,
    pub(super) advance: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            lease: script!("deadline.lua" "lease.lua"),
            fill: script!("versions.lua" "envelopes.lua" "fill.lua"),
            release: script!("release.lua"),
            write: script!("deadline.lua" "versions.lua" "envelopes.lua" "write.lua"),
            invalidate: script!("versions.lua" "envelopes.lua" "invalidate.lua"),
            origin: script!("versions.lua" "origin.lua"),
            begin: script!("generations.lua" "begin.lua"),
            advance: script!("generations.lua" "advance.lua"),
        }
    }
}

/// Keys and arguments of a script.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) args: Vec<Cow<'a, [u8]>>,
}

impl<'a> Call<'a> {
    /// A call that issues versions.
    pub(super) fn of_shard(shard: &ShardKeys) -> Self {
        Self::of(&shard.counter, &shard.log)
    }

    pub(super) fn of(first: &str, second: &str) -> Self {
        Self {
            keys: vec![first.into(), second.into()],
            args: Vec::new(),
        }
    }

    pub(super) fn arg(&mut self, arg: &'a [u8]) -> &mut Self {
        self.args.push(Cow::Borrowed(arg));
        self
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.args.push(Cow::Owned(number.to_string().into_bytes()));
        self
    }

    pub(super) fn time(&mut self, time: Duration) -> &mut Self {
        // Redis takes neither 0 nor what overflows its clock.
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.number(millis.clamp(1, 1 << 52))
    }

    /// Leaves room for the deadline, which comes before all other arguments.
    pub(super) fn with_deadline(mut self) -> Self {
        self.args.insert(0, Cow::Borrowed(&[]));
        self
    }

    /// Sets the time on the server's clock after which the call is void.
    pub(super) fn set_deadline(&mut self, micros: Option<u64>) {
        if let Some(deadline) = self.args.first_mut() {
            let text = micros.map_or(String::new(), |micros| micros.to_string());
            *deadline = Cow::Owned(text.into_bytes());
        }
    }

    /// The value's key and the lease's.
    pub(super) fn pair(&mut self, shard: &ShardKeys, key: &[u8]) {
        self.keys.push(shard.value(key).to_vec());
        self.keys.push(shard.lease(key).to_vec());
    }
}
