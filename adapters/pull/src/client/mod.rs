//! A lean HTTP/1.1 client on one socket.

mod alarm;
mod blocking;
mod chunked;
mod connection;
mod decode;
mod endpoint;
mod error;
mod head;
mod request;
mod socket;
mod upload;

pub(crate) use blocking::post_blocking;
pub use connection::{Answer, Connection, ConnectionOptions};
pub use decode::Limits;
pub use endpoint::{Endpoint, EndpointError};
pub use error::{ClientError, ProtocolError};
pub use head::{Head, HeaderNotText};
pub use request::{PathPart, RequestWriter};
pub use upload::{Progress, Upload};
