//! Writing session descriptions.

use std::net::Ipv4Addr;

use sdp_types::{Attribute, Bandwidth, Connection, Media, Origin, Session};

use super::{
    ABS_SEND_TIME, ADU_ENCODING_ID, AudioCodec, CONGESTION_FEEDBACK, CUE, Description, Medium,
    RS8M_ENCODING_ID, Retransmission, SLIDING_ENCODING_ID, Track,
};
use crate::fec::Scheme;
use crate::fec::block::Layout;
use crate::fec::sliding;
use crate::payload::{AudioFormat, MAX_PAYLOAD};
use crate::rtsp::{NptRange, NptStart};
use crate::time::MediaTime;

/// The longest symbol: a payload with RTP header, one-byte header extension, and the three bytes
/// that make an ADU an ADUI (RFC 6865, section 4.3).
const MAX_SYMBOL: usize = MAX_PAYLOAD + 12 + 8 + 3;

/// What reports of the sender may take, in bit/s (RFC 3556).
const SENDER_REPORTS: u64 = 2_500;

/// What reports and requests of the receiver may take, in bit/s: a request in the time of each
/// packet of 20 ms.
const REQUESTS: u64 = 20_000;

/// The window size ratio (RFC 8681, section 3.1): what a repair packet covers at most, in parts of
/// 255 of what the receiver remembers.
const WSR: usize = sliding::Encoder::MOST * 255 / sliding::Decoder::MEMORY as usize;

impl Description {
    /// The description as SDP, for the body of a DESCRIBE answer.
    ///
    /// Line breaks in titles, names and URLs are left out. A repair track whose audio track is
    /// not there is written without its group.
    pub fn to_sdp(&self) -> String {
        // The origin says nothing: whoever asks over RTSP knows whom it asked.
        let origin = Origin::with_ip_addr("0", 0, Ipv4Addr::UNSPECIFIED);
        let mut session = Session::new(origin, self.session_name());
        session.connection = Some(Connection::from_ip_addr(Ipv4Addr::UNSPECIFIED));
        session.attributes = self.session_attributes();
        session.medias = (0..self.tracks.len()).map(|index| self.media(index)).collect();
        Self::text(&session)
    }

    /// The title; a session must have one (RFC 8866, section 5.3).
    pub(super) fn session_name(&self) -> &str {
        if self.title.is_empty() { "-" } else { &self.title }
    }

    pub(super) fn text(session: &Session) -> String {
        let mut sdp = Vec::new();
        session.write(&mut sdp).expect("a vector takes every byte");
        String::from_utf8_lossy(&sdp).into_owned()
    }

    fn session_attributes(&self) -> Vec<Attribute> {
        let mut attributes = vec![Attribute::with_value("control", "*")];
        if let Some(end) = self.duration {
            let range = NptRange { start: NptStart::At(MediaTime::ZERO), end: Some(end) };
            attributes.push(Attribute::with_value("range", range));
        }
        attributes.extend(self.repair_pairs().map(|(source, repair)| {
            Attribute::with_value("group", format!("FEC-FR {source} {repair}"))
        }));
        attributes
    }

    /// The indices of each protected track with those of its repair track; they are the media
    /// identifiers (`a=mid`) too.
    fn repair_pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.tracks.iter().enumerate().filter_map(|(repair, track)| match &track.medium {
            Medium::Repair { protects, .. } => {
                let mut tracks = self.tracks.iter();
                Some((tracks.position(|track| track.protected_as(protects))?, repair))
            }
            _ => None,
        })
    }

    fn media(&self, index: usize) -> Media {
        let track = &self.tracks[index];
        let mut media = track.media();
        if !track.control.is_empty() {
            media.add_attribute_with_value("control", &track.control);
        }
        if let Some(id) = track.send_time_id {
            media.add_attribute_with_value("extmap", format!("{} {ABS_SEND_TIME}", id.get()));
        }
        if track.congestion_feedback {
            media.add_attribute_with_value("rtcp-fb", CONGESTION_FEEDBACK);
        }
        let mut pairs = self.repair_pairs();
        if pairs.any(|(source, repair)| index == source || index == repair) {
            media.add_attribute_with_value("mid", index);
        }
        media
    }
}

impl Track {
    fn protected_as(&self, control: &str) -> bool {
        matches!(self.medium, Medium::Audio { .. }) && self.control == control
    }

    /// The `m=` line, and what belongs to the encoding.
    pub(super) fn media(&self) -> Media {
        let number = self.payload_type.get();
        let profile = self.profile.to_string();
        let (kind, protocol) = match self.medium {
            Medium::Audio { .. } => ("audio", profile),
            Medium::Text { .. } => ("text", profile),
            Medium::Repair { .. } => ("application", "UDP/FEC".to_owned()),
        };
        let mut media = Media {
            media: kind.to_owned(),
            port: 0,
            num_ports: None,
            proto: protocol,
            fmt: number.to_string(),
            media_title: (!self.name.is_empty()).then(|| self.name.clone()),
            connections: Vec::new(),
            bandwidths: Vec::new(),
            key: None,
            attributes: Vec::new(),
        };
        match &self.medium {
            Medium::Audio { codec, format, packet_time, longest } => {
                add_audio(&mut media, number, *codec, *format);
                if let Some(retransmission) = self.retransmission {
                    let rate = match codec {
                        AudioCodec::Opus => "48000/2".to_owned(),
                        _ => format!("{}/{}", format.rate.hz(), format.channels),
                    };
                    add_retransmission(&mut media, number, &rate, retransmission);
                }
                media.add_attribute_with_value("ptime", millis_text(*packet_time));
                if let Some(longest) = longest {
                    media.add_attribute_with_value("maxptime", millis_text(*longest));
                }
            }
            Medium::Text { language } => {
                media.add_attribute_with_value("rtpmap", format!("{number} {CUE}/1000"));
                media.add_attribute_with_value("lang", language);
            }
            Medium::Repair { scheme, .. } => {
                media.add_attribute_with_value("fec-repair-flow", repair_flow(*scheme));
            }
        }
        media
    }
}

fn add_audio(media: &mut Media, number: u8, codec: AudioCodec, format: AudioFormat) {
    match codec {
        AudioCodec::Opus => {
            // "The number of channels MUST be 2" and the rate 48000 (RFC 7587, section 7).
            media.add_attribute_with_value("rtpmap", format!("{number} opus/48000/2"));
            let stereo = u8::from(format.channels == 2);
            let parameters = format!("{number} sprop-stereo={stereo};stereo={stereo}");
            media.add_attribute_with_value("fmtp", parameters);
        }
        _ => {
            let (name, rate, channels) = (codec.name(), format.rate.hz(), format.channels);
            media.add_attribute_with_value("rtpmap", format!("{number} {name}/{rate}/{channels}"));
        }
    }
}

/// Behind the media's own payload type: a client that knows no retransmission takes the first.
fn add_retransmission(media: &mut Media, number: u8, rate: &str, offered: Retransmission) {
    let again = offered.payload_type.get();
    media.fmt = format!("{number} {again}");
    let bandwidth = |bwtype: &str, bandwidth| Bandwidth { bwtype: bwtype.to_owned(), bandwidth };
    media.bandwidths = vec![bandwidth("RS", SENDER_REPORTS), bandwidth("RR", REQUESTS)];
    media.add_attribute_with_value("rtcp-fb", format!("{number} nack"));
    if offered.reduced_size {
        media.attributes.push(Attribute::new("rtcp-rsize"));
    }
    media.add_attribute_with_value("rtpmap", format!("{again} rtx/{rate}"));
    let time = offered.time.as_millis();
    media.add_attribute_with_value("fmtp", format!("{again} apt={number};rtx-time={time}"));
}

/// The value of `a=fec-repair-flow` (RFC 6364, section 4.5).
fn repair_flow(scheme: Scheme) -> String {
    match scheme {
        Scheme::Block(Layout::Adu) => {
            format!(" encoding-id={ADU_ENCODING_ID}; ss-fssi=E:{MAX_SYMBOL},S:0,m:8")
        }
        Scheme::Block(Layout::Rs8m) => {
            format!(" encoding-id={RS8M_ENCODING_ID}; ss-fssi=scheme:rs8m,m:8")
        }
        Scheme::Sliding => {
            format!(" encoding-id={SLIDING_ENCODING_ID}; ss-fssi=E:{MAX_SYMBOL},WSR:{WSR}")
        }
    }
}

/// Milliseconds with as many decimals as it takes: `20`, `2.5`, `4.988662`.
fn millis_text(time: MediaTime) -> String {
    const NANOS_PER_MILLI: u128 = 1_000_000;
    let nanos = time.to_duration().as_nanos();
    let (millis, rest) = (nanos / NANOS_PER_MILLI, nanos % NANOS_PER_MILLI);
    let fraction = format!(".{rest:06}");
    format!("{millis}{}", fraction.trim_end_matches('0').trim_end_matches('.'))
}
