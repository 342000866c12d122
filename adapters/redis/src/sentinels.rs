use crate::node;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{
    ConnectionInfo, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, Value, cmd,
};
use tokio::task::JoinSet;

/// Sentinels, and how to connect to what they name.
///
/// The client's own way is not used: it asks one after the other and waits for each that is silent.
pub(crate) struct Sentinels {
    pub(crate) sentinels: Vec<ConnectionInfo>,
    pub(crate) service: String,
    /// A data node at no address in particular.
    pub(crate) node: ConnectionInfo,
}

impl Sentinels {
    /// Connects to the primary. All sentinels are asked at once; the first one counts that names a
    /// server which takes itself for the primary. Cancel-safe.
    pub(crate) async fn open(&self) -> RedisResult<MultiplexedConnection> {
        let mut asked = JoinSet::new();
        for sentinel in &self.sentinels {
            asked.spawn(ask(sentinel.clone(), self.service.clone()));
        }
        let mut tried: Vec<(String, u16)> = Vec::new();
        let mut primaries = JoinSet::new();
        let mut failed = None;
        loop {
            // What a server says tells more than that a sentinel is down.
            let failure = tokio::select! {
                Some(told) = asked.join_next() => match told {
                    Ok(Ok(address)) => {
                        if !tried.contains(&address) {
                            primaries.spawn(primary(node::at(&self.node, &address)));
                            tried.push(address);
                        }
                        continue;
                    }
                    Ok(Err(error)) if tried.is_empty() => error,
                    Ok(Err(_)) | Err(_) => continue,
                },
                Some(opened) = primaries.join_next() => match opened {
                    Ok(Ok(connection)) => return Ok(connection),
                    Ok(Err(error)) => error,
                    Err(_) => continue,
                },
                else => break,
            };
            failed = Some(failure);
        }
        Err(failed.unwrap_or_else(|| std::io::Error::other("no sentinel was asked").into()))
    }
}

/// Asks a sentinel where the primary is.
async fn ask(sentinel: ConnectionInfo, service: String) -> RedisResult<(String, u16)> {
    let mut connection = node::open(sentinel).await?;
    let question = cmd("SENTINEL")
        .arg("GET-MASTER-ADDR-BY-NAME")
        .arg(service)
        .to_owned();
    let address = connection.send_packed_command(&question).await?;
    match address.extract_error()? {
        Value::Nil => Err(RedisError::from((
            ErrorKind::MasterNameNotFoundBySentinel,
            "the sentinel does not know the name",
        ))),
        address => Ok(FromRedisValue::from_redis_value(address)?),
    }
}

/// Connects to a server, if it is a primary: for a while after a failover sentinels name the old one.
async fn primary(node: ConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let mut connection = node::open(node).await?;
    let role = connection.send_packed_command(&cmd("ROLE")).await?;
    match role {
        Value::Array(role) if !is_master(&role) => Err(RedisError::from((
            ErrorKind::Server(ServerErrorKind::MasterDown),
            "the server that the sentinels name is no primary now",
        ))),
        // Also for a user who may not ask: a write will tell.
        _ => Ok(connection),
    }
}

fn is_master(role: &[Value]) -> bool {
    match role.first() {
        Some(Value::BulkString(name)) => name == b"master",
        Some(Value::SimpleString(name)) => name == "master",
        _ => true,
    }
}
