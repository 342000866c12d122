#![doc = include_str!("../README.md")]

mod codec;
mod listing;
mod one_shot;
mod platform;
mod reply;
mod settings;

pub use platform::Local;
