//! The long-poll engine of faas-sdk platform adapters

mod client;
mod engine;

pub use client::{
    Answer, ClientError, Connection, ConnectionOptions, Endpoint, EndpointError, Head,
    HeaderNotText, Limits, PathPart, Progress, ProtocolError, RequestWriter, Upload,
};
pub use engine::{Backoff, Codec, Delivery, Engine, Polled, Profile, Report, refusal};
