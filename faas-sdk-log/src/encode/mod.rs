//! Values as JSON text, appended to a buffer that is used again for every line.

mod base64;
mod cut;
mod format;
mod json;
mod key;
mod lossy;
mod number;
mod text;
mod time;
mod url;

pub(crate) use base64::base64;
pub(crate) use cut::cut;
pub(crate) use format::formatted;
pub(crate) use json::{Limits, json};
pub(crate) use key::key;
pub(crate) use lossy::lossy;
pub(crate) use number::{bool, f32, f64, i64, i128, u64, u128};
pub(crate) use text::string;
pub(crate) use time::Timestamps;
