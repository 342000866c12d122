//! Processes that end with their owner, even when the owner is killed.

use crate::folder::Folder;
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;

/// Where the output of a process is kept, in its folder.
pub(crate) const OUTPUT: &str = "output";

/// How long the shell may take to start, and a signal to take effect.
const LIMIT: Duration = Duration::from_secs(10);

/// A shell stands between us and the process. Its standard input is a pipe whose other end only we
/// hold: the end of the pipe, however it comes, kills the process and removes the folder. It has a
/// process group of its own, so that what ends ours at once, such as an interrupt at a terminal, does
/// not keep it from that.
///
/// The process itself holds the standard output of the shell as its descriptor 3 and nobody else
/// does, so that the end of that pipe is the end of the process. The shell waits for the process only
/// after it has killed it: up to then its identifier is not given to another one.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
folder=$1
shift
"$@" 3>&1 >>"$folder/output" 2>&1 </dev/null &
process=$!
echo "$process"
exec >&-
read -r word
kill -9 "$process"
wait "$process"
[ "$word" = keep ] || rm -rf "$folder"
"#;

/// A running process. When dropped it is killed, stopped or not, and its folder is removed.
#[derive(Debug)]
pub(crate) struct Process {
    shell: Child,
    pid: Pid,
}

/// Tells the end of a process.
#[derive(Debug)]
pub(crate) struct End(BufReader<Receiver>);

impl Process {
    /// Starts `program` with its output in the file [`OUTPUT`] of `folder`.
    pub(crate) async fn spawn(
        folder: &Folder,
        program: &Path,
        args: &[&str],
    ) -> Result<(Self, End)> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(folder.path())
            .arg(program)
            .args(args)
            .current_dir(folder.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("/bin/sh cannot be started")?;
        let stdout = shell.stdout.take().context("the shell has no output")?;
        // From here on an early return ends the shell, and by it the process.
        let mut process = Self {
            shell,
            pid: Pid::from_raw(0),
        };
        let mut end = End(BufReader::new(Receiver::from_owned_fd(OwnedFd::from(
            stdout,
        ))?));
        let mut line = String::new();
        timeout(LIMIT, end.0.read_line(&mut line))
            .await
            .context("the shell does not start the process")??;
        let pid = line.trim().parse().context("the shell tells no process")?;
        process.pid = Pid::from_raw(pid);
        Ok((process, end))
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Stops the process as a whole; returns once it no longer runs.
    pub(crate) fn pause(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)?;
        let start = Instant::now();
        while !self.stopped()? {
            if start.elapsed() > LIMIT {
                bail!("process {} does not stop", self.pid);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    pub(crate) fn resume(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Kills the process and leaves its folder as it is.
    pub(crate) fn kill_keeping_folder(mut self) -> Result<()> {
        let stdin = self.shell.stdin.as_mut();
        stdin
            .context("the shell has no input")?
            .write_all(b"keep\n")
            .context("the shell in front of the process is gone")
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill(self.pid, signal).with_context(|| format!("{signal} for process {}", self.pid))
    }

    /// Whether the system says so of the main thread; taken for granted where it does not tell.
    fn stopped(&self) -> Result<bool> {
        if !cfg!(target_os = "linux") {
            return Ok(true);
        }
        let path = format!("/proc/{}/stat", self.pid);
        let stat = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        // The state follows the name, which is in parentheses and may hold any byte.
        let state = stat.rsplit_once(") ").context("no state in it")?.1;
        Ok(state.starts_with(['T', 't']))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Ends as soon as the killed process has ended.
        let _ = self.shell.wait();
    }
}

impl End {
    /// Returns when the process has ended.
    pub(crate) async fn reached(&mut self) {
        let mut nothing = [0; 64];
        while self.0.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
    }
}

/// Finds a program on the path.
///
/// # Errors
/// Names the Debian package when it is not there.
pub(crate) fn find(program: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .with_context(|| {
            format!(
                "`{program}` is not installed: it is in the Debian package {package} \
                 (`apt-get install -y {package}`)"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_missing_program_names_its_package() {
        assert!(find("sh", "dash").is_ok());
        let error = find("no-such-program", "some-package").expect_err("it is there");
        let error = error.to_string();
        assert!(error.contains("`no-such-program` is not installed"));
        assert!(error.contains("Debian package some-package"));
    }
}
