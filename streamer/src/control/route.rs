//! How a flow reaches its listener: the choice among the transports that SETUP offers.

use std::net::{IpAddr, SocketAddr};

use cantus_qos::roq::FlowId;
use cantus_qos::rtp::Ssrc;
use cantus_qos::rtsp::{Profile, Transport, TransportHeader};
use rtsp_types::StatusCode;

use super::Control;
use super::reply::Reply;
use crate::session::Route;
use crate::wire::{Carrier, ConnectionId, Source};

/// The transport that was chosen.
#[derive(Debug)]
pub(super) struct Choice {
    /// What the answer says, but for the SSRC.
    pub(super) transport: Transport,
    /// Where packets go.
    pub(super) route: Route,
    /// The number of the flow.
    pub(super) flow: FlowId,
}

impl Control {
    /// Picks the first offered transport that this connection can carry. Over UDP the flow gets
    /// the number `next_flow`; over QUIC the client has numbered it.
    pub(super) fn choose_route(
        &self,
        connection: ConnectionId,
        carrier: Carrier,
        offered: &TransportHeader,
        next_flow: FlowId,
    ) -> Result<Choice, Reply> {
        let mut refusal = None;
        for transport in &offered.alternatives {
            let choice = match (carrier, transport) {
                (
                    Carrier::Tcp(peer),
                    Transport::Udp { profile, client, destination, multicast: false, .. },
                ) => {
                    check_destination(peer, destination.as_deref())?;
                    self.udp(peer, *profile, *client, next_flow)
                }
                (Carrier::Tcp(_), Transport::Interleaved { profile, channels, .. }) => {
                    self.interleaved(connection, *profile, *channels, next_flow)
                }
                (Carrier::Quic, Transport::Quic { profile, flow, .. }) => {
                    self.quic(connection, *profile, *flow)
                }
                _ => continue,
            };
            match choice {
                Ok(choice) => return Ok(choice),
                Err(why) => refusal = Some(why),
            }
        }
        let why = refusal.unwrap_or_else(|| match carrier {
            Carrier::Tcp(_) => {
                "this connection carries RTP/AVP and RTP/AVPF, over unicast UDP or interleaved"
                    .into()
            }
            Carrier::Quic => "this connection carries RTP/AVPF/QUIC".into(),
        });
        Err(Reply::refuse(StatusCode::UnsupportedTransport, why))
    }

    fn udp(
        &self,
        peer: IpAddr,
        profile: Profile,
        client: (u16, u16),
        flow: FlowId,
    ) -> Result<Choice, String> {
        let (rtp, rtcp) = (SocketAddr::new(peer, client.0), SocketAddr::new(peer, client.1));
        if client.0 == 0 || client.1 == 0 {
            return Err("port 0 is no port".to_owned());
        }
        if self.sessions.is_taken(&Source::Udp(rtcp)) {
            return Err(format!("client_port {} is in use", client.1));
        }
        let transport = Transport::Udp {
            profile,
            client,
            server: Some(self.config.media_ports),
            destination: None,
            multicast: false,
            ssrc: None,
        };
        Ok(Choice { transport, route: Route::Udp { rtp, rtcp }, flow })
    }

    /// The channels that were wished, or two that are free: another session of this connection may
    /// have those, and clients heed what the answer says (RFC 7826, section 18.54).
    fn interleaved(
        &self,
        connection: ConnectionId,
        profile: Profile,
        wished: (u8, u8),
        flow: FlowId,
    ) -> Result<Choice, String> {
        let taken = self.sessions.channels_of(connection);
        let is_free =
            |(rtp, rtcp): &(u8, u8)| rtp != rtcp && !taken.contains(rtp) && !taken.contains(rtcp);
        let pairs = (0..=u8::MAX / 2).map(|half| (2 * half, 2 * half + 1));
        let channels = std::iter::once(wished).chain(pairs).find(is_free);
        let channels = channels.ok_or_else(|| "all channels are in use".to_owned())?;
        let transport = Transport::Interleaved { profile, channels, ssrc: None };
        let (rtp, rtcp) = channels;
        Ok(Choice { transport, route: Route::Interleaved { connection, rtp, rtcp }, flow })
    }

    fn quic(
        &self,
        connection: ConnectionId,
        profile: Profile,
        flow: FlowId,
    ) -> Result<Choice, String> {
        if self.sessions.is_taken(&Source::Quic(connection, flow)) {
            return Err(format!("flow {flow} is in use"));
        }
        let transport = Transport::Quic { profile, flow, ssrc: None };
        Ok(Choice { transport, route: Route::Quic(connection), flow })
    }
}

impl Choice {
    /// The Transport header of the answer.
    pub(super) fn answer(mut self, stream: Option<Ssrc>) -> String {
        match &mut self.transport {
            Transport::Udp { ssrc, .. }
            | Transport::Quic { ssrc, .. }
            | Transport::Interleaved { ssrc, .. } => *ssrc = stream,
        }
        self.transport.to_string()
    }
}

/// A server that sends wherever it is told to is a weapon (RFC 2326, section 16).
fn check_destination(peer: IpAddr, destination: Option<&str>) -> Result<(), Reply> {
    match destination {
        Some(address) if address.parse() != Ok(peer) => {
            let why = "media goes only to the address that asked for it";
            Err(Reply::refuse(StatusCode::Forbidden, why))
        }
        _ => Ok(()),
    }
}
