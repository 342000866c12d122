//! What is measured: ours and the peers, each on two sinks.

/// Where a program's lines go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sink {
    /// Nowhere, once they are complete.
    Null,
    /// To its standard output, a pipe that the bench drains.
    Pipe,
}

/// One measured program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    /// The package and the binary in the peers' workspace.
    pub(super) package: &'static str,
    pub(super) sink: Sink,
}

pub(super) const OURS_NULL: &str = "faas-sdk-log, null";
pub(super) const TRACING_NULL: &str = "tracing-subscriber, null";
pub(super) const JSON_NULL: &str = "json-subscriber, null";
const BUNYAN_NULL: &str = "bunyan, null";
const OURS_PIPE: &str = "faas-sdk-log, pipe";
const TRACING_PIPE: &str = "tracing-subscriber, pipe";
const JSON_PIPE: &str = "json-subscriber, pipe";
const BUNYAN_PIPE: &str = "bunyan, pipe";

/// All programs, in the order of a round.
pub(super) const PROGRAMS: [Program; 8] = [
    program(OURS_NULL, "log-faas-sdk", Sink::Null),
    program(TRACING_NULL, "log-tracing-subscriber", Sink::Null),
    program(JSON_NULL, "log-json-subscriber", Sink::Null),
    program(BUNYAN_NULL, "log-bunyan", Sink::Null),
    program(OURS_PIPE, "log-faas-sdk", Sink::Pipe),
    program(TRACING_PIPE, "log-tracing-subscriber", Sink::Pipe),
    program(JSON_PIPE, "log-json-subscriber", Sink::Pipe),
    program(BUNYAN_PIPE, "log-bunyan", Sink::Pipe),
];

/// Who is compared with whom: ours first.
pub(super) const PAIRS: [(&str, &str); 6] = [
    (OURS_NULL, TRACING_NULL),
    (OURS_NULL, JSON_NULL),
    (OURS_NULL, BUNYAN_NULL),
    (OURS_PIPE, TRACING_PIPE),
    (OURS_PIPE, JSON_PIPE),
    (OURS_PIPE, BUNYAN_PIPE),
];

const fn program(name: &'static str, package: &'static str, sink: Sink) -> Program {
    Program {
        name,
        package,
        sink,
    }
}

impl Sink {
    /// What a program calls it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Pipe => "stdout",
        }
    }
}
