use faas_sdk_core::{Env, Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

const ADDRESS: &str = "FAAS_LOCAL_ADDR";
const TIMEOUT: &str = "FAAS_LOCAL_TIMEOUT_MS";

/// How many ports are tried, from the wanted one on.
const TRIES: u16 = 100;

/// An open listener, and the address that was wanted instead if that was taken.
pub(crate) struct Listening {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) taken: Option<SocketAddr>,
}

/// Listens on `FAAS_LOCAL_ADDR`, 127.0.0.1:9000 by default, or on the next free port.
pub(crate) async fn listen(env: &Env) -> Result<Listening> {
    let text = env.get(ADDRESS).unwrap_or("127.0.0.1:9000");
    let bad = |reason: String| {
        let message = format!("{ADDRESS} is `{text}`: {reason}; write host:port");
        Error::new(ErrorKind::NotConfigured, message)
    };
    let found = tokio::net::lookup_host(text)
        .await
        .map_err(|error| bad(error.to_string()))?;
    let wanted = found
        .into_iter()
        .next()
        .ok_or_else(|| bad("no such host".to_owned()))?;
    for offset in 0..TRIES {
        let Some(port) = wanted.port().checked_add(offset) else {
            break;
        };
        let address = SocketAddr::new(wanted.ip(), port);
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let address = listener.local_addr().map_err(Error::from_any)?;
                return Ok(Listening {
                    listener,
                    address,
                    taken: (offset > 0).then_some(wanted),
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => {
                let message = format!("can't listen on {address}, from {ADDRESS}");
                return Err(Error::new(ErrorKind::NotConfigured, message).with_source(error));
            }
        }
    }
    let message = format!(
        "port {} and those after it are taken: set {ADDRESS}",
        wanted.port()
    );
    Err(Error::new(ErrorKind::NotConfigured, message))
}

/// How long a call may take: `FAAS_LOCAL_TIMEOUT_MS`, no limit by default.
pub(crate) fn timeout(env: &Env) -> Result<Option<Duration>> {
    let Some(text) = env.get(TIMEOUT) else {
        return Ok(None);
    };
    match text.trim().parse() {
        Ok(milliseconds @ 1..=86_400_000) => Ok(Some(Duration::from_millis(milliseconds))),
        _ => {
            let message = format!(
                "{TIMEOUT} is `{text}`: a number of milliseconds from 1 to 86400000 is expected"
            );
            Err(Error::new(ErrorKind::NotConfigured, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str, value: &str) -> Env {
        Env::from_iter([(name, value)])
    }

    #[tokio::test]
    async fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = taken.local_addr().expect("its address");
        let listening = listen(&env(ADDRESS, &address.to_string()))
            .await
            .expect("the next one");
        assert_eq!(listening.taken, Some(address));
        assert!(listening.address.port() > address.port());
    }

    #[tokio::test]
    async fn bad_settings_are_named() {
        for bad in ["9000", "localhost", "127.0.0.1:x", "256.0.0.1:1"] {
            let error = listen(&env(ADDRESS, bad)).await.err().expect(bad);
            assert!(
                error.message().contains(ADDRESS) && error.message().contains(bad),
                "{error}"
            );
        }
        for bad in ["0", "-1", "soon"] {
            let error = timeout(&env(TIMEOUT, bad)).expect_err(bad);
            assert!(error.message().contains(TIMEOUT), "{error}");
        }
        assert_eq!(
            timeout(&env(TIMEOUT, "250")).expect("fine"),
            Some(Duration::from_millis(250))
        );
    }
}
