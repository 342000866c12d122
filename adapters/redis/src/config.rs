use faas_sdk_scope::Sensitive;
use std::time::Duration;

/// Where Redis is and how it is used. Plain data; [`RedisBuilder::config`](crate::RedisBuilder::config)
/// takes it.
///
/// ```
/// use faas_sdk_redis::{RedisConfig, Topology};
///
/// let mut config = RedisConfig::default();
/// config.topology = Topology::single("rediss://cache.example:6380/1");
/// config.password = Some("s3cret".to_owned().into());
/// assert!(!format!("{config:?}").contains("s3cret"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedisConfig {
    /// Which servers there are. Default: one on this machine, `redis://127.0.0.1:6379`.
    pub topology: Topology,
    /// The user of the data nodes, instead of the URL's. Needs a password. Default: none.
    pub username: Option<String>,
    /// The password of the data nodes, instead of the URL's. Default: none.
    pub password: Option<Sensitive<String>>,
    /// The index of the database, instead of the URL's. Default: none, which is 0 if the URL has none.
    pub database: Option<u32>,
    /// Certificates of the authorities that may sign the servers' certificates, in PEM. Default: none,
    /// which means those that browsers trust. Only for `rediss://` URLs.
    pub tls_ca: Option<String>,
    /// How many multiplexed connections all commands share, 1 to 4. More than one helps if replies are
    /// large. Default: 1.
    pub links: usize,
    /// How many connections may be one caller's alone at the same time, 1 to 1024. Default: 4.
    pub pool_size: usize,
    /// How long a new connection may take, name lookup, TLS and login included. Default: 1 s.
    pub connect_timeout: Duration,
    /// How long one command may wait for its reply, if the caller does not allow less.
    /// Default: 500 ms.
    pub command_timeout: Duration,
    /// After a failed connect, for how long calls fail at once before the next one; doubled with each
    /// failure. Default: 100 ms.
    pub backoff: Duration,
    /// The longest [`backoff`](Self::backoff). Default: 2 s.
    pub backoff_limit: Duration,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            topology: Topology::default(),
            username: None,
            password: None,
            database: None,
            tls_ca: None,
            links: 1,
            pool_size: 4,
            connect_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_millis(500),
            backoff: Duration::from_millis(100),
            backoff_limit: Duration::from_secs(2),
        }
    }
}

/// Which servers there are. A URL is `redis://user:password@host:port/database`, with `rediss` for TLS;
/// all of it but the host may be left out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Topology {
    /// One server, or a service that looks like one. Its URL may also be `unix:///path`.
    Single {
        /// Its address.
        url: Sensitive<String>,
    },
    /// A primary that sentinels watch. User, password and database in the URLs are the sentinels' own;
    /// those of the data node are [`RedisConfig::username`] and the following fields. The data nodes
    /// use TLS if the sentinels do.
    Sentinel {
        /// The addresses of the sentinels; all are asked at once.
        urls: Vec<Sensitive<String>>,
        /// The name under which they know the primary.
        service: String,
    },
    /// A cluster.
    Cluster {
        /// The addresses of some nodes; the others are learnt from them. User, password and TLS have
        /// to be the same in all.
        urls: Vec<Sensitive<String>>,
    },
}

impl Topology {
    /// One server.
    #[must_use]
    pub fn single(url: impl Into<String>) -> Self {
        let url = Sensitive::new(url.into());
        Self::Single { url }
    }

    /// A primary that sentinels watch under the name `service`.
    #[must_use]
    pub fn sentinel<U: Into<String>>(
        urls: impl IntoIterator<Item = U>,
        service: impl Into<String>,
    ) -> Self {
        Self::Sentinel {
            urls: sensitive(urls),
            service: service.into(),
        }
    }

    /// A cluster some of whose nodes are at `urls`.
    #[must_use]
    pub fn cluster<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> Self {
        let urls = sensitive(urls);
        Self::Cluster { urls }
    }
}

impl Default for Topology {
    fn default() -> Self {
        Self::single("redis://127.0.0.1:6379")
    }
}

fn sensitive<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> Vec<Sensitive<String>> {
    urls.into_iter()
        .map(|url| Sensitive::new(url.into()))
        .collect()
}
