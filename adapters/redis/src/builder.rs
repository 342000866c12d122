use crate::client::Redis;
use crate::config::{RedisConfig, Topology};
use crate::error::Error;
use crate::thaw::Thaw;
use faas_sdk_scope::Instance;
use std::sync::Arc;
use std::time::Duration;

/// Sets up a [`Redis`]. Each setting is a field of [`RedisConfig`], where its default is.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is made before `build`"]
pub struct RedisBuilder {
    config: RedisConfig,
    instance: Option<Arc<Instance>>,
}

impl Redis {
    /// Starts to set one up.
    pub fn builder() -> RedisBuilder {
        RedisBuilder::default()
    }

    /// Makes one from its settings, without any I/O, with an instance of its own.
    ///
    /// # Errors
    ///
    /// Those of [`RedisBuilder::build`].
    pub fn new(config: RedisConfig) -> Result<Self, Error> {
        Self::builder().config(config).build()
    }
}

impl RedisBuilder {
    /// Takes all settings from `config`; what is set afterwards wins.
    pub fn config(mut self, config: RedisConfig) -> Self {
        self.config = config;
        self
    }

    /// One server.
    pub fn url(self, url: impl Into<String>) -> Self {
        self.topology(Topology::single(url))
    }

    /// A primary that the sentinels at `urls` know as `service`.
    pub fn sentinel<U: Into<String>>(
        self,
        urls: impl IntoIterator<Item = U>,
        service: impl Into<String>,
    ) -> Self {
        self.topology(Topology::sentinel(urls, service))
    }

    /// A cluster some of whose nodes are at `urls`.
    pub fn cluster<U: Into<String>>(self, urls: impl IntoIterator<Item = U>) -> Self {
        self.topology(Topology::cluster(urls))
    }

    /// Which servers there are.
    pub fn topology(mut self, topology: Topology) -> Self {
        self.config.topology = topology;
        self
    }

    /// The user of the data nodes.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.config.username = Some(username.into());
        self
    }

    /// The password of the data nodes.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.config.password = Some(password.into().into());
        self
    }

    /// The index of the database.
    pub fn database(mut self, database: u32) -> Self {
        self.config.database = Some(database);
        self
    }

    /// Authorities to trust instead of the public ones, in PEM.
    pub fn tls_ca(mut self, pem: impl Into<String>) -> Self {
        self.config.tls_ca = Some(pem.into());
        self
    }

    /// How many multiplexed connections all commands share.
    pub fn links(mut self, links: usize) -> Self {
        self.config.links = links;
        self
    }

    /// How many connections may be one caller's alone.
    pub fn pool_size(mut self, pool_size: usize) -> Self {
        self.config.pool_size = pool_size;
        self
    }

    /// How long a new connection may take.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout = timeout;
        self
    }

    /// How long one command may wait.
    pub fn command_timeout(mut self, timeout: Duration) -> Self {
        self.config.command_timeout = timeout;
        self
    }

    /// For how long calls fail at once after a failed connect: at first, and at most.
    pub fn backoff(mut self, first: Duration, limit: Duration) -> Self {
        self.config.backoff = first;
        self.config.backoff_limit = limit;
        self
    }

    /// The process this is part of: connections from before its last thaw are not used again. Without
    /// it the clocks are looked at here, which does not notice a freeze through which they ran.
    pub fn instance(mut self, instance: &Arc<Instance>) -> Self {
        self.instance = Some(Arc::clone(instance));
        self
    }

    /// Makes it. Connects to nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the setting and what to do, and never
    /// quoting a URL.
    pub fn build(self) -> Result<Redis, Error> {
        Redis::assemble(self.config, Thaw::new(self.instance))
    }
}
