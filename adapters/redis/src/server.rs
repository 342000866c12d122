//! Where to connect to, and as whom.

use crate::config::{RedisConfig, Topology};
use crate::error::Error;
use crate::sentinels::Sentinels;
use crate::tls;
use crate::url::{login, parse, tcp_settings};
use deadpool_redis::redis::cluster::{ClusterClient, ClusterClientBuilder};
use deadpool_redis::redis::{
    Client, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisConnectionInfo, RedisError,
    TlsCertificates,
};

/// Checked settings of a topology.
pub(crate) enum Server {
    Single(ConnectionInfo),
    Sentinel(Sentinels),
    Cluster(Box<ClusterClient>),
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
        let is_single = matches!(config.topology, Topology::Single { .. });
        if !is_single && nodes.iter().any(is_socket) {
            return Err(Error::config("`urls` cannot have sockets of this machine"));
        }
        let target = names(&nodes);
        let certificates = certificates(config, &nodes)?;
        let server = match &config.topology {
            Topology::Single { .. } => {
                let info = first.clone();
                let login = login(config, info.redis_settings())?;
                let info = info.set_redis_settings(login);
                Self::Single(trusting(info, certificates.as_ref())?)
            }
            Topology::Sentinel { service, .. } => {
                // The first one's login is for all of them, and there are no databases.
                let access = first.redis_settings().clone().set_db(0);
                let access = access.set_protocol(ProtocolVersion::RESP2);
                let login = login(config, &RedisConnectionInfo::default())?;
                let sentinels = nodes
                    .iter()
                    .map(|node| {
                        let node = node.clone().set_redis_settings(access.clone());
                        trusting(node, certificates.as_ref())
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                Self::Sentinel(Sentinels {
                    node: sentinels[0].clone().set_redis_settings(login),
                    sentinels,
                    service: service.clone(),
                })
            }
            Topology::Cluster { .. } => {
                let login = login(config, first.redis_settings())?;
                let nodes = nodes
                    .into_iter()
                    .map(|node| node.set_redis_settings(login.clone()));
                // A cluster's client would send again by itself what may have been done already. It
                // connects to some nodes first and then to all, and a silent one may be among both.
                let mut builder = ClusterClientBuilder::new(nodes)
                    .retries(0)
                    .tcp_settings(tcp_settings())
                    .connection_timeout(config.connect_timeout / 3);
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

/// The same with authorities of one's own.
fn trusting(
    info: ConnectionInfo,
    certificates: Option<&TlsCertificates>,
) -> Result<ConnectionInfo, Error> {
    let Some(certificates) = certificates else {
        return Ok(info);
    };
    let client = Client::build_with_tls(info, certificates.clone()).map_err(bad_ca)?;
    Ok(client.get_connection_info().clone())
}

fn is_tls(node: &ConnectionInfo) -> bool {
    matches!(node.addr(), ConnectionAddr::TcpTls { .. })
}

fn is_socket(node: &ConnectionInfo) -> bool {
    matches!(node.addr(), ConnectionAddr::Unix(_))
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
        config.topology = Topology::sentinel(["unix:///socket"], "service");
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
