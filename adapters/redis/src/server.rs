//! Where to connect to, and as whom.

use crate::config::{RedisConfig, Topology};
use crate::error::Error;
use crate::tls;
use deadpool_redis::redis::cluster::{ClusterClient, ClusterClientBuilder};
use deadpool_redis::redis::io::tcp::{TcpSettings, socket2};
use deadpool_redis::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use deadpool_redis::redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisError, RedisResult, TlsCertificates, TlsMode,
};
use std::time::Duration;

/// Checked settings of a topology.
pub(crate) enum Server {
    Single(ConnectionInfo),
    Sentinel(Sentinels),
    Cluster(Box<ClusterClient>),
}

pub(crate) struct Sentinels {
    addresses: Vec<ConnectionAddr>,
    service: String,
    /// For the sentinels themselves.
    access: RedisConnectionInfo,
    /// For the servers.
    login: RedisConnectionInfo,
    tls: bool,
    certificates: Option<TlsCertificates>,
}

impl Server {
    /// The server, and how messages call it.
    pub(crate) fn new(config: &RedisConfig) -> Result<(Self, String), Error> {
        let (setting, urls) = match &config.topology {
            Topology::Single { url } => ("url", std::slice::from_ref(url)),
            Topology::Sentinel { urls, .. } | Topology::Cluster { urls } => ("urls", &urls[..]),
        };
        let nodes: Vec<ConnectionInfo> = urls
            .iter()
            .map(|url| parse(setting, url.expose()))
            .collect::<Result<_, _>>()?;
        let Some(first) = nodes.first() else {
            return Err(Error::config("`urls` has to have a URL at least"));
        };
        let target = names(&nodes);
        let certificates = certificates(config, &nodes)?;
        let server = match &config.topology {
            Topology::Single { .. } => {
                let info = first.clone();
                let login = login(config, info.redis_settings())?;
                let info = info.set_redis_settings(login);
                match certificates {
                    None => Self::Single(info),
                    Some(certificates) => {
                        let client = Client::build_with_tls(info, certificates).map_err(bad_ca)?;
                        Self::Single(client.get_connection_info().clone())
                    }
                }
            }
            Topology::Sentinel { service, .. } => {
                let sentinels = Sentinels {
                    addresses: nodes.iter().map(|node| node.addr().clone()).collect(),
                    service: service.clone(),
                    access: first.redis_settings().clone(),
                    login: login(config, &RedisConnectionInfo::default())?,
                    tls: is_tls(first),
                    certificates,
                };
                sentinels.client().map_err(bad_ca)?;
                Self::Sentinel(sentinels)
            }
            Topology::Cluster { .. } => {
                let login = login(config, first.redis_settings())?;
                let nodes = nodes
                    .into_iter()
                    .map(|node| node.set_redis_settings(login.clone()));
                // A cluster's client would send again by itself what may have been done already.
                let mut builder = ClusterClientBuilder::new(nodes)
                    .retries(0)
                    .tcp_settings(tcp_settings())
                    .connection_timeout(config.connect_timeout);
                if let Some(certificates) = certificates {
                    builder = builder.certs(certificates);
                }
                Self::Cluster(Box::new(builder.build().map_err(|error| {
                    Error::config(format!("`urls` or `tls_ca` cannot be used: {error}"))
                })?))
            }
        };
        Ok((server, target))
    }
}

impl Sentinels {
    /// A client without connections.
    pub(crate) fn client(&self) -> RedisResult<SentinelClient> {
        let addresses = self.addresses.iter().cloned();
        let mut builder =
            SentinelClientBuilder::new(addresses, &self.service, SentinelServerType::Master)?
                .set_client_to_redis_tcp_settings(tcp_settings())
                .set_client_to_sentinel_tcp_settings(tcp_settings())
                .set_client_to_redis_db(self.login.db());
        if let Some(username) = self.login.username() {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = self.login.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(username) = self.access.username() {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = self.access.password() {
            builder = builder.set_client_to_sentinel_password(password);
        }
        if self.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates.clone());
        }
        builder.build()
    }
}

/// The message has nothing of the URL, which may have a password in it.
fn parse(setting: &str, url: &str) -> Result<ConnectionInfo, Error> {
    let info = url.into_connection_info().map_err(|_| {
        Error::config(format!(
            "`{setting}` has to be like `redis://host:port` or, for TLS, `rediss://host:port`"
        ))
    })?;
    match info.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => Err(Error::config(format!(
            "`{setting}`: `#insecure` is not supported; set `tls_ca`"
        ))),
        _ => Ok(info.set_tcp_settings(tcp_settings())),
    }
}

/// Commands are small and somebody waits for each; what is not confirmed for long never will be.
fn tcp_settings() -> TcpSettings {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10));
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(15));
    settings
}

fn login(config: &RedisConfig, url: &RedisConnectionInfo) -> Result<RedisConnectionInfo, Error> {
    // The replies of the older protocol are what callers are promised.
    let mut login = url.clone().set_protocol(ProtocolVersion::RESP2);
    if let Some(username) = &config.username {
        login = login.set_username(username);
    }
    if let Some(password) = &config.password {
        login = login.set_password(password.expose());
    }
    if let Some(database) = config.database {
        login = login.set_db(i64::from(database));
    }
    if login.username().is_some() && login.password().is_none() {
        return Err(Error::config("`username` needs a `password` with it"));
    }
    Ok(login)
}

fn certificates(
    config: &RedisConfig,
    nodes: &[ConnectionInfo],
) -> Result<Option<TlsCertificates>, Error> {
    let tls = nodes.iter().filter(|node| is_tls(node)).count();
    if tls > 0 && tls < nodes.len() {
        return Err(Error::config(
            "`urls` has to have `rediss` in all of them or in none",
        ));
    }
    if tls > 0 {
        tls::choose_provider();
    }
    match &config.tls_ca {
        None => Ok(None),
        Some(_) if tls == 0 => Err(Error::config(
            "`tls_ca` needs URLs that start with `rediss://`",
        )),
        Some(ca) if !ca.contains("-----BEGIN CERTIFICATE-----") => Err(Error::config(
            "`tls_ca` has to have a certificate in PEM at least",
        )),
        Some(ca) => Ok(Some(tls::certificates(ca))),
    }
}

fn is_tls(node: &ConnectionInfo) -> bool {
    matches!(node.addr(), ConnectionAddr::TcpTls { .. })
}

fn bad_ca(error: RedisError) -> Error {
    Error::config(format!("`tls_ca` or the URL cannot be used: {error}"))
}

fn names(nodes: &[ConnectionInfo]) -> String {
    let names: Vec<String> = nodes.iter().map(|node| node.addr().to_string()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn config(topology: Topology) -> RedisConfig {
        RedisConfig {
            topology,
            ..RedisConfig::default()
        }
    }

    fn refused(config: &RedisConfig) -> String {
        let Err(error) = Server::new(config) else {
            panic!("it is accepted: {config:?}");
        };
        assert_eq!(error.kind(), ErrorKind::Config);
        format!("{error} {error:?} {config:?}")
    }

    #[test]
    fn wrong_urls_are_not_quoted() {
        for url in [
            "",
            "hunter2",
            "http://:hunter2@host",
            "redis://:hunter2@host:port",
            "redis://:hunter2@host/first",
            "redis://:hunter2@",
            "redis://:hunter2@0.0.0.0",
            "redis://:%ff%fe-hunter2@host",
            "rediss://:hunter2@host#insecure",
            "redis://:hunter2@host?protocol=hunter2",
        ] {
            for several in [false, true] {
                let config = config(match several {
                    false => Topology::single(url),
                    true => Topology::cluster(["redis://host", url]),
                });
                let text = refused(&config);
                assert!(text.contains("`url"), "{text}");
                assert!(!text.contains("hunter2"), "{text}");
            }
        }
        let mut config = config(Topology::cluster(["redis://:hunter2@a", "redis://b"]));
        assert!(
            Server::new(&config).is_ok(),
            "the first one's login is for all"
        );
        config.topology = Topology::cluster(["rediss://a", "redis://b"]);
        assert!(refused(&config).contains("`urls`"));
        config.topology = Topology::cluster::<&str>([]);
        assert!(refused(&config).contains("`urls`"));
    }

    #[test]
    fn settings_win_over_the_url() {
        let info = parse("url", "redis://user:p%40ss@host:1234/7").expect("valid");
        let mut config = RedisConfig::default();
        let told = login(&config, info.redis_settings()).expect("valid");
        assert_eq!(
            (told.username(), told.password(), told.db()),
            (Some("user"), Some("p@ss"), 7)
        );
        config.username = Some("other".to_owned());
        config.password = Some("word".to_owned().into());
        config.database = Some(0);
        let told = login(&config, info.redis_settings()).expect("valid");
        assert_eq!(
            (told.username(), told.password(), told.db()),
            (Some("other"), Some("word"), 0)
        );
        config.password = None;
        config.topology = Topology::single("redis://host");
        assert!(refused(&config).contains("`password`"));
    }

    #[test]
    fn authorities_have_to_be_pem_and_of_use() {
        let mut config = config(Topology::single("rediss://host"));
        for ca in ["", "no pem", "-----BEGIN CERTIFICATE-----\nnothing"] {
            config.tls_ca = Some(ca.to_owned());
            assert!(refused(&config).contains("`tls_ca`"));
        }
        config.topology = Topology::single("redis://host");
        assert!(refused(&config).contains("rediss://"));
    }
}
