use deadpool_redis::redis::{RedisError, TlsCertificates};
use std::error::Error;
use std::sync::Arc;
use tokio_rustls::rustls;

/// Sees to it that there is one implementation of cryptography, even if features that others turn on
/// leave it open which. One that the program has chosen stays.
pub(crate) fn choose_provider() {
    let _chosen_before = rustls::crypto::ring::default_provider().install_default();
}

pub(crate) fn certificates(ca: &str) -> TlsCertificates {
    TlsCertificates {
        client_tls: None,
        root_cert: Some(ca.as_bytes().to_vec()),
    }
}

/// Whether the server's certificate was refused.
pub(crate) fn is_untrusted(error: &RedisError) -> bool {
    // The client shares its causes.
    let cause = error
        .source()
        .and_then(|source| source.downcast_ref::<Arc<dyn Error + Send + Sync>>());
    let io = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
    let inner = io.and_then(std::io::Error::get_ref);
    let tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}
