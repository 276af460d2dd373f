//! HTTP as the environment wants it: HTTP_VERSION=1.1|2; TLS_CERT and TLS_KEY of a server, SSL_CERT_FILE of a client, and
//! TLS_VERSION=1.2 where it is not to be 1.3.

use std::{env, error::Error, path::Path, time::Duration};

use tokio::time::sleep;

pub fn wants(name: &str, value: &str) -> bool {
    env::var(name).is_ok_and(|is| is == value)
}

/// Where LATE names a folder: says there that the early part is over, and waits until it may go on.
pub async fn late() {
    let Some(folder) = env::var_os("LATE") else { return };
    let folder = Path::new(&folder);
    std::fs::write(folder.join("early"), "").expect("LATE cannot be written");
    while !folder.join("go").exists() {
        sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(not(feature = "tls"))]
pub fn client() -> Result<reqwest::Client, Box<dyn Error>> {
    Ok(reqwest::Client::new())
}

#[cfg(feature = "tls")]
pub use tls::*;

#[cfg(feature = "tls")]
mod tls {
    use std::sync::Arc;

    use rustls::{
        ServerConfig,
        crypto::CryptoProvider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        version::{TLS12, TLS13},
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;

    fn provider() -> CryptoProvider {
        #[cfg(feature = "aws-lc")]
        return rustls::crypto::aws_lc_rs::default_provider();
        #[cfg(not(feature = "aws-lc"))]
        return rustls::crypto::ring::default_provider();
    }

    pub fn client() -> Result<reqwest::Client, Box<dyn Error>> {
        let _ = provider().install_default();
        let mut client = reqwest::Client::builder();
        if wants("HTTP_VERSION", "1.1") {
            client = client.http1_only();
        }
        if wants("TLS_VERSION", "1.2") {
            client = client.tls_version_max(reqwest::tls::Version::TLS_1_2);
        }
        Ok(client.build()?)
    }

    /// None: TLS is not wanted.
    pub fn acceptor() -> Result<Option<TlsAcceptor>, Box<dyn Error>> {
        let (Ok(cert), Ok(key)) = (env::var("TLS_CERT"), env::var("TLS_KEY")) else { return Ok(None) };
        let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
        let versions = if wants("TLS_VERSION", "1.2") { &[&TLS12][..] } else { &[&TLS13, &TLS12] };
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
        config.alpn_protocols = if wants("HTTP_VERSION", "2") { vec![b"h2".into()] } else { vec![b"http/1.1".into()] };
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }
}
