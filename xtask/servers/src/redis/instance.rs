//! One process of `redis-server`, be it a server or a sentinel.

use super::PACKAGE;
use super::cli::{self, Access};
use crate::folder::Folder;
use crate::ports;
use crate::process::{End, OUTPUT, Process, find};
use crate::wait::until;
use anyhow::{Context, Error, Result, bail};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;

/// How often a port that was free may turn out to be taken.
const ATTEMPTS: usize = 10;

/// How long a server may take until it answers.
const START: Duration = Duration::from_secs(15);

/// What the process is told on its command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Sentinel,
}

pub(super) struct Instance {
    role: Role,
    port: u16,
    access: Access,
    // Dropped before the folder it uses.
    process: Mutex<Option<Process>>,
    folder: Folder,
}

/// Why a process did not start.
enum Failure {
    PortTaken(Error),
    Other(Error),
}

impl Instance {
    /// Starts a process with the configuration that `configure` makes for a port and a folder.
    pub(super) async fn start(
        role: Role,
        mut configure: impl FnMut(u16, &Folder) -> Result<(String, Access)>,
    ) -> Result<Self> {
        let mut attempt = 1;
        loop {
            let port = ports::free()?;
            let folder = Folder::create()?;
            let (config, access) = configure(port, &folder)?;
            folder.write(role.file(), &config)?;
            let instance = Self {
                role,
                port,
                access,
                process: Mutex::default(),
                folder,
            };
            match instance.launch().await {
                Ok(()) => return Ok(instance),
                Err(Failure::PortTaken(_)) if attempt < ATTEMPTS => attempt += 1,
                Err(Failure::PortTaken(error) | Failure::Other(error)) => return Err(error),
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    pub(super) async fn cli(&self, args: &[&str]) -> Result<String> {
        cli::run(self.port, &self.access, args).await
    }

    /// Kills the process, if it runs; returns once it is gone.
    pub(super) fn kill(&self) -> Result<()> {
        let process = self.lock().take();
        process.map_or(Ok(()), Process::kill_keeping_folder)
    }

    pub(super) async fn restart(&self) -> Result<()> {
        self.kill()?;
        match self.launch().await {
            Ok(()) => Ok(()),
            Err(Failure::PortTaken(error) | Failure::Other(error)) => Err(error),
        }
    }

    pub(super) fn pause(&self) -> Result<()> {
        self.running(Process::pause)
    }

    pub(super) fn resume(&self) -> Result<()> {
        self.running(Process::resume)
    }

    fn running(&self, act: impl FnOnce(&Process) -> Result<()>) -> Result<()> {
        let process = self.lock();
        act(process.as_ref().context("the server was killed")?)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the process and waits until it answers.
    async fn launch(&self) -> Result<(), Failure> {
        let spawned = async {
            let program = find("redis-server", PACKAGE)?;
            Process::spawn(&self.folder, &program, self.role.args()).await
        };
        let (process, mut end) = spawned.await.map_err(Failure::Other)?;
        match self.answer(process.pid(), &mut end).await {
            Ok(()) => {
                *self.lock() = Some(process);
                Ok(())
            }
            Err(error) => {
                let output = std::fs::read(self.folder.path().join(OUTPUT)).unwrap_or_default();
                let output = String::from_utf8_lossy(&output);
                let taken = output.contains("Address already in use");
                let error = error.context(format!(
                    "redis-server does not start on port {}, its output is:\n{}",
                    self.port,
                    output.trim()
                ));
                Err(if taken {
                    Failure::PortTaken(error)
                } else {
                    Failure::Other(error)
                })
            }
        }
    }

    /// Waits until the process itself answers: another one may have got the port before.
    async fn answer(&self, pid: i32, end: &mut End) -> Result<()> {
        let own = format!("process_id:{pid}");
        let answered = until("the server answers", START, async || {
            TcpStream::connect(self.address()).await?;
            let info = self.cli(&["INFO", "server"]).await?;
            match info.lines().any(|line| line == own) {
                true => Ok(()),
                false => bail!("somebody else answers: {info}"),
            }
        });
        tokio::select! {
            biased;
            () = end.reached() => bail!("the process has ended"),
            answered = answered => answered,
        }
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("role", &self.role)
            .field("port", &self.port)
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

impl Role {
    fn file(self) -> &'static str {
        match self {
            Self::Server => "redis.conf",
            Self::Sentinel => "sentinel.conf",
        }
    }

    fn args(self) -> &'static [&'static str] {
        match self {
            Self::Server => &["redis.conf"],
            Self::Sentinel => &["sentinel.conf", "--sentinel"],
        }
    }
}
