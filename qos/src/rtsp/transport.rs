//! The `Transport` header (RFC 2326, section 12.39).

use std::fmt;
use std::str::FromStr;

use super::HeaderError;
use crate::roq::FlowId;
use crate::rtp::Ssrc;

/// The RTP profile of a transport.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Profile {
    /// `RTP/AVP` (RFC 3551).
    #[default]
    Avp,
    /// `RTP/AVPF`: with early feedback (RFC 4585).
    Avpf,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avp => "RTP/AVP",
            Self::Avpf => "RTP/AVPF",
        })
    }
}

/// One way to carry the packets of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Transport {
    /// UDP: a pair of ports, RTP and RTCP, at each end.
    Udp {
        /// The RTP profile.
        profile: Profile,
        /// The ports of the client; of a multicast transport, those of the group.
        client: (u16, u16),
        /// The ports of the server, in its answer.
        server: Option<(u16, u16)>,
        /// Where the packets are to go, if not to where the request came from.
        destination: Option<String>,
        /// Whether that is a multicast group.
        multicast: bool,
        /// The source identifier of the stream, in the server's answer.
        ssrc: Option<Ssrc>,
    },
    /// The QUIC connection that carries the request.
    Quic {
        /// The RTP profile.
        profile: Profile,
        /// The flow of the RTP session, not [`FlowId::CONTROL`].
        flow: FlowId,
        /// The source identifier of the stream, in the server's answer.
        ssrc: Option<Ssrc>,
    },
    /// Interleaved with the messages on the TCP connection (RFC 2326, section 10.12).
    Interleaved {
        /// The RTP profile.
        profile: Profile,
        /// The channels of RTP and RTCP.
        channels: (u8, u8),
        /// The source identifier of the stream, in the server's answer.
        ssrc: Option<Ssrc>,
    },
}

/// The alternatives that a client offers, the most wanted first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TransportHeader {
    /// Those that we know.
    pub alternatives: Vec<Transport>,
    /// Those that we do not, as they were written.
    pub unknown: Vec<String>,
}

impl TransportHeader {
    /// Reads a list of alternatives, separated by commas.
    pub fn parse(value: &str) -> Self {
        let mut header = Self::default();
        for text in value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            match text.parse() {
                Ok(transport) => header.alternatives.push(transport),
                Err(_) => header.unknown.push(text.to_owned()),
            }
        }
        header
    }
}

impl FromStr for Transport {
    type Err = HeaderError;

    /// Reads one alternative, such as `RTP/AVP;unicast;client_port=5000-5001`.
    ///
    /// Parameters that we do not know are passed over; a `mode` other than PLAY is refused.
    fn from_str(value: &str) -> Result<Self, HeaderError> {
        let wrong = |reason| HeaderError::new("Transport", value, reason);
        let (protocol, parameters) = value.split_once(';').unwrap_or((value, ""));
        let mut words = protocol.trim().splitn(3, '/');
        let profile = match (words.next(), words.next()) {
            (Some("RTP"), Some("AVP")) => Profile::Avp,
            (Some("RTP"), Some("AVPF")) => Profile::Avpf,
            _ => return Err(wrong("only RTP/AVP and RTP/AVPF are known")),
        };
        let parameters = Parameters(parameters);
        if parameters.value("mode").is_some_and(|mode| !mode.eq_ignore_ascii_case("play")) {
            return Err(wrong("only playing is possible"));
        }
        let ssrc = parameters.value("ssrc").and_then(read_ssrc);
        match words.next() {
            None | Some("UDP") => parameters
                .udp(profile, ssrc)
                .ok_or_else(|| wrong("UDP needs a pair of ports (client_port)")),
            Some("QUIC") => {
                let flow = parameters.value("flow").and_then(read_flow);
                let flow = flow.ok_or_else(|| wrong("QUIC needs a flow from 1 on"))?;
                Ok(Self::Quic { profile, flow, ssrc })
            }
            Some("TCP") => {
                let channels = parameters.value("interleaved").and_then(read_pair);
                let channels = channels.ok_or_else(|| wrong("TCP needs interleaved channels"))?;
                Ok(Self::Interleaved { profile, channels, ssrc })
            }
            Some(_) => Err(wrong("only UDP, QUIC and TCP are known")),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ssrc = match self {
            Self::Udp { profile, client, server, destination, multicast, ssrc } => {
                let (cast, ports) =
                    if *multicast { ("multicast", "port") } else { ("unicast", "client_port") };
                write!(f, "{profile};{cast}")?;
                if let Some(destination) = destination {
                    write!(f, ";destination={destination}")?;
                }
                write!(f, ";{ports}={}-{}", client.0, client.1)?;
                if let Some((rtp, rtcp)) = server {
                    write!(f, ";server_port={rtp}-{rtcp}")?;
                }
                ssrc
            }
            Self::Quic { profile, flow, ssrc } => {
                write!(f, "{profile}/QUIC;unicast;flow={flow}")?;
                ssrc
            }
            Self::Interleaved { profile, channels: (rtp, rtcp), ssrc } => {
                write!(f, "{profile}/TCP;unicast;interleaved={rtp}-{rtcp}")?;
                ssrc
            }
        };
        match ssrc {
            Some(Ssrc(ssrc)) => write!(f, ";ssrc={ssrc:08X}"),
            None => Ok(()),
        }
    }
}

/// What follows the protocol: `name` or `name=value`, separated by semicolons.
#[derive(Copy, Clone)]
struct Parameters<'a>(&'a str);

impl<'a> Parameters<'a> {
    fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pairs = self.0.split(';').map(|text| text.split_once('=').unwrap_or((text, "")));
        pairs.map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
    }

    fn value(self, wanted: &str) -> Option<&'a str> {
        self.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    }

    fn udp(self, profile: Profile, ssrc: Option<Ssrc>) -> Option<Transport> {
        let multicast = self.value("multicast").is_some();
        let ports = if multicast { "port" } else { "client_port" };
        let destination = self.value("destination").filter(|address| !address.is_empty());
        Some(Transport::Udp {
            profile,
            client: self.value(ports).and_then(read_pair)?,
            server: self.value("server_port").and_then(read_pair),
            destination: destination.map(str::to_owned),
            multicast,
            ssrc,
        })
    }
}

/// Reads `5000-5001`; of `5000` alone the other is the next (RFC 2326, section 12.39).
fn read_pair<N: TryFrom<u32>>(text: &str) -> Option<(N, N)> {
    let number = |text: &str| text.trim().parse::<u32>().ok();
    let (first, second) = match text.split_once('-') {
        Some((first, second)) => (number(first)?, number(second)?),
        None => (number(text)?, number(text)?.checked_add(1)?),
    };
    Some((N::try_from(first).ok()?, N::try_from(second).ok()?))
}

fn read_flow(text: &str) -> Option<FlowId> {
    let flow = text.parse().ok().and_then(FlowId::new)?;
    (flow != FlowId::CONTROL).then_some(flow)
}

fn read_ssrc(text: &str) -> Option<Ssrc> {
    u32::from_str_radix(text, 16).ok().map(Ssrc)
}
