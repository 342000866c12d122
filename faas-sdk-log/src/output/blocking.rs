use super::Sink;
use std::io::{self, Write};
use std::time::Duration;

/// Standard output or standard error, where writes cannot be bounded in time.
///
/// A line may take as long as its reader lets it: `within` is not kept.
#[derive(Debug)]
pub(crate) struct Descriptor(Stream);

#[derive(Debug)]
enum Stream {
    Stdout,
    Stderr,
}

impl Descriptor {
    /// The process's standard output.
    pub(crate) const fn stdout() -> Self {
        Self(Stream::Stdout)
    }

    /// The process's standard error.
    pub(crate) const fn stderr() -> Self {
        Self(Stream::Stderr)
    }
}

impl Sink for Descriptor {
    fn write_line(&self, line: &[u8], _within: Duration) -> io::Result<()> {
        match self.0 {
            Stream::Stdout => write_all(io::stdout().lock(), line),
            Stream::Stderr => write_all(io::stderr().lock(), line),
        }
    }
}

fn write_all(mut stream: impl Write, line: &[u8]) -> io::Result<()> {
    stream.write_all(line)?;
    stream.flush()
}
