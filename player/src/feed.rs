//! Sound that is pushed to us: described beforehand, by an SDP file or in a URL, and sent without
//! being asked for. There is no control channel, and so no beginning, no end and no promise.

pub mod roc;
mod url;

use std::net::SocketAddr;

use cantus_qos::fec::Scheme;
use cantus_qos::fec::block::Layout;
use cantus_qos::roq::FlowId;
use cantus_qos::spec::sdp::{Description, Destination, SdpError};
use cantus_qos::time::MediaTime;

pub use roc::RocPorts;
pub use url::{FeedUrl, FeedUrlError};

use crate::client::{FlowPlan, Playing};
use crate::wish::Wish;

/// What is to come, and where.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Where each flow comes.
    pub flows: Vec<(FlowId, Place)>,
    /// What the flows carry.
    pub playing: Playing,
}

/// Where a flow comes.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// Sound, and reports of its sender.
    Media(Destination),
    /// Repair.
    Repair(SocketAddr),
}

/// A description of a feed that cannot be heard. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// It is none.
    #[error("{name}: {cause}")]
    Description {
        /// Where it stands.
        name: String,
        /// What is wrong with it.
        cause: SdpError,
    },
    /// It tells of no sound that we know and that comes anywhere.
    #[error(
        "{name} has no audio track that can be played: Opus, L16, PCMU and PCMA can, with an address (c=) and a port"
    )]
    NoAudio {
        /// Where it stands.
        name: String,
    },
}

impl Feed {
    /// The feed that the SDP text `sdp`, which stands in `name`, describes.
    ///
    /// # Errors
    ///
    /// If it is no SDP, or tells of nothing that can be heard.
    pub fn described(name: &str, sdp: &[u8], wish: &Wish) -> Result<Self, FeedError> {
        let (description, destinations) = Description::parse_placed(sdp)
            .map_err(|cause| FeedError::Description { name: name.to_owned(), cause })?;
        let feed = Self::of(description, &destinations, wish);
        feed.ok_or_else(|| FeedError::NoAudio { name: name.to_owned() })
    }

    /// The feed that comes to `url`.
    ///
    /// # Errors
    ///
    /// If it is nothing that can be heard.
    pub fn at(url: &FeedUrl, wish: &Wish) -> Result<Self, FeedError> {
        let description = Description { tracks: vec![url.track()], ..Description::default() };
        let feed = Self::of(description, &[url.destination()], wish);
        let mut feed = feed.ok_or_else(|| FeedError::NoAudio { name: url.to_string() })?;
        if !url.is_static() {
            // Which of the dynamic payload types it is only the sender knows.
            feed.playing.flows.iter_mut().for_each(|plan| plan.payload_type = None);
        }
        Ok(feed)
    }

    /// The feed that Roc Toolkit sends: the sound to `url`, the rest to `ports`.
    ///
    /// # Errors
    ///
    /// If it is nothing that can be heard.
    pub fn of_roc(url: &FeedUrl, ports: RocPorts, wish: &Wish) -> Result<Self, FeedError> {
        let rtp = url.destination().rtp;
        let media = Destination { rtp, rtcp: ports.control.unwrap_or(rtp) };
        let mut feed = Self::at(url, wish)?;
        feed.flows.iter_mut().for_each(|(_, place)| *place = Place::Media(media));
        // How many packets a block has, each of them tells.
        let scheme = Scheme::Block(Layout::Rs8m);
        let repair = feed.playing.flows.first().and_then(|sound| sound.repair(2, scheme));
        feed.flows.extend(repair.iter().map(|plan| (plan.id, Place::Repair(ports.repair))));
        feed.playing.flows.extend(repair);
        Ok(feed)
    }

    fn of(description: Description, destinations: &[Destination], wish: &Wish) -> Option<Self> {
        let tracks = description.tracks.iter().zip(destinations).zip(1..);
        let planned = tracks.filter_map(|((track, destination), number)| {
            let plan = FlowPlan::pushed(number, track)?;
            Some(((plan.id, Place::Media(*destination)), plan))
        });
        let (flows, plans): (Vec<_>, Vec<_>) = planned.take(FlowPlan::MAX_AUDIO).unzip();
        let playing = Playing {
            description,
            flows: plans,
            range: (MediaTime::ZERO, wish.length),
            from: MediaTime::ZERO,
            clock: None,
            terms: wish.full_spec(),
            pushed: true,
        };
        (!flows.is_empty()).then_some(Self { flows, playing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Role;
    use crate::stand_in::wish;

    fn described(media: &str) -> Result<Feed, FeedError> {
        let sdp = format!("v=0\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{media}");
        Feed::described("x.sdp", sdp.as_bytes(), &wish())
    }

    #[test]
    fn each_audio_track_is_a_flow_where_it_comes_up_to_two() {
        let track = |port| format!("m=audio {port} RTP/AVP 0\r\n");
        let feed = described(&[5_004, 5_006, 5_008].map(track).concat()).unwrap();
        let media = |port| {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            Place::Media(Destination::new(address).unwrap())
        };
        let places = feed.flows.iter().map(|(_, place)| *place);
        assert_eq!(places.collect::<Vec<_>>(), [media(5_004), media(5_006)]);
        assert_eq!(feed.playing.flows.len(), 2);
        assert!(feed.playing.flows.iter().all(|plan| plan.accepted));
    }

    #[test]
    fn packets_are_asked_for_again_only_where_that_is_offered() {
        let audio = "m=audio 5004 RTP/AVPF 96 97\r\na=rtpmap:96 opus/48000/2\r\n";
        let again = "a=rtpmap:97 rtx/48000/2\r\na=fmtp:97 apt=96\r\n";
        let (nack, other) = ("a=rtcp-fb:96 nack\r\n", "a=rtcp-fb:* ack ccfb\r\n");
        let told = [("", "", false), (again, nack, true), (again, "", true), (again, other, false)];
        for (again, feedback, asks) in told {
            let feed = described(&format!("{audio}{feedback}{again}")).unwrap();
            let retransmission = &feed.playing.flows[0].retransmission;
            assert_eq!(retransmission.is_some(), asks, "{feedback}{again}");
        }
    }

    #[test]
    fn roc_sends_sound_repair_and_reports_to_a_port_each() {
        let address = |port| SocketAddr::from(([0, 0, 0, 0], port));
        let url = "rtp+rs8m://0.0.0.0:10001".parse().unwrap();
        let (rtp, repair) = (address(10_001), address(10_002));
        for (control, rtcp) in [(Some(address(10_003)), address(10_003)), (None, rtp)] {
            let feed = Feed::of_roc(&url, RocPorts { repair, control }, &wish()).unwrap();
            let places = feed.flows.iter().map(|(_, place)| *place);
            let media = Place::Media(Destination { rtp, rtcp });
            assert_eq!(places.collect::<Vec<_>>(), [media, Place::Repair(repair)]);
            let protects = feed.playing.flows[0].id;
            let scheme = Scheme::Block(Layout::Rs8m);
            assert_eq!(feed.playing.flows[1].role, Role::Repair { protects, scheme });
        }
    }

    #[test]
    fn a_description_without_sound_for_us_is_refused_in_one_line() {
        for media in ["", "m=video 5004 RTP/AVP 96\r\n", "m=audio 5004 RTP/AVP 3\r\n"] {
            let line = described(media).unwrap_err().to_string();
            assert!(line.starts_with("x.sdp has no audio track"), "{line}");
        }
        let line = Feed::described("x.sdp", b"GIF89a", &wish()).unwrap_err().to_string();
        assert!(line.starts_with("x.sdp: not a session description"), "{line}");
    }
}
