//! One async function, every serverless platform: handlers, Context and platform adapters behind Cargo features
