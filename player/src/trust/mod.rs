//! Whose certificate the player believes.
//!
//! A streamer on a local network or a rented machine seldom has a certificate from a public
//! authority. So a certificate is *trusted on first use*, as with ssh host keys: its
//! [`Fingerprint`] is written into the [`Pins`] file, and from then on the server must show the
//! same one. Who knows the fingerprint beforehand says so, and who runs an authority of his own
//! names its certificates: neither touches a pin.
//!
//! Whatever the policy, the server must prove in the handshake that it holds the private key
//! (RFC 8446, section 4.4.3). A pin is written only after this proof: a man in the middle cannot
//! make us remember a certificate that is not his.

mod fingerprint;
mod pins;

pub use fingerprint::{Fingerprint, FingerprintError};
pub use pins::{Pin, PinError, Pins};

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

/// The ways to know a server.
#[derive(Debug, Clone)]
pub enum Trust {
    /// The first certificate seen is pinned, any other is refused from then on.
    FirstUse(Pins),
    /// The certificate has this fingerprint, whatever it says about itself.
    Fingerprint(Fingerprint),
    /// The certificate chains to one of the authorities in this PEM file and names the host.
    Authority(PathBuf),
}

/// Why a server is not believed. Each is one line for the user.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrustError {
    /// The server shows another certificate than the pinned one.
    #[error(
        "the certificate of {server} has changed: it is {shown}, but {} was pinned; \
         if this change is right, remove line {} of {}",
        pin.fingerprint, pin.line, file.display()
    )]
    Changed {
        /// `host:port` of the server.
        server: String,
        /// What the server showed now.
        shown: Fingerprint,
        /// What was pinned before, and where.
        pin: Pin,
        /// The file of the pins.
        file: PathBuf,
    },
    /// The server shows another certificate than the user expects.
    #[error("the certificate of {server} is {shown}, not {expected} as --trust demands")]
    Unexpected {
        /// `host:port` of the server.
        server: String,
        /// What the server showed.
        shown: Fingerprint,
        /// What the user demanded.
        expected: Fingerprint,
    },
    /// No authority in the file vouches for the certificate.
    #[error("the certificate of {server} is not vouched for by {}: {reason}", file.display())]
    Unvouched {
        /// `host:port` of the server.
        server: String,
        /// The file of the authorities.
        file: PathBuf,
        /// What the verification found.
        reason: rustls::Error,
    },
    /// The file of the authorities is of no use.
    #[error("cannot take certificate authorities from {}: {reason}", file.display())]
    Authorities {
        /// The file of the authorities.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The pins cannot be read or written; the way around needs no pin.
    #[error("{reason}; to play without a pin use --trust {shown}")]
    Pins {
        /// What the server showed.
        shown: Fingerprint,
        /// What is wrong with the pins.
        reason: PinError,
    },
}

/// Verifies the certificate of one server by one [`Trust`]. One verifier serves one `host:port`,
/// since TLS tells a verifier the host alone and pins belong to the port as well.
#[derive(Debug)]
pub struct Verifier {
    trust: Trust,
    server: String,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    refusal: Mutex<Option<TrustError>>,
    pinned: OnceLock<Fingerprint>,
}

impl Verifier {
    /// A verifier for `server` (`host:port`, an IPv6 address in brackets).
    ///
    /// # Errors
    ///
    /// [`TrustError::Authorities`] if the file of the authorities cannot be read, holds no
    /// certificate, or holds one that does not parse.
    pub fn new(trust: Trust, server: impl Into<String>) -> Result<Arc<Self>, TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authorities = match &trust {
            Trust::Authority(file) => Some(authorities(file, &provider)?),
            Trust::FirstUse(_) | Trust::Fingerprint(_) => None,
        };
        Ok(Arc::new(Self {
            trust,
            server: server.into(),
            authorities,
            provider,
            refusal: Mutex::new(None),
            pinned: OnceLock::new(),
        }))
    }

    /// Why the last handshake was refused. What the TLS and QUIC layers say of it is wrapped many
    /// times; this is the one line to show.
    pub fn refusal(&self) -> Option<TrustError> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The fingerprint that was pinned in this handshake, if the server was met for the first time:
    /// the user should see it, and may compare it with what he was told.
    pub fn pinned(&self) -> Option<Fingerprint> {
        self.pinned.get().copied()
    }

    /// The TLS side of a client that speaks one of the protocols `alpn`: TLS 1.3 only, as QUIC
    /// demands (RFC 9001, section 4.2).
    ///
    /// # Errors
    ///
    /// Whatever rustls finds wrong with its own provider.
    pub fn client_config(
        self: &Arc<Self>,
        alpn: &[&[u8]],
    ) -> Result<rustls::ClientConfig, rustls::Error> {
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(self) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }

    fn refuse(&self, why: TrustError) -> rustls::Error {
        let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        *refusal = Some(why.clone());
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why))))
    }

    /// Checks the certificate against what is known of the server.
    fn recognise(&self, shown: Fingerprint) -> Result<(), TrustError> {
        match &self.trust {
            Trust::FirstUse(pins) => match pins.lookup(&self.server) {
                Ok(Some(pin)) if pin.fingerprint != shown => Err(TrustError::Changed {
                    server: self.server.clone(),
                    shown,
                    pin,
                    file: pins.file().to_path_buf(),
                }),
                Ok(_) => Ok(()),
                Err(reason) => Err(TrustError::Pins { shown, reason }),
            },
            Trust::Fingerprint(expected) if *expected != shown => Err(TrustError::Unexpected {
                server: self.server.clone(),
                shown,
                expected: *expected,
            }),
            Trust::Fingerprint(_) | Trust::Authority(_) => Ok(()),
        }
    }

    /// Pins the certificate, now that the server has proved that it is its own.
    fn remember(&self, shown: Fingerprint) -> Result<(), TrustError> {
        let Trust::FirstUse(pins) = &self.trust else {
            return Ok(());
        };
        let first = pins
            .remember(&self.server, shown)
            .map_err(|reason| TrustError::Pins { shown, reason })?;
        if first {
            self.pinned.get_or_init(|| shown);
        }
        Ok(())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let (Trust::Authority(file), Some(authorities)) = (&self.trust, &self.authorities) {
            return authorities
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|reason| {
                    self.refuse(TrustError::Unvouched {
                        server: self.server.clone(),
                        file: file.clone(),
                        reason,
                    })
                });
        }
        self.recognise(Fingerprint::of(end_entity)).map_err(|why| self.refuse(why))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let valid = verify_tls12_signature(message, cert, dss, algorithms)?;
        self.remember(Fingerprint::of(cert)).map_err(|why| self.refuse(why))?;
        Ok(valid)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let valid = verify_tls13_signature(message, cert, dss, algorithms)?;
        self.remember(Fingerprint::of(cert)).map_err(|why| self.refuse(why))?;
        Ok(valid)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn authorities(
    file: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TrustError> {
    let useless = |reason: String| TrustError::Authorities { file: file.to_path_buf(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|e| useless(e.to_string()))? {
        let certificate = certificate.map_err(|e| useless(e.to_string()))?;
        roots.add(certificate).map_err(|e| useless(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(useless("it holds no certificate in PEM form".into()));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|e| useless(e.to_string()))
}

#[cfg(test)]
mod tests;
