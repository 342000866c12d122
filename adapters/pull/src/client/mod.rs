//! A lean HTTP/1.1 client on one socket.

mod alarm;
mod blocking;
mod chunked;
mod connection;
mod decode;
mod empty_line;
mod endpoint;
mod error;
mod head;
mod limits;
mod request;
mod socket;
mod upload;

pub(crate) use blocking::post_blocking;
pub use connection::{Answer, Connection, ConnectionOptions};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{ClientError, ProtocolError};
pub use head::{Head, HeaderNotText};
pub use limits::Limits;
pub use request::{PathPart, RequestWriter};
pub use upload::{Progress, Upload};
