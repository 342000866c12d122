//! CloudEvents 1.0 over HTTP for faas-sdk adapters
