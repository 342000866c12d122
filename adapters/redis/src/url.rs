//! What a URL says, and the settings that win over it.

use crate::config::RedisConfig;
use crate::error::Error;
use deadpool_redis::redis::io::tcp::{TcpSettings, socket2};
use deadpool_redis::redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo,
};
use std::time::Duration;

/// The message has nothing of the URL, which may have a password in it.
pub(crate) fn parse(setting: &str, url: &str) -> Result<ConnectionInfo, Error> {
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
pub(crate) fn tcp_settings() -> TcpSettings {
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

pub(crate) fn login(
    config: &RedisConfig,
    url: &RedisConnectionInfo,
) -> Result<RedisConnectionInfo, Error> {
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
