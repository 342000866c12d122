#![doc = include_str!("../README.md")]

mod codec;
mod environment;
mod error_report;
mod extension;
mod platform;
mod response;
mod trace;

pub use platform::AwsLambda;
