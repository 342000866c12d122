//! What a server is started with.

use super::cli::Access;
use super::instance::{Instance, Role};
use super::server::RedisServer;
use super::tls::Certificates;
use crate::folder::Folder;
use anyhow::{Result, bail};
use std::fmt;

/// The settings of a [`RedisServer`]; by default none but what keeps it private.
#[derive(Clone, Default)]
#[must_use = "nothing is started before `start`"]
pub struct RedisServerBuilder {
    lines: Vec<String>,
    password: Option<String>,
    tls: bool,
}

impl RedisServer {
    /// Starts a server with default settings and waits until it answers.
    ///
    /// # Errors
    /// Those of [`RedisServerBuilder::start`].
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// For a server with other settings.
    pub fn builder() -> RedisServerBuilder {
        RedisServerBuilder::default()
    }
}

impl RedisServerBuilder {
    /// Adds a line to the server's configuration file, such as `maxmemory-policy allkeys-lru`. It is
    /// read after our own ones and wins over them.
    pub fn config(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Asks clients for a password, of ASCII letters, digits, `-` and `_`.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Listens for TLS only, with a certificate for `localhost` and `127.0.0.1` that is signed by an
    /// authority made for this server: see [`RedisServer::ca_pem`].
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Limits the memory of the data to so many bytes. Without a `maxmemory-policy` the server then
    /// refuses to write.
    pub fn maxmemory(self, bytes: u64) -> Self {
        self.config(format!("maxmemory {bytes}"))
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// When `redis-server` is not installed, naming the Debian package; when the server ends or does
    /// not answer, with its output; and for a password of other characters.
    pub async fn start(self) -> Result<RedisServer> {
        if let Some(password) = &self.password {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if password.is_empty() || !password.bytes().all(plain) {
                bail!("the password has to be of ASCII letters, digits, `-` and `_`");
            }
        }
        let mut ca_pem = None;
        let instance = Instance::start(Role::Server, |port, folder| {
            let certificates = self.tls.then(|| Certificates::create(folder)).transpose()?;
            let config = self.configuration(port, folder, certificates.as_ref());
            let mut access = Access {
                password: self.password.clone(),
                ca: None,
            };
            if let Some(certificates) = certificates {
                ca_pem = Some(certificates.ca_pem);
                access.ca = Some(certificates.ca);
            }
            Ok((config, access))
        })
        .await?;
        Ok(RedisServer::new(instance, ca_pem))
    }

    fn configuration(
        &self,
        port: u16,
        folder: &Folder,
        certificates: Option<&Certificates>,
    ) -> String {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("dir \"{}\"", folder.path().display()),
            "daemonize no".to_owned(),
            "save \"\"".to_owned(),
            "appendonly no".to_owned(),
            "enable-debug-command local".to_owned(),
            // A replica that connects is not to wait for others to come.
            "repl-diskless-sync-delay 0".to_owned(),
        ];
        match certificates {
            None => lines.push(format!("port {port}")),
            Some(files) => lines.extend([
                "port 0".to_owned(),
                format!("tls-port {port}"),
                "tls-auth-clients no".to_owned(),
                format!("tls-ca-cert-file \"{}\"", files.ca.display()),
                format!("tls-cert-file \"{}\"", files.server.display()),
                format!("tls-key-file \"{}\"", files.key.display()),
            ]),
        }
        if let Some(password) = &self.password {
            lines.push(format!("requirepass {password}"));
        }
        lines.extend_from_slice(&self.lines);
        lines.push(String::new());
        lines.join("\n")
    }
}

impl fmt::Debug for RedisServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServerBuilder")
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}
