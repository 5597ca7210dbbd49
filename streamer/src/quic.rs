//! QUIC as media wants it (design: RTP over QUIC).

mod congestion;
mod identity;

pub use congestion::{GrantedRate, MediaWindow};
pub use identity::{Identity, IdentityError};

use std::sync::Arc;
use std::time::Duration;

use cantus_qos::roq::{ALPN, INITIAL_ROUND_TRIP, NEIGHBOUR_ALPNS};
use quinn_proto::crypto::rustls::QuicServerConfig;
use quinn_proto::{IdleTimeout, ServerConfig, TransportConfig, VarInt};

/// Datagrams that wait to be sent: beyond this the oldest goes, which is right for media.
const DATAGRAM_BUFFER: usize = 64 * 1024;

/// A listener that has been silent for this long is gone.
const IDLE: Duration = Duration::from_secs(30);

/// Streams in both directions that a client may open: flow 0, and a few more so that a confused one
/// gets an error.
const CLIENT_STREAMS: u32 = 4;

/// Streams with reports that a client may have open at once: as it likes, they come on one, or each
/// on one of its own.
const REPORT_STREAMS: u32 = 2;

/// How a connection behaves: `rate` tells its congestion window what the session was granted.
pub fn transport_config(rate: GrantedRate) -> TransportConfig {
    let mut transport = TransportConfig::default();
    let idle = IdleTimeout::try_from(IDLE).expect("half a minute is an idle time-out");
    transport
        // Nothing that we send needs more than the least that every path has, and a probe of 1,452
        // bytes holds up a thin path for 73 ms.
        .mtu_discovery_config(None)
        .initial_rtt(INITIAL_ROUND_TRIP)
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(Some(IDLE / 4))
        .max_concurrent_bidi_streams(VarInt::from_u32(CLIENT_STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(REPORT_STREAMS))
        .datagram_send_buffer_size(DATAGRAM_BUFFER)
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
        .stream_receive_window(VarInt::from_u32(64 * 1024))
        .receive_window(VarInt::from_u32(256 * 1024))
        .send_window(256 * 1024)
        .congestion_controller_factory(Arc::new(MediaWindow::factory(rate)));
    transport
}

/// The configuration of one connection.
///
/// # Errors
///
/// If the certificate and its key cannot be used for TLS 1.3.
pub fn server_config(
    identity: &Identity,
    rate: GrantedRate,
) -> Result<ServerConfig, IdentityError> {
    let mut config = ServerConfig::with_crypto(Arc::new(crypto(identity)?));
    config.transport_config(Arc::new(transport_config(rate)));
    Ok(config)
}

fn crypto(identity: &Identity) -> Result<QuicServerConfig, IdentityError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(identity.certificates.clone(), identity.key.clone_key())?;
    let protocols = std::iter::once(ALPN).chain(NEIGHBOUR_ALPNS);
    tls.alpn_protocols = protocols.map(<[u8]>::to_vec).collect();
    QuicServerConfig::try_from(tls).map_err(|_| IdentityError::NoInitialSuite)
}
