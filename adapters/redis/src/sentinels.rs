use crate::url::tcp_settings;
use deadpool_redis::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use deadpool_redis::redis::{
    ConnectionAddr, RedisConnectionInfo, RedisResult, TlsCertificates, TlsMode,
};

/// Sentinels, and how to log in at what they find.
pub(crate) struct Sentinels {
    pub(crate) addresses: Vec<ConnectionAddr>,
    pub(crate) service: String,
    /// For the sentinels themselves.
    pub(crate) access: RedisConnectionInfo,
    /// For the servers.
    pub(crate) login: RedisConnectionInfo,
    pub(crate) tls: bool,
    pub(crate) certificates: Option<TlsCertificates>,
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
