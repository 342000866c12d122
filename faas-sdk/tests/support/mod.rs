//! Programs of this crate's examples, run as processes.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An example, which cargo builds beside the tests, with pipes for its output.
pub(crate) fn example(name: &str) -> Command {
    let mut path: PathBuf = std::env::current_exe().expect("the test's own path");
    path.pop();
    path.pop();
    path.push("examples");
    path.push(name);
    assert!(
        path.exists(),
        "{} is missing: build the examples",
        path.display()
    );
    let mut command = Command::new(path);
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// A running example.
pub(crate) struct Process {
    child: Child,
    /// `None` once its reader has gone.
    lines: Option<Lines<BufReader<ChildStdout>>>,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the example starts");
        let stdout = child.stdout.take().expect("its output");
        let stderr = child.stderr.take().expect("its errors");
        Self {
            child,
            lines: Some(BufReader::new(stdout).lines()),
            errors: BufReader::new(stderr).lines(),
        }
    }

    /// Serves on the local platform, on a free port; gives the address too.
    pub(crate) async fn start_local(command: &mut Command) -> (Self, SocketAddr) {
        let mut process = Self::start(command.env("FAAS_LOCAL_ADDR", "127.0.0.1:0"));
        let line = find(&mut process.errors, "serving on http://").await;
        let address = line.split(['/', ',']).nth(2).expect("an address");
        (process, address.parse().expect("an address"))
    }

    /// Reads output up to a line that contains `word`.
    pub(crate) async fn says(&mut self, word: &str) -> String {
        find(self.lines.as_mut().expect("a reader"), word).await
    }

    /// Reads all of its standard output from here on, beside the test.
    pub(crate) fn read(&mut self) -> JoinHandle<String> {
        let mut lines = self.lines.take().expect("a reader");
        tokio::spawn(async move { rest(&mut lines).await })
    }

    /// Closes the reading end of its standard output.
    pub(crate) fn stop_reading(&mut self) {
        self.lines = None;
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", name, &id])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    pub(crate) async fn ends(mut self) -> (ExitStatus, String, String) {
        let ended = async {
            let out = async {
                match &mut self.lines {
                    Some(lines) => rest(lines).await,
                    None => String::new(),
                }
            };
            let (out, errors) = tokio::join!(out, rest(&mut self.errors));
            (self.child.wait().await.expect("its status"), out, errors)
        };
        tokio::time::timeout(PATIENCE, ended)
            .await
            .expect("it ends in time")
    }
}

/// Reads up to a line that contains `word`.
async fn find<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>, word: &str) -> String {
    let read = async {
        while let Some(line) = lines.next_line().await.expect("the output") {
            if line.contains(word) {
                return line;
            }
        }
        panic!("the output ends without `{word}`")
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the line comes in time")
}

async fn rest<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>) -> String {
    let mut text = String::new();
    while let Some(line) = lines.next_line().await.expect("the output") {
        text.push_str(&line);
        text.push('\n');
    }
    text
}
