//! The bench's side of a host, and a program under it.

use super::affinity::Processors;
use super::program::Program;
use crate::bench::build::Built;
use crate::child::Owned;
use anyhow::{Context, Result, bail};
use nix::time::{ClockId, clock_gettime};
use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The longest silence of a host: more than a whole round takes.
const SILENCE: Duration = Duration::from_secs(300);

/// A running host.
#[derive(Debug)]
pub(super) struct Session {
    _host: Owned,
    orders: ChildStdin,
    lines: Receiver<String>,
    port: String,
}

/// A running program.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) child: Owned,
    /// When it was started, on the monotonic clock.
    pub(super) started: Duration,
    name: &'static str,
}

impl Session {
    /// Starts a host with `args`.
    pub(super) fn new(built: &Built, processors: &Processors, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(built.path(super::HOST));
        command
            .arg(super::HOST)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut host = Processors::confined(processors.host(), || Owned::spawn(&mut command))?
            .context("the host cannot be started")?;
        let orders = host.0.stdin.take().context("the host's input")?;
        let stdout = BufReader::new(host.0.stdout.take().context("the host's output")?);
        let (sender, lines) = channel();
        // Ends with the host's output, at the latest when the host is dropped.
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        let mut session = Self {
            _host: host,
            orders,
            lines,
            port: String::new(),
        };
        let port = session.line("port", None)?;
        session.port = port;
        Ok(session)
    }

    /// Starts `program`, wrapped by the words of `wrapper`, against this host.
    pub(super) fn start(
        &self,
        built: &Built,
        processors: &Processors,
        program: &Program,
        wrapper: &[&str],
    ) -> Result<Running> {
        let mut command = built.command(program.name, wrapper);
        let notes = built.notes(program.name);
        let notes = File::create(&notes).with_context(|| notes.display().to_string())?;
        environment(&mut command, &format!("127.0.0.1:{}", self.port));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(notes);
        let cpus = processors.program(program.threads);
        let (started, child) = Processors::confined(cpus, || {
            (
                clock_gettime(ClockId::CLOCK_MONOTONIC),
                Owned::spawn(&mut command),
            )
        })?;
        let child = child.with_context(|| format!("{command:?} cannot be started"))?;
        Ok(Running {
            child,
            started: started?.into(),
            name: program.name,
        })
    }

    /// The rest of the host's next line, which must begin with `word`.
    pub(super) fn expect(&self, word: &str, built: &Built, under: &mut Running) -> Result<String> {
        self.line(word, Some(under)).with_context(|| {
            let said = read_to_string(built.notes(under.name)).unwrap_or_default();
            format!("{} (on standard error: {:?})", under.name, said.trim())
        })
    }

    /// Lets a host go on that waits.
    pub(super) fn go(&mut self) -> Result<()> {
        self.orders.write_all(b"go\n").context("ordering the host")
    }

    fn line(&self, word: &str, mut under: Option<&mut Running>) -> Result<String> {
        let limit = Instant::now() + SILENCE;
        loop {
            match self.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => match line.split_once(' ').unwrap_or((&line, "")) {
                    (found, rest) if found == word => return Ok(rest.to_owned()),
                    _ => bail!("the host said `{line}` where `{word}` was expected"),
                },
                Err(RecvTimeoutError::Disconnected) => bail!("the host ended"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let ended = under
                .as_mut()
                .map(|under| under.child.0.try_wait())
                .transpose()?;
            if let Some(status) = ended.flatten() {
                bail!("the program ended with {status}");
            }
            if Instant::now() > limit {
                bail!("the host said nothing for {} s", SILENCE.as_secs());
            }
        }
    }
}

/// What Lambda sets.
fn environment(command: &mut Command, host: &str) {
    command.env("AWS_LAMBDA_RUNTIME_API", host);
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]1"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_REGION", "eu-west-1"),
        ("_HANDLER", "bootstrap"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("TZ", ":UTC"),
    ] {
        command.env(name, value);
    }
}

/// The first number of the line of `file` that begins with `key`.
pub(super) fn number(file: &Path, key: &str) -> Result<f64> {
    let text = read_to_string(file).with_context(|| file.display().to_string())?;
    let line = text.lines().find(|line| line.starts_with(key));
    let number = line.and_then(|line| line[key.len()..].split_whitespace().next());
    number
        .with_context(|| format!("{} has no `{key}`", file.display()))?
        .parse()
        .with_context(|| format!("`{key}` in {}", file.display()))
}
