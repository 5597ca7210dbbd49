//! What a receiver is told about a push: SDP, for a file or an announcement.

use cantus_qos::rtsp::Profile;
use cantus_qos::spec::sdp::{Description, Destination, Medium, Placement, Track};
use cantus_qos::time::NtpTime;

use super::{TrackRoute, Way, payload_type};
use crate::programme::Programme;

/// The streams of `programme`: plain audio, which any player knows.
pub(super) fn description(programme: &Programme) -> Description {
    let codec = programme.codec;
    let tracks = programme.audio.iter().zip(&programme.presentation.audio);
    let tracks = tracks.map(|(encoding, track)| {
        let format = encoding.format();
        let packet_time = encoding.unit_duration();
        Track {
            control: String::new(),
            name: track.name.clone(),
            medium: Medium::Audio { codec: codec.into(), format, packet_time, longest: None },
            payload_type: payload_type(codec, format),
            send_time_id: None,
            profile: Profile::Avp,
            retransmission: None,
            congestion_feedback: false,
        }
    });
    let title = programme.presentation.title.clone();
    Description { title, duration: None, tracks: tracks.collect() }
}

/// Where they go. Sessions that one machine begins in different seconds are different ones.
pub(super) fn placement(way: Way, begun: NtpTime, tracks: &[TrackRoute]) -> Placement {
    Placement {
        sender: way.local,
        session: begun.to_bits() >> 32,
        address: way.target.ip(),
        ttl: way.ttl,
        destinations: tracks.iter().filter_map(|track| Destination::new(track.rtp)).collect(),
    }
}
