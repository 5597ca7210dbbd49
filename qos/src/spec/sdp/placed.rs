//! Session descriptions of what is sent without being asked for: the file that a receiver opens, or
//! the body of an announcement.

use std::net::IpAddr;

use sdp_types::{Attribute, Connection, Origin, Session};

use super::{Description, Destination};

/// Where the streams of a session are sent, and by whom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Placement {
    /// The address of the sender (RFC 8866, section 5.2).
    pub sender: IpAddr,
    /// What tells this session from others of the sender: best the time of its beginning, in
    /// seconds of NTP.
    pub session: u64,
    /// The address that is sent to: a host's or a group's.
    pub address: IpAddr,
    /// How far packets to a group of IPv4 go, which is told with its address.
    pub ttl: u8,
    /// Where each track is sent, at that address.
    pub destinations: Vec<Destination>,
}

impl Placement {
    /// The origin: who sends, and which session (`o=`).
    fn origin(&self) -> Origin {
        Origin::with_ip_addr(self.session.to_string(), self.session, self.sender)
    }

    fn connection(&self) -> Connection {
        let is_group = self.address.is_multicast() && self.address.is_ipv4();
        Connection::from_ip_addr_ttl(self.address, is_group.then_some(self.ttl))
    }
}

impl Description {
    /// The description as SDP for a session that is sent to `placement`, one destination for each track: its RTCP has the port after RTP.
    /// There is nothing to set up: control URLs and the length of the presentation are left out.
    pub fn to_placed_sdp(&self, placement: &Placement) -> String {
        let mut session = Session::new(placement.origin(), self.session_name());
        session.connection = Some(placement.connection());
        // To be listened to, as the radio is (RFC 8866, section 6.9).
        session.attributes = vec![Attribute::with_value("type", "broadcast")];
        let tracks = self.tracks.iter().zip(&placement.destinations);
        session.medias = tracks
            .map(|(track, destination)| {
                let mut media = track.media();
                media.port = destination.rtp.port();
                media
            })
            .collect();
        Self::text(&session)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{l16_stereo, opus_mono};
    use super::*;

    fn placement(sender: &str, address: &str, ports: &[u16]) -> Placement {
        let (sender, address): (IpAddr, IpAddr) =
            (sender.parse().unwrap(), address.parse().unwrap());
        let destination = |port: &u16| Destination::new((address, *port).into()).unwrap();
        let destinations = ports.iter().map(destination).collect();
        Placement { sender, session: 3_970_000_000, address, ttl: 4, destinations }
    }

    fn written(description: &Description, placement: &Placement) -> String {
        description.to_placed_sdp(placement).replace("\r\n", "\n")
    }

    #[test]
    fn a_group_stands_with_its_ttl_and_each_track_with_its_port() {
        let tracks = vec![opus_mono(96), l16_stereo(10)];
        let description = Description { title: "A walk".to_owned(), duration: None, tracks };
        let placement = placement("192.0.2.1", "239.1.2.3", &[5_004, 5_006]);
        let expected = "v=0\n\
            o=- 3970000000 3970000000 IN IP4 192.0.2.1\n\
            s=A walk\n\
            c=IN IP4 239.1.2.3/4\n\
            t=0 0\n\
            a=type:broadcast\n\
            m=audio 5004 RTP/AVP 96\n\
            a=rtpmap:96 opus/48000/2\n\
            a=fmtp:96 sprop-stereo=0;stereo=0\n\
            a=ptime:20\n\
            m=audio 5006 RTP/AVP 10\n\
            a=rtpmap:10 L16/44100/2\n\
            a=ptime:4.988662\n";
        assert_eq!(written(&description, &placement), expected);
    }

    #[test]
    fn a_host_has_no_ttl_and_neither_has_a_group_of_ipv6() {
        let description = Description { tracks: vec![opus_mono(96)], ..Default::default() };
        for (sender, address, lines) in [
            ("192.0.2.1", "192.0.2.9", "IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.9\n"),
            ("2001:db8::1", "ff15::1", "IP6 2001:db8::1\ns=-\nc=IN IP6 ff15::1\n"),
        ] {
            let placement = placement(sender, address, &[5_004]);
            let written = written(&description, &placement);
            assert!(written.contains(lines), "{written}");
        }
    }
}
