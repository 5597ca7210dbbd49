//! QUIC without luck of its own: every key, identifier and seed follows from the scenario's seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cantus_player::trust::{Fingerprint, Trust, TrustError, Verifier};
use cantus_qos::roq::{ALPN, INITIAL_ROUND_TRIP};
use cantus_streamer::quic::{GrantedRate, Identity, IdentityError, server_config};
use quinn_proto::congestion::{ControllerFactory, CubicConfig, NewRenoConfig};
use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{
    ClientConfig, ConnectionId, ConnectionIdGenerator, EndpointConfig, ServerConfig,
    TransportConfig, VarInt,
};
use ring::{hkdf, hmac};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::plan::Congestion;
use crate::sim::clock::FixedDate;

/// Why QUIC cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum QuicError {
    /// The identity of the simulated streamer.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The certificate cannot be made.
    #[error("cannot make the certificate of the simulated streamer: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The trust of the simulated player.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// TLS does not take the configuration.
    #[error("TLS cannot be configured: {0}")]
    Tls(#[from] rustls::Error),
    /// TLS without the one cipher suite that QUIC begins with.
    #[error("TLS has no initial cipher suite for QUIC")]
    NoInitialSuite,
    /// The connection cannot be begun.
    #[error("cannot connect: {0}")]
    Connect(#[from] quinn_proto::ConnectError),
}

/// The bytes before an Ed25519 seed in a PKCS #8 document (RFC 8410, section 7).
const ED25519_PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The streamer of every simulation: a key that everybody knows, and its certificate, the same to
/// the last bit each time.
fn identity() -> Result<Identity, QuicError> {
    let mut pkcs8 = ED25519_PKCS8.to_vec();
    pkcs8.extend_from_slice(&[7; 32]);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8));
    let pair = rcgen::KeyPair::try_from(&key)?;
    let mut parameters = rcgen::CertificateParams::new(vec!["streamer.invalid".to_owned()])?;
    parameters.serial_number = Some(rcgen::SerialNumber::from(1u64));
    let certificate = parameters.self_signed(&pair)?;
    Ok(Identity { certificates: vec![certificate.der().clone()], key })
}

/// The two ends' configurations.
pub(in crate::sim) struct Settings {
    pub(in crate::sim) server: Arc<ServerConfig>,
    pub(in crate::sim) client: ClientConfig,
    pub(in crate::sim) rate: GrantedRate,
}

impl Settings {
    pub(super) fn new() -> Result<Self, QuicError> {
        let identity = identity()?;
        let rate = GrantedRate::default();
        let mut server = server_config(&identity, rate.clone())?;
        let token_key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&[1; 64]);
        server.token_key(Arc::new(token_key)).time_source(Arc::new(FixedDate));
        let fingerprint = Fingerprint::of(&identity.certificates[0]);
        let verifier = Verifier::new(Trust::Fingerprint(fingerprint), "streamer.invalid:4433")?;
        let tls = QuicClientConfig::try_from(verifier.client_config(&[ALPN])?)
            .map_err(|_| QuicError::NoInitialSuite)?;
        let mut client = ClientConfig::new(Arc::new(tls));
        client.transport_config(Arc::new(client_transport()));
        client.initial_dst_cid_provider(Arc::new(|| ConnectionId::new(&[9; 8])));
        Ok(Self { server: Arc::new(server), client, rate })
    }

    /// Those of a connection that carries no media, and yields as `congestion` has it.
    pub(in crate::sim) fn bulk(congestion: Congestion) -> Result<Self, QuicError> {
        let Self { mut server, client, rate } = Self::new()?;
        let mut transport = TransportConfig::default();
        let factory: Arc<dyn ControllerFactory + Send + Sync> = match congestion {
            Congestion::Reno => Arc::new(NewRenoConfig::default()),
            Congestion::Cubic => Arc::new(CubicConfig::default()),
        };
        transport.congestion_controller_factory(factory);
        Arc::make_mut(&mut server).transport_config(Arc::new(transport));
        Ok(Self { server, client, rate })
    }
}

/// A player opens flow 0 and sends reports; it receives datagrams and one stream a subtitle track.
fn client_transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .initial_rtt(INITIAL_ROUND_TRIP)
        .max_concurrent_uni_streams(VarInt::from_u32(16))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(Some(64 * 1024))
        .datagram_send_buffer_size(16 * 1024);
    transport
}

/// The configuration of one end; `side` keeps the two apart.
pub(super) fn endpoint_config(seed: u64, side: u8) -> Arc<EndpointConfig> {
    let mut config = EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &[side; 64])));
    let mut rng_seed = [side; 32];
    rng_seed[..8].copy_from_slice(&seed.to_be_bytes());
    config.rng_seed(Some(rng_seed));
    config.cid_generator(move || Box::new(Counted { side, next: AtomicU64::new(0) }));
    Arc::new(config)
}

/// Connection identifiers that count.
struct Counted {
    side: u8,
    next: AtomicU64,
}

impl ConnectionIdGenerator for Counted {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut bytes = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes[0] = self.side;
        ConnectionId::new(&bytes)
    }

    fn cid_len(&self) -> usize {
        8
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}
