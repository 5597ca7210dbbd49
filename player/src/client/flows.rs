//! Which tracks are wanted, and on which flow each travels.

use cantus_qos::fec::Scheme;
use cantus_qos::payload::AudioFormat;
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::{ExtensionId, PayloadType, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::rtsp::{Profile, RtpInfo, Transport};
use cantus_qos::spec::Protection;
use cantus_qos::spec::sdp::{AudioCodec, Description, Medium, Retransmission, Track};
use cantus_qos::time::MediaTime;

use crate::wish::{Carrier, Language, Wish};

/// What a flow carries.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Role {
    /// Sound.
    Audio {
        /// Its codec.
        codec: AudioCodec,
        /// Its rate and channels.
        format: AudioFormat,
        /// How long a packet plays.
        packet_time: MediaTime,
    },
    /// Repair of the audio track whose flow is named.
    Repair {
        /// What is repaired.
        protects: FlowId,
        /// How it is made.
        scheme: Scheme,
    },
    /// Subtitles.
    Text,
}

/// One flow: planned, then set up, then playing.
#[derive(Clone, Debug)]
pub struct FlowPlan {
    /// Its number.
    pub id: FlowId,
    /// The name of the track.
    pub name: String,
    /// Its control URL, absolute.
    pub url: String,
    /// What it carries.
    pub role: Role,
    /// The payload type of its packets; `None` where that of the first one is to be believed.
    pub payload_type: Option<PayloadType>,
    /// The header extension with the sending time, where packets carry it.
    pub send_time_id: Option<ExtensionId>,
    /// The RTP profile that is described.
    pub profile: Profile,
    /// How its packets are asked for again, where the server sends them again.
    pub retransmission: Option<Retransmission>,
    /// Whether the server wants to hear at once what is missing: one of ours does.
    pub feedback_at_once: bool,
    /// Whether the server wants to be told which packets arrive (RFC 8888).
    pub congestion_feedback: bool,
    /// Our UDP ports.
    pub ports: Option<(u16, u16)>,
    /// Whether the server agreed.
    pub accepted: bool,
    /// The source of its packets, where the server has announced it.
    pub ssrc: Option<Ssrc>,
    /// The repair that was granted.
    pub protection: Option<Protection>,
    /// The first sequence number, by RTP-Info.
    pub first_sequence: Option<Sequence>,
    /// The timestamp of the start of the range, by RTP-Info.
    pub first_timestamp: Option<RtpTimestamp>,
}

impl FlowPlan {
    /// More audio tracks than this are not mixed.
    pub(crate) const MAX_AUDIO: usize = 2;

    /// The plan for an audio track that is sent without being asked for; `None` for any other.
    pub(crate) fn pushed(number: u64, track: &Track) -> Option<Self> {
        let Medium::Audio { codec, format, packet_time, .. } = track.medium else { return None };
        let role = Role::Audio { codec, format, packet_time };
        Some(Self { accepted: true, ..Self::new(number, track, role, "")? })
    }

    /// The plan for what repairs this track and is sent so too.
    pub(crate) fn repair(&self, number: u64, scheme: Scheme) -> Option<Self> {
        let role = Role::Repair { protects: self.id, scheme };
        Some(Self { id: FlowId::new(number)?, name: String::new(), role, ..self.clone() })
    }

    fn new(number: u64, track: &Track, role: Role, base: &str) -> Option<Self> {
        Some(Self {
            id: FlowId::new(number)?,
            name: track.name.clone(),
            url: resolve(base, &track.control),
            role,
            payload_type: Some(track.payload_type),
            send_time_id: track.send_time_id,
            profile: track.profile,
            retransmission: track.retransmission,
            feedback_at_once: false,
            congestion_feedback: track.congestion_feedback,
            ports: None,
            accepted: false,
            ssrc: None,
            protection: None,
            first_sequence: None,
            first_timestamp: None,
        })
    }

    /// The Transport header that asks for this flow: by the profile that is described, for some servers
    /// take no other. `cantus` servers know early feedback.
    pub fn offer(&self, carrier: Carrier, cantus: bool) -> String {
        let early_feedback = cantus || self.retransmission.is_some();
        let profile = if early_feedback { Profile::Avpf } else { self.profile };
        let transport = match carrier {
            Carrier::Quic => Transport::Quic { profile, flow: self.id, ssrc: None },
            Carrier::Udp => Transport::Udp {
                profile,
                client: self.ports.unwrap_or_default(),
                server: None,
                destination: None,
                multicast: false,
                ssrc: None,
            },
        };
        transport.to_string()
    }
}

/// Chooses from what is described: all audio tracks that can be mixed, their repair where it is
/// wished, and subtitles in the wished language, where there are any.
pub(super) fn choose(description: &Description, wish: &Wish, base: &str) -> Vec<FlowPlan> {
    let mut plans: Vec<FlowPlan> = Vec::new();
    let mut number = 1;
    let mut add = |track: &Track, role: Role| {
        let plan = FlowPlan::new(number, track, role, base);
        number += 1;
        plan
    };
    let audio = description.tracks.iter().filter(|it| matches!(it.medium, Medium::Audio { .. }));
    for track in audio.take(FlowPlan::MAX_AUDIO) {
        let Medium::Audio { codec, format, packet_time, .. } = track.medium else { continue };
        if !AudioFormat::CREDIBLE_RATES.contains(&format.rate.hz()) {
            continue;
        }
        plans.extend(add(track, Role::Audio { codec, format, packet_time }));
    }
    for audio in plans.clone() {
        let offered = description.tracks.iter().filter_map(|track| match &track.medium {
            Medium::Repair { protects, scheme } if resolve(base, protects) == audio.url => {
                Some((track, *scheme))
            }
            _ => None,
        });
        let wanted = offered.filter_map(|(track, scheme)| {
            Some((preference(wish.protection, scheme)?, track, scheme))
        });
        if let Some((_, track, scheme)) = wanted.min_by_key(|(preference, ..)| *preference) {
            plans.extend(add(track, Role::Repair { protects: audio.id, scheme }));
        }
    }
    let text = description.tracks.iter().find(|track| match &track.medium {
        Medium::Text { language } => match &wish.language {
            Language::None => false,
            Language::First => true,
            Language::Tag(wanted) => language.eq_ignore_ascii_case(wanted),
        },
        _ => false,
    });
    if let Some(track) = text {
        plans.extend(add(track, Role::Text));
    }
    plans
}

/// How much a scheme is wanted: the least number most, `None` not at all.
fn preference(wish: Protection, scheme: Scheme) -> Option<u8> {
    match (wish, scheme) {
        (Protection::Auto, Scheme::Sliding) => Some(0),
        (Protection::Auto, Scheme::Block(_)) => Some(1),
        (Protection::Fixed(_), Scheme::Block(_)) => Some(0),
        (Protection::Sliding(_), Scheme::Sliding) => Some(0),
        _ => None,
    }
}

/// RTP-Info tells where a flow begins.
pub(super) fn note_start(plans: &mut [FlowPlan], info: &RtpInfo) {
    let sole = plans.len() == 1;
    let named =
        |plan: &&mut FlowPlan| sole || plan.url == info.url || plan.url.ends_with(&info.url);
    if let Some(plan) = plans.iter_mut().find(named) {
        plan.first_sequence = info.sequence;
        plan.first_timestamp = info.timestamp;
    }
}

/// A control URL, absolute or relative to the base (RFC 2326, appendix C.1.1): appended, as all
/// clients do, not joined as other relative URLs are.
fn resolve(base: &str, control: &str) -> String {
    if control.contains("://") {
        return control.to_owned();
    }
    match control {
        "" | "*" => base.to_owned(),
        control => format!("{}/{control}", base.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{self, StandIn};
    use cantus_qos::fec::block::Layout;

    /// The scheme that is set up for the one audio track, of those on offer.
    fn chosen(wish: &str, offered: &[Scheme]) -> Option<Scheme> {
        let mut description = StandIn::new(1).description;
        description.tracks.retain(|track| !matches!(track.medium, Medium::Repair { .. }));
        let payload_type = description.tracks[0].payload_type;
        description.tracks.extend(offered.iter().map(|scheme| Track {
            control: format!("{scheme:?}"),
            name: String::new(),
            medium: Medium::Repair { protects: "audio".to_owned(), scheme: *scheme },
            payload_type,
            send_time_id: None,
            profile: Profile::Avp,
            retransmission: None,
            congestion_feedback: false,
        }));
        let wish = Wish { protection: wish.parse().unwrap(), ..stand_in::wish() };
        let plans = choose(&description, &wish, "rtsp://h/x");
        let mut repair = plans.iter().filter_map(|plan| match plan.role {
            Role::Repair { scheme, protects } => {
                assert_eq!(protects, plans[0].id);
                Some(scheme)
            }
            _ => None,
        });
        let scheme = repair.next();
        assert_eq!(repair.next(), None, "one scheme only");
        scheme
    }

    #[test]
    fn of_the_schemes_on_offer_the_one_that_is_wished_is_set_up() {
        let blocks = Scheme::Block(Layout::Adu);
        let both = [Scheme::Sliding, blocks];
        assert_eq!(chosen("5+4", &both), Some(blocks));
        assert_eq!(chosen("auto", &both), Some(Scheme::Sliding));
        assert_eq!(chosen("auto", &[blocks]), Some(blocks));
        assert_eq!(chosen("sliding:80%", &both), Some(Scheme::Sliding));
        assert_eq!(chosen("off", &both), None);
        assert_eq!(chosen("auto", &[Scheme::Sliding]), Some(Scheme::Sliding));
        assert_eq!(chosen("sliding", &[blocks]), None);
        assert_eq!(chosen("5+4", &[Scheme::Sliding]), None);
    }

    #[test]
    fn control_urls_are_appended_to_the_base_or_stand_alone() {
        assert_eq!(resolve("rtsp://h/x/", "opus/1"), "rtsp://h/x/opus/1");
        assert_eq!(resolve("rtsp://h/x", "opus/1"), "rtsp://h/x/opus/1");
        assert_eq!(resolve("rtsp://h/x", "rtsp://h/y/1"), "rtsp://h/y/1");
        assert_eq!(resolve("rtsp://h/x", "*"), "rtsp://h/x");
    }
}
