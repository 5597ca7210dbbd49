//! Real handshakes between rustls and itself, through memory.

use std::fs;
use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConnection, ServerConfig, ServerConnection};

use super::*;
use crate::scratch::Scratch;

/// What a server shows, and the key it signs with: they need not belong together.
struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Identity {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, key }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }
}

#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A server that shows `certificate` and signs with `key`, whether they match or not.
fn server(certificate: &CertificateDer<'static>, key: &KeyPair) -> ServerConnection {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signer = provider.key_provider.load_private_key(der).unwrap();
    let shown = Arc::new(CertifiedKey::new(vec![certificate.clone()], signer));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(shown)));
    config.alpn_protocols = vec![b"roq-10".to_vec()];
    ServerConnection::new(Arc::new(config)).unwrap()
}

fn handshake(verifier: &Arc<Verifier>, mut server: ServerConnection) -> Result<(), rustls::Error> {
    let config = Arc::new(verifier.client_config(&[b"roq-10"])?);
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(config, name)?;
    while client.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert_eq!(client.alpn_protocol(), Some(&b"roq-10"[..]));
    Ok(())
}

fn meet(trust: Trust, identity: &Identity) -> Result<(), TrustError> {
    let verifier = Verifier::new(trust, "localhost:4433")?;
    match handshake(&verifier, server(&identity.certificate, &identity.key)) {
        Ok(()) => Ok(()),
        Err(error) => Err(verifier.refusal().unwrap_or_else(|| panic!("{error}"))),
    }
}

#[test]
fn the_first_certificate_is_pinned_and_known_again() {
    let scratch = Scratch::new("trust-first");
    let pins = Pins::at(scratch.path("known_servers"));
    let identity = Identity::new();
    let verifier = Verifier::new(Trust::FirstUse(pins.clone()), "localhost:4433").unwrap();
    handshake(&verifier, server(&identity.certificate, &identity.key)).unwrap();
    assert_eq!(verifier.pinned(), Some(identity.fingerprint()));
    let expected = format!("localhost:4433 {}\n", identity.fingerprint());
    assert_eq!(fs::read_to_string(pins.file()).unwrap(), expected);
    let again = Verifier::new(Trust::FirstUse(pins.clone()), "localhost:4433").unwrap();
    handshake(&again, server(&identity.certificate, &identity.key)).unwrap();
    assert_eq!(again.pinned(), None);
    assert_eq!(fs::read_to_string(pins.file()).unwrap(), expected);
}

#[test]
fn a_changed_certificate_is_refused_in_one_line_that_says_what_to_do() {
    let scratch = Scratch::new("trust-changed");
    let pins = Pins::at(scratch.path("known_servers"));
    let (old, new) = (Identity::new(), Identity::new());
    meet(Trust::FirstUse(pins.clone()), &old).unwrap();
    let line = meet(Trust::FirstUse(pins.clone()), &new).unwrap_err().to_string();
    for part in [
        "localhost:4433",
        &new.fingerprint().to_string(),
        &old.fingerprint().to_string(),
        &format!("line 1 of {}", pins.file().display()),
    ] {
        assert!(line.contains(part), "{line} lacks {part}");
    }
    assert!(!line.contains('\n'));
    assert_eq!(pins.lookup("localhost:4433").unwrap().unwrap().fingerprint, old.fingerprint());
}

#[test]
fn a_certificate_without_its_key_is_refused_and_not_pinned() {
    let scratch = Scratch::new("trust-stolen");
    let pins = Pins::at(scratch.path("known_servers"));
    let (victim, thief) = (Identity::new(), Identity::new());
    for trust in [Trust::FirstUse(pins.clone()), Trust::Fingerprint(victim.fingerprint())] {
        let verifier = Verifier::new(trust, "localhost:4433").unwrap();
        let error = handshake(&verifier, server(&victim.certificate, &thief.key)).unwrap_err();
        assert_eq!(error, rustls::Error::InvalidCertificate(CertificateError::BadSignature));
    }
    assert_eq!(pins.lookup("localhost:4433").unwrap(), None);
}

#[test]
fn a_demanded_fingerprint_lets_in_that_certificate_and_no_other() {
    let (expected, other) = (Identity::new(), Identity::new());
    meet(Trust::Fingerprint(expected.fingerprint()), &expected).unwrap();
    let error = meet(Trust::Fingerprint(expected.fingerprint()), &other).unwrap_err();
    assert!(matches!(error, TrustError::Unexpected { shown, .. } if shown == other.fingerprint()));
}

#[test]
fn an_authority_vouches_for_what_it_signed_and_for_nothing_else() {
    let scratch = Scratch::new("trust-authority");
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let file = scratch.path("ca.pem");
    fs::write(&file, authority.pem()).unwrap();

    let signed = |host: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.into()]).unwrap();
        Identity { certificate: params.signed_by(&key, &authority).unwrap().der().clone(), key }
    };
    meet(Trust::Authority(file.clone()), &signed("localhost")).unwrap();
    for stranger in [signed("elsewhere"), Identity::new()] {
        let error = meet(Trust::Authority(file.clone()), &stranger).unwrap_err();
        assert!(matches!(error, TrustError::Unvouched { .. }), "{error}");
    }
}

#[test]
fn a_file_without_authorities_is_refused_before_anything_is_sent() {
    let scratch = Scratch::new("trust-no-authority");
    let file = scratch.path("ca.pem");
    for content in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n")] {
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        let error = Verifier::new(Trust::Authority(file.clone()), "localhost:4433").unwrap_err();
        assert!(error.to_string().contains("ca.pem"), "{error}");
    }
}

#[test]
fn where_no_pin_can_be_kept_the_error_names_the_way_around() {
    let scratch = Scratch::new("trust-no-pins");
    fs::write(scratch.path("wall"), "").unwrap();
    let pins = Pins::at(scratch.path("wall/known_servers"));
    let identity = Identity::new();
    let line = meet(Trust::FirstUse(pins), &identity).unwrap_err().to_string();
    assert!(line.contains(&format!("--trust {}", identity.fingerprint())), "{line}");
}
