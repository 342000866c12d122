use std::time::Duration;

use faas_sdk_redis::{RedisBuilder, Topology};
use faas_sdk_scope::Sensitive;
use serde::{Deserialize, Deserializer};

use super::invoke::milliseconds;

/// Where Redis is: section `[redis]`. Set `url` for one server, `urls` for some nodes of a cluster, or
/// `urls` and `sentinel_service` for sentinels.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RedisConfig {
    /// One server: `redis://user:password@host:port/database`, `rediss://` for TLS.
    #[serde(deserialize_with = "secret")]
    pub url: Option<Sensitive<String>>,
    /// The addresses of sentinels or of nodes of a cluster, likewise.
    #[serde(deserialize_with = "secrets")]
    pub urls: Vec<Sensitive<String>>,
    /// The name under which the sentinels know the primary.
    pub sentinel_service: Option<String>,
    /// The user, instead of the URL's.
    pub username: Option<String>,
    /// The password, instead of the URL's.
    #[serde(deserialize_with = "secret")]
    pub password: Option<Sensitive<String>>,
    /// The index of the database, instead of the URL's.
    pub database: Option<u32>,
    /// A file with the certificates, in PEM, of the authorities to trust; default those that browsers
    /// trust.
    pub tls_ca_file: Option<String>,
    /// How many connections all commands share, 1 to 4; default 1.
    pub links: Option<usize>,
    /// How many connections may be one caller's alone; default 4.
    pub pool_size: Option<usize>,
    /// How long a new connection may take, in milliseconds; default 1000.
    #[serde(deserialize_with = "optional_milliseconds")]
    pub connect_timeout_ms: Option<u64>,
    /// How long one command may wait, in milliseconds; default 500.
    #[serde(deserialize_with = "optional_milliseconds")]
    pub command_timeout_ms: Option<u64>,
}

impl RedisConfig {
    /// A builder with all that is set; `None` if no server is named.
    ///
    /// # Errors
    ///
    /// What is contradictory, naming the keys.
    pub(crate) fn builder(&self) -> Result<Option<RedisBuilder>, String> {
        let urls = || self.urls.iter().map(|url| url.expose().clone());
        let topology = match (&self.url, self.urls.is_empty(), &self.sentinel_service) {
            (None, true, None) => return Ok(None),
            (Some(url), true, None) => Topology::single(url.expose().clone()),
            (None, false, None) => Topology::cluster(urls()),
            (None, false, Some(service)) => Topology::sentinel(urls(), service.clone()),
            (Some(_), false, _) => {
                return Err("[redis] has both `url` and `urls`: keep one".to_owned());
            }
            (_, true, Some(_)) => {
                return Err("[redis] `sentinel_service` needs `urls`, the sentinels".to_owned());
            }
        };
        let mut config = faas_sdk_redis::RedisConfig::default();
        config.topology = topology;
        config.username.clone_from(&self.username);
        config.password.clone_from(&self.password);
        config.database = self.database;
        if let Some(path) = &self.tls_ca_file {
            let pem = std::fs::read_to_string(path)
                .map_err(|error| format!("[redis] `tls_ca_file` cannot be read: {error}"))?;
            config.tls_ca = Some(pem);
        }
        if let Some(links) = self.links {
            config.links = links;
        }
        if let Some(size) = self.pool_size {
            config.pool_size = size;
        }
        if let Some(timeout) = self.connect_timeout_ms {
            config.connect_timeout = Duration::from_millis(timeout);
        }
        if let Some(timeout) = self.command_timeout_ms {
            config.command_timeout = Duration::from_millis(timeout);
        }
        Ok(Some(faas_sdk_redis::Redis::builder().config(config)))
    }
}

fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Sensitive<String>>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(text.into()))
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Sensitive<String>>, D::Error> {
    Vec::<String>::deserialize(deserializer)
        .map(|texts| texts.into_iter().map(Into::into).collect())
}

fn optional_milliseconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    milliseconds(deserializer).map(Some)
}
