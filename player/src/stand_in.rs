//! A server for tests, pure: it answers what the player sends, as its fields say.

use std::fmt::Write;

use bytes::Bytes;
use cantus_qos::fec::Scheme;
use cantus_qos::fec::block::Layout;
use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::cue::{self, Cue};
use cantus_qos::payload::l16;
use cantus_qos::rtp::{
    AbsSendTime, ExtensionId, PayloadType, RtpPacket, RtpTimestamp, Sequence, Ssrc,
};
use cantus_qos::rtsp::{CANTUS_QOS, Incoming, MessageBuffer, Profile};
use cantus_qos::spec::sdp::{AudioCodec, Description, Medium, Track};
use cantus_qos::time::{ClockRate, MediaTime, NtpTime};
use rtsp_types::{HeaderName, Request, headers};

use crate::wish::{Carrier, Wish};

pub(crate) const URL: &str = "rtsp://test/talk";
/// Frames of a unit: 20 ms at 8 kHz.
pub(crate) const FRAMES: usize = 160;
pub(crate) const UNIT: MediaTime = MediaTime::from_millis(20);
pub(crate) const SSRC: Ssrc = Ssrc(7);
const FIRST_SEQUENCE: u16 = 65_530;
const FIRST_TIMESTAMP: u32 = u32::MAX - 100;

/// A refusal: of which request for what, and how.
pub(crate) struct Refusal {
    pub on: &'static str,
    pub status: &'static str,
    pub headers: &'static str,
}

/// The server.
pub(crate) struct StandIn {
    pub description: Description,
    /// Whether it knows `cantus.media`.
    pub cantus: bool,
    pub refusals: Vec<Refusal>,
    pub rtp_info: bool,
    /// The range that it plays, where it is not the one that was asked for.
    pub range: Option<&'static str>,
    /// What it promises in its answers, as `Cantus-QoS`.
    pub offer: Option<&'static str>,
    /// What its clock shows at the start of the range.
    pub clock: Option<NtpTime>,
    /// `SETUP talk/audio`, `PLAY npt=0.000-`, ...
    pub asked: Vec<String>,
    buffer: MessageBuffer,
}

/// What the tests want to hear.
pub(crate) fn wish() -> Wish {
    Wish::new(URL.parse().expect("a URL"), Carrier::Quic)
}

pub(crate) fn payload_type(number: u8) -> PayloadType {
    PayloadType::new(number).expect("seven bits")
}

/// Eight kilohertz, mono: few numbers to compare.
pub(crate) fn format() -> AudioFormat {
    AudioFormat { rate: ClockRate::new(8_000).expect("a rate"), channels: 1 }
}

pub(crate) fn track(control: &str, number: u8, medium: Medium) -> Track {
    let payload_type = payload_type(number);
    Track {
        control: control.into(),
        name: control.into(),
        medium,
        payload_type,
        send_time_id: None,
        profile: Profile::Avp,
        retransmission: None,
        congestion_feedback: false,
    }
}

impl StandIn {
    /// One audio track of `units` units of L16, repair for it, and English subtitles.
    pub(crate) fn new(units: i64) -> Self {
        let (codec, longest) = (AudioCodec::L16, None);
        let audio = Medium::Audio { codec, format: format(), packet_time: UNIT, longest };
        let repair =
            Medium::Repair { protects: "audio".into(), scheme: Scheme::Block(Layout::Adu) };
        let tracks = vec![
            track("audio", 97, audio),
            track("repair", 99, repair),
            track("text", 98, Medium::Text { language: "en".into() }),
        ];
        let duration = Some(MediaTime::from_flicks(UNIT.as_flicks() * units));
        Self {
            description: Description { title: "Talk".into(), duration, tracks },
            cantus: true,
            // Without repair no packet needs a footer.
            refusals: vec![Refusal { on: "SETUP talk/repair", status: "406 No", headers: "" }],
            rtp_info: true,
            range: None,
            offer: None,
            clock: None,
            asked: Vec::new(),
            buffer: MessageBuffer::new(),
        }
    }

    /// The same with Opus in place of L16.
    pub(crate) fn opus(units: i64) -> Self {
        let mut server = Self::new(units);
        server.description.tracks[0].medium = Medium::Audio {
            codec: AudioCodec::Opus,
            format: AudioFormat { rate: ClockRate::OPUS, channels: 1 },
            packet_time: UNIT,
            longest: None,
        };
        server
    }

    /// The answers to everything that was asked.
    pub(crate) fn answer(&mut self, data: &[u8]) -> Vec<String> {
        self.buffer.push(data);
        let mut answers = Vec::new();
        while let Some(incoming) = self.buffer.next().expect("the player speaks RTSP") {
            let Incoming::Request(request) = incoming else { panic!("the player asks") };
            answers.push(self.answer_one(&request));
        }
        answers
    }

    fn answer_one(&mut self, request: &Request<Vec<u8>>) -> String {
        let text = |name: HeaderName| request.header(&name).map_or("", |value| value.as_str());
        let method: &str = request.method().into();
        let uri = request.request_uri().map_or("", |url| url.path()).trim_matches('/');
        let asked = match method {
            "PLAY" => format!("PLAY {}", text(headers::RANGE)),
            "SET_PARAMETER" => format!("SET_PARAMETER {}", text(CANTUS_QOS.clone())),
            _ => format!("{method} {uri}"),
        };
        let cseq = text(headers::CSEQ);
        let refusal = self.refusals.iter().find(|refusal| asked.starts_with(refusal.on));
        let answer = match refusal {
            Some(Refusal { status, headers, .. }) => {
                format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{headers}\r\n")
            }
            None => {
                let rest = match method {
                    "DESCRIBE" => self.describe(),
                    "SETUP" => {
                        let transport = text(headers::TRANSPORT);
                        format!("Session: 12;timeout=60\r\nTransport: {transport}\r\n\r\n")
                    }
                    "PLAY" => self.play(text(headers::RANGE)),
                    _ => "\r\n".to_owned(),
                };
                let offer = self.offer.filter(|_| method != "DESCRIBE");
                let offer = offer.map(|it| format!("Cantus-QoS: {it}\r\n")).unwrap_or_default();
                format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{offer}{rest}")
            }
        };
        self.asked.push(asked);
        answer
    }

    fn describe(&self) -> String {
        let sdp = self.description.to_sdp();
        let supported = if self.cantus { "Supported: cantus.media\r\n" } else { "" };
        format!(
            "{supported}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        )
    }

    fn play(&self, asked: &str) -> String {
        let mut head = format!("Range: {}\r\n", self.range.unwrap_or(asked));
        if self.rtp_info {
            let info = format!("url={URL}/audio;seq={FIRST_SEQUENCE};rtptime={FIRST_TIMESTAMP}");
            write!(head, "RTP-Info: {info}\r\n").expect("strings grow");
        }
        if let Some(clock) = self.clock {
            write!(head, "Cantus-Clock: {:016x}\r\n", clock.to_bits()).expect("strings grow");
        }
        head + "\r\n"
    }
}

/// Unit `index` of what is sent: samples that count from its first one on.
pub(crate) fn unit(index: usize) -> RtpPacket {
    let samples: Vec<i16> = (index * FRAMES..(index + 1) * FRAMES).map(|n| n as i16).collect();
    packet(index, FRAMES, l16::encode(&samples))
}

/// Packet `index` of a sender that cuts the same samples as it likes.
pub(crate) fn linear(index: usize, frames: std::ops::Range<usize>) -> RtpPacket {
    let timestamp = RtpTimestamp(FIRST_TIMESTAMP.wrapping_add(frames.start as u32));
    let samples: Vec<i16> = frames.map(|n| n as i16).collect();
    RtpPacket { timestamp, ..packet(index, 0, l16::encode(&samples)) }
}

/// Unit `index` of a stream of silence in Opus.
pub(crate) fn silence(index: usize) -> RtpPacket {
    RtpPacket {
        payload_type: payload_type(97),
        ..packet(index, 960, Bytes::from_static(b"\xf8\xff\xfe"))
    }
}

fn packet(index: usize, ticks: usize, payload: Bytes) -> RtpPacket {
    RtpPacket {
        payload_type: payload_type(97),
        marker: index == 0,
        sequence: Sequence(FIRST_SEQUENCE.wrapping_add(index as u16)),
        timestamp: RtpTimestamp(FIRST_TIMESTAMP.wrapping_add((index * ticks) as u32)),
        ssrc: SSRC,
        send_time: None,
        payload,
    }
}

/// A packet that says when it was sent.
pub(crate) fn stamped(packet: RtpPacket, sent: NtpTime) -> Bytes {
    let packet = RtpPacket { send_time: Some(AbsSendTime::from_ntp(sent)), ..packet };
    packet.write(send_time_id())
}

/// The extension of [`stamped`] packets.
pub(crate) fn send_time_id() -> Option<ExtensionId> {
    ExtensionId::new(1)
}

/// A packet of the subtitle track.
pub(crate) fn words(id: u32, start: i64, duration: i64) -> Bytes {
    let (start, duration) = (MediaTime::from_millis(start), MediaTime::from_millis(duration));
    let cue = Cue { id, start, duration, text: format!("cue {id}") };
    let payload = cue::encode(&cue).expect("a short cue");
    let packet = RtpPacket { payload_type: payload_type(98), ..packet(id as usize, 1, payload) };
    packet.write(None)
}
