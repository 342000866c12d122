use super::error::OtlpError;
use std::io;
use std::sync::{Arc, OnceLock};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Makes connections secure; set up at the first one.
pub(super) struct Tls {
    roots: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(roots: Vec<CertificateDer<'static>>) -> Self {
        Self {
            roots,
            config: OnceLock::new(),
        }
    }

    pub(super) fn connector(&self) -> io::Result<TlsConnector> {
        let config = match self.config.get() {
            Some(config) => config,
            None => {
                let config = Arc::new(self.config()?);
                self.config.get_or_init(|| config)
            }
        };
        Ok(TlsConnector::from(Arc::clone(config)))
    }

    fn config(&self) -> io::Result<ClientConfig> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        for root in &self.roots {
            roots.add(root.clone()).map_err(io::Error::other)?;
        }
        // Named, because a process may have several providers or none as its default.
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(config)
    }
}

/// Reads certificates in PEM form, at least one.
pub(super) fn certificates(
    setting: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, OtlpError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| OtlpError::new(setting, "holds no certificates in PEM form"))
}
