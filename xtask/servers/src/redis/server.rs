//! One server.

use super::instance::Instance;
use anyhow::Result;
use std::net::SocketAddr;

/// A private `redis-server` without persistence on a free loopback port.
///
/// When dropped it is killed, paused or not, and its temporary folder is removed. Both happen as
/// well when the process of the test is killed.
#[derive(Debug)]
pub struct RedisServer {
    instance: Instance,
    ca_pem: Option<String>,
}

impl RedisServer {
    pub(super) fn new(instance: Instance, ca_pem: Option<String>) -> Self {
        Self { instance, ca_pem }
    }

    /// The address as Redis clients take it: `redis://127.0.0.1:<port>`, with `rediss` for TLS, and
    /// the password if there is one.
    pub fn url(&self) -> String {
        self.url_at(self.port())
    }

    /// The same as [`url`](Self::url) with another port: that of a [`Proxy`](crate::Proxy).
    pub fn url_at(&self, port: u16) -> String {
        let access = self.instance.access();
        let scheme = if access.ca.is_some() {
            "rediss"
        } else {
            "redis"
        };
        let password = access.password.as_ref();
        let password = password.map_or(String::new(), |password| format!(":{password}@"));
        format!("{scheme}://{password}127.0.0.1:{port}")
    }

    /// The port the server listens on.
    pub fn port(&self) -> u16 {
        self.instance.port()
    }

    /// The socket address the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.instance.address()
    }

    /// The certificate of the authority that signed the server's own, in PEM, if it listens for TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Kills the server with SIGKILL and returns once it is gone. Does nothing if it was killed
    /// before.
    ///
    /// # Errors
    /// When the shell in front of the server is gone.
    pub fn kill(&self) -> Result<()> {
        self.instance.kill()
    }

    /// Starts the server again on the same port, without data, and waits until it answers. It is
    /// killed first if it runs.
    ///
    /// # Errors
    /// Those of [`RedisServerBuilder::start`](crate::RedisServerBuilder::start), and when somebody took the port.
    pub async fn restart_empty(&self) -> Result<()> {
        self.instance.restart().await
    }

    /// Stops the server with SIGSTOP: connections stay open and the system goes on to accept new
    /// ones, but nothing is answered. Returns once it is stopped.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn pause(&self) -> Result<()> {
        self.instance.pause()
    }

    /// Lets a paused server go on with SIGCONT.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn resume(&self) -> Result<()> {
        self.instance.resume()
    }

    /// Runs `redis-cli` with `args` against this server and returns its raw output, without the last
    /// line break: `server.cli(&["GET", "key"])`.
    ///
    /// # Errors
    /// When the server answers with an error or not within 15 seconds, and for an answer that is not
    /// UTF-8.
    pub async fn cli(&self, args: &[&str]) -> Result<String> {
        self.instance.cli(args).await
    }
}
