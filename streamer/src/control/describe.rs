//! The answer to DESCRIBE: what can be heard here, as SDP or as JSON.

use cantus_qos::fec::Scheme;
use cantus_qos::rtp::{ExtensionId, PayloadType};
use cantus_qos::rtsp::Profile;
use cantus_qos::spec::sdp::{Description, Medium, Retransmission, Track as SdpTrack};
use cantus_qos::time::MediaTime;

use super::target::{BLOCKS, Track};
use crate::catalogue::Listing;
use crate::encoding::Codec;
use crate::pipeline::{LONGEST_PACKET, LONGEST_USE};
use crate::programme::Programme;
use crate::wire::Carrier;

/// The header extension that carries the sending time.
pub(super) fn send_time_id() -> ExtensionId {
    ExtensionId::new(1).expect("one is an extension identifier")
}

/// Dynamic payload types (RFC 3551, section 6), one for each thing we send.
pub(crate) fn payload_type(what: Payload) -> PayloadType {
    let number = match what {
        Payload::Opus => 96,
        Payload::Retransmission => 97,
        Payload::Cue => 98,
        Payload::Repair => 99,
        Payload::L16 => 100,
    };
    PayloadType::new(number).expect("dynamic payload types have seven bits")
}

/// What a payload type stands for.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) enum Payload {
    /// RFC 7587.
    Opus,
    /// RFC 3551, section 4.5.11.
    L16,
    /// Sound that is sent again (RFC 4588).
    Retransmission,
    /// Subtitles.
    Cue,
    /// Repair packets, which carry no RTP header and so no payload type: it is for SDP only.
    Repair,
}

impl From<Codec> for Payload {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Opus => Self::Opus,
            Codec::L16 => Self::L16,
        }
    }
}

/// Describes a programme. A client that has said `Supported: cantus.media` is offered repair by
/// either scheme, subtitles and header extensions, all others plain audio. Whoever asks is sent
/// again what is missing. Over UDP ours are asked to tell what arrives; QUIC tells itself.
pub(super) fn description(programme: &Programme, cantus: bool, carrier: Carrier) -> Description {
    let presentation = &programme.presentation;
    let codec = programme.codec;
    let mut tracks = Vec::new();
    for (index, (encoding, track)) in programme.audio.iter().zip(&presentation.audio).enumerate() {
        tracks.push(SdpTrack {
            control: Track::audio(codec, index),
            name: track.name.clone(),
            medium: Medium::Audio {
                codec: codec.into(),
                format: encoding.format(),
                packet_time: encoding.unit_duration(),
                longest: longest_packet(codec, cantus),
            },
            payload_type: payload_type(codec.into()),
            send_time_id: cantus.then(send_time_id),
            profile: Profile::Avpf,
            retransmission: Some(Retransmission {
                payload_type: payload_type(Payload::Retransmission),
                time: LONGEST_USE,
                reduced_size: cantus,
            }),
            congestion_feedback: cantus && matches!(carrier, Carrier::Tcp(_)),
        });
    }
    if cantus {
        let schemes = |index| [Scheme::Sliding, BLOCKS].map(|scheme| (index, scheme));
        tracks.extend((0..programme.audio.len()).flat_map(schemes).map(|(index, scheme)| {
            let protects = Track::audio(codec, index);
            SdpTrack {
                control: Track::repair(codec, index, scheme),
                name: String::new(),
                medium: Medium::Repair { protects, scheme },
                payload_type: payload_type(Payload::Repair),
                send_time_id: None,
                profile: Profile::Avp,
                retransmission: None,
                congestion_feedback: false,
            }
        }));
        tracks.extend(presentation.texts.iter().map(|text| SdpTrack {
            control: Track::text(&text.language),
            name: text.name.clone(),
            medium: Medium::Text { language: text.language.clone() },
            payload_type: payload_type(Payload::Cue),
            send_time_id: Some(send_time_id()),
            profile: Profile::Avp,
            retransmission: None,
            congestion_feedback: false,
        }));
    }
    Description { title: presentation.title.clone(), duration: Some(presentation.duration), tracks }
}

/// Who says what arrives may get packets of several frames where the path is narrow; all others get
/// packets of one.
fn longest_packet(codec: Codec, cantus: bool) -> Option<MediaTime> {
    (codec == Codec::Opus && cantus).then_some(LONGEST_PACKET)
}

/// The catalogue as JSON.
pub(super) fn listing(listing: &Listing) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(listing).unwrap_or_default();
    json.push(b'\n');
    json
}
