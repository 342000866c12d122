//! One exchange without a runtime, for the moment in which the runtime is stuck.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::decode::Decoder;
use super::limits::Limits;
use super::{ClientError, Endpoint, Head, ProtocolError};

/// Sends a whole request on a connection of its own and gives the status of the answer. The
/// connection, the request and the answer have `within` together, as far as the system can bound
/// it: a host name is resolved without a limit.
pub(crate) fn post_blocking(
    endpoint: &Endpoint,
    request: &[u8],
    within: Duration,
) -> Result<u16, ClientError> {
    let until = Instant::now() + within;
    let left = |waited_for| match until.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(ClientError::Timeout {
            waited_for,
            limit: within,
        }),
        left => Ok(left),
    };
    let failed = |source| ClientError::Connect {
        authority: endpoint.authority().to_owned(),
        source,
    };
    let mut addresses = (endpoint.host(), endpoint.port())
        .to_socket_addrs()
        .map_err(failed)?;
    let mut stream = loop {
        let address = addresses
            .next()
            .ok_or_else(|| failed(std::io::ErrorKind::AddrNotAvailable.into()))?;
        match TcpStream::connect_timeout(&address, left("accept the connection")?) {
            Ok(stream) => break stream,
            Err(error) if addresses.len() == 0 => return Err(failed(error)),
            Err(_) => {}
        }
    };
    stream.set_nodelay(true).map_err(failed)?;
    stream
        .set_write_timeout(Some(left("answer")?))
        .map_err(ClientError::Send)?;
    stream.write_all(request).map_err(ClientError::Send)?;
    let (mut decoder, mut head) = (Decoder::new(Limits::default(), false), Head::default());
    let (mut buf, mut piece) = (BytesMut::new(), [0; 2048]);
    loop {
        stream
            .set_read_timeout(Some(left("answer")?))
            .map_err(ClientError::Receive)?;
        let read = stream.read(&mut piece).map_err(ClientError::Receive)?;
        buf.extend_from_slice(&piece[..read]);
        match decoder.decode(&mut buf, &mut head, read == 0)? {
            Some(_) => return Ok(head.status()),
            None if read == 0 => return Err(ProtocolError::Truncated.into()),
            None => {}
        }
    }
}
