//! What is measured: ours and the peers.

use crate::bench::build::Built;
use anyhow::Result;

/// How a program is built.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// The example `hello` of the main workspace, with these features and no others.
    Hello(&'static str),
    /// The binary of the program's name in this package of the peers' workspace.
    Peer(&'static str),
}

/// What a program is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// 24 bytes that come back.
    Echo,
    /// A name, answered by a greeting.
    Hello,
}

/// How many processors a program may use.
#[derive(Clone, Copy, Debug)]
pub(super) enum Threads {
    /// One.
    One,
    /// Several, as far as the machine has them.
    Many,
}

/// One measured program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) origin: Origin,
    pub(super) work: Work,
    pub(super) threads: Threads,
}

pub(super) const START: &str = "faas-sdk-start";
pub(super) const CURRENT: &str = "faas-sdk-current";
pub(super) const MULTI: &str = "faas-sdk-multi";
pub(super) const HELLO: &str = "faas-sdk-hello";
pub(super) const HELLO_LOG: &str = "faas-sdk-hello-log";
pub(super) const PEER_CURRENT: &str = "lambda-runtime-current";
pub(super) const PEER_MULTI: &str = "lambda-runtime-multi";
pub(super) const PEER_HELLO: &str = "lambda-runtime-hello";
pub(super) const PEER_HELLO_LOG: &str = "lambda-runtime-hello-log";
pub(super) const STD: &str = "std-loop";

const OURS: Origin = Origin::Peer("faas-sdk-echo");
const PEER: Origin = Origin::Peer("lambda-runtime-echo");

/// All programs, in the order of a round.
pub(super) const PROGRAMS: [Program; 10] = [
    program(STD, Origin::Peer("std-loop"), Work::Echo, Threads::One),
    program(START, OURS, Work::Echo, Threads::One),
    program(CURRENT, OURS, Work::Echo, Threads::One),
    program(PEER_CURRENT, PEER, Work::Echo, Threads::One),
    program(MULTI, OURS, Work::Echo, Threads::Many),
    program(PEER_MULTI, PEER, Work::Echo, Threads::Many),
    program(
        HELLO,
        Origin::Hello("platform-aws-lambda"),
        Work::Hello,
        Threads::Many,
    ),
    program(
        PEER_HELLO,
        Origin::Peer(PEER_HELLO),
        Work::Hello,
        Threads::Many,
    ),
    program(
        HELLO_LOG,
        Origin::Hello("platform-aws-lambda,log"),
        Work::Hello,
        Threads::Many,
    ),
    program(
        PEER_HELLO_LOG,
        Origin::Peer(PEER_HELLO_LOG),
        Work::Hello,
        Threads::Many,
    ),
];

/// Who is compared with whom: ours first.
pub(super) const PAIRS: [(&str, &str); 6] = [
    (MULTI, PEER_MULTI),
    (CURRENT, PEER_CURRENT),
    (START, PEER_CURRENT),
    (START, STD),
    (HELLO, PEER_HELLO),
    (HELLO_LOG, PEER_HELLO_LOG),
];

const fn program(name: &'static str, origin: Origin, work: Work, threads: Threads) -> Program {
    Program {
        name,
        origin,
        work,
        threads,
    }
}

impl Program {
    /// Builds it and keeps it under its name.
    pub(super) fn build(&self, built: &Built) -> Result<()> {
        match self.origin {
            Origin::Hello(features) => {
                let package = ["--package", "hello", "--bin", "hello"];
                let features = ["--no-default-features", "--features", features];
                built.own(&[&package[..], &features].concat(), "hello", self.name)
            }
            Origin::Peer(package) => built.peer(package, self.name),
        }
    }
}

impl Work {
    /// The event, and the answer that is right.
    pub(super) const fn event_and_answer(self) -> (&'static str, &'static str) {
        match self {
            Self::Echo => (r#"{"text":"thirteen char"}"#, r#"{"text":"thirteen char"}"#),
            Self::Hello => (r#"{"name":"world"}"#, r#"{"message":"Hello, world!"}"#),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Work;

    #[test]
    fn the_echo_is_of_the_stated_size() {
        assert_eq!(Work::Echo.event_and_answer().0.len(), 24);
    }
}
