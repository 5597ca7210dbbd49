//! Who the streamer is: its certificate and key.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate chain and key of a streamer.
#[derive(Debug)]
pub struct Identity {
    /// Leaf first.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The key of the leaf.
    pub key: PrivateKeyDer<'static>,
}

/// Why a streamer has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read.
    #[error("{}: no usable {what}: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Certificate or private key.
        what: &'static str,
        /// What is wrong with it.
        reason: pem::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot keep the streamer's key: {reason}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// There is nowhere to keep it.
    #[error("neither XDG_STATE_HOME nor HOME tells where to keep a key: use --cert and --key")]
    NoHome,
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// TLS does not take them.
    #[error("certificate and key are not usable: {0}")]
    Tls(#[from] rustls::Error),
    /// TLS without the one cipher suite that QUIC begins with.
    #[error("TLS has no initial cipher suite for QUIC")]
    NoInitialSuite,
}

impl Identity {
    /// Reads a certificate chain and a key from PEM files.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or does not hold what it should.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let unreadable = |file: &Path, what| {
            let file = file.to_owned();
            move |reason| IdentityError::Unreadable { file, what, reason }
        };
        let certificates = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unreadable(certificate, "certificate"))?;
        if certificates.is_empty() {
            return Err(unreadable(certificate, "certificate")(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key, "private key"))?;
        Ok(Self { certificates, key })
    }

    /// The SHA-256 of the certificate in DER form, `sha256:` and 64 hexadecimal digits: what a
    /// player trusts who is told to.
    pub fn fingerprint(&self) -> String {
        let leaf = self.certificates.first().map_or(&[][..], |leaf| leaf);
        let digest = digest(&SHA256, leaf);
        digest.as_ref().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// A new self-signed certificate, not kept anywhere.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub fn ephemeral() -> Result<Self, IdentityError> {
        let (certificate, key) = make()?;
        let key_der = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|why| rustls::Error::General(why.to_owned()))?;
        Ok(Self { certificates: vec![certificate.der().clone()], key: key_der })
    }

    /// The identity kept for the user: in `$XDG_STATE_HOME/cantus`, or else in
    /// `~/.local/state/cantus`. `variable` reads the environment.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NoHome`], and as [`kept_in`](Self::kept_in).
    pub fn of_user(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, IdentityError> {
        // A relative path is to be ignored (XDG Base Directory Specification).
        let state = variable("XDG_STATE_HOME").filter(|path| path.is_absolute());
        let home = || variable("HOME").filter(|path| path.is_absolute());
        let state = state.or_else(|| Some(home()?.join(".local/state")));
        Self::kept_in(&state.ok_or(IdentityError::NoHome)?.join("cantus"))
    }

    /// The identity kept in `directory`, made at the first time.
    ///
    /// # Errors
    ///
    /// If what is there cannot be read, or nothing can be written.
    pub fn kept_in(directory: &Path) -> Result<Self, IdentityError> {
        let certificate = directory.join("streamer.cert.pem");
        let key = directory.join("streamer.key.pem");
        if !(certificate.exists() && key.exists()) {
            let (made, pair) = make()?;
            let unwritable = |file: &Path| {
                let file = file.to_owned();
                move |reason| IdentityError::Unwritable { file, reason }
            };
            fs::create_dir_all(directory).map_err(unwritable(directory))?;
            write_private(&key, pair.serialize_pem().as_bytes()).map_err(unwritable(&key))?;
            fs::write(&certificate, made.pem()).map_err(unwritable(&certificate))?;
        }
        Self::read(&certificate, &key)
    }
}

fn make() -> Result<(rcgen::Certificate, rcgen::KeyPair), rcgen::Error> {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519)?;
    let mut parameters =
        rcgen::CertificateParams::new(vec!["cantus".to_owned(), "localhost".to_owned()])?;
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "Cantus streamer");
    Ok((parameters.self_signed(&pair)?, pair))
}

/// Nobody else reads the key, not even for the instant between creation and a change of mode.
fn write_private(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_made_once_and_stays() {
        let name = format!("cantus-identity-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let first = Identity::kept_in(&directory).unwrap();
        let again = Identity::kept_in(&directory).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(first.certificates, again.certificates);
        assert_eq!(first.fingerprint(), again.fingerprint());
    }

    #[test]
    fn the_fingerprint_is_the_sha256_of_the_certificate() {
        let mut identity = Identity::ephemeral().unwrap();
        // The digest of "abc", from FIPS 180-4.
        identity.certificates[0] = CertificateDer::from(b"abc".to_vec());
        assert_eq!(
            identity.fingerprint(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let name = format!("cantus-empty-{}.pem", std::process::id());
        let file = std::env::temp_dir().join(name);
        fs::write(&file, "nothing to see here\n").unwrap();
        let error = Identity::read(&file, &file).unwrap_err().to_string();
        fs::remove_file(&file).unwrap();
        assert!(error.contains("no usable certificate") && error.lines().count() == 1, "{error}");
    }

    #[test]
    fn a_user_without_a_home_is_told_what_to_do() {
        let error = Identity::of_user(|_| None).unwrap_err();
        assert!(matches!(error, IdentityError::NoHome));
        let relative = Identity::of_user(|_| Some("state".into())).unwrap_err();
        assert!(matches!(relative, IdentityError::NoHome));
    }

    #[test]
    fn a_file_that_is_no_certificate_is_named() {
        let missing = Path::new("/nonexistent/cert.pem");
        let error = Identity::read(missing, missing).unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/cert.pem: no usable certificate"), "{error}");
    }
}
