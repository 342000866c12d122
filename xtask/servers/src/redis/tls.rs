//! Certificates for one server.

use crate::folder::Folder;
use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::PathBuf;

/// An authority of its own and what it signed for a server, as files.
#[derive(Debug)]
pub(super) struct Certificates {
    pub(super) ca_pem: String,
    pub(super) ca: PathBuf,
    pub(super) server: PathBuf,
    pub(super) key: PathBuf,
}

impl Certificates {
    /// Makes all anew in `folder`. The server is `localhost` and `127.0.0.1`.
    pub(super) fn create(folder: &Folder) -> Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let name = &mut authority.distinguished_name;
        name.push(DnType::CommonName, "faas-sdk test authority");
        let key = KeyPair::generate()?;
        let ca_pem = authority.self_signed(&key)?.pem();
        let issuer = Issuer::new(authority, key);

        let mut server =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let name = &mut server.distinguished_name;
        name.push(DnType::CommonName, "localhost");
        server.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let signed = server.signed_by(&key, &issuer)?;

        Ok(Self {
            ca: folder.write("ca.pem", &ca_pem)?,
            server: folder.write("server.pem", &signed.pem())?,
            key: folder.write("server.key", &key.serialize_pem())?,
            ca_pem,
        })
    }
}
