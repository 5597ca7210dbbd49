//! Where RTP comes, and what it carries: `rtp://ADDRESS:PORT?pt=CODEC`, or `rtp+rs8m://ADDRESS:PORT`
//! where Roc Toolkit sends it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use cantus_qos::payload::AudioFormat;
use cantus_qos::rtp::PayloadType;
use cantus_qos::rtsp::Profile;
use cantus_qos::spec::sdp::{AudioCodec, Destination, Medium, Track};
use cantus_qos::time::MediaTime;
use rtsp_types::Url;

/// What a packet holds where nothing is said (RFC 3551, section 4.2).
const PACKET_TIME: MediaTime = MediaTime::from_millis(20);

/// What a packet of Roc's holds, in milliseconds, rounded up to whole frames.
const ROC_PACKET: u32 = 5;

/// What Roc sends if nothing else is wished: L16 of 44.1 kHz in stereo, by its number.
const ROC_PAYLOAD: &str = "pt=10";

/// An address that RTP is sent to, and the codec, which the packets do not tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeedUrl {
    destination: Destination,
    codec: AudioCodec,
    format: AudioFormat,
    payload_type: PayloadType,
    is_static: bool,
    is_repaired: bool,
    text: String,
}

/// Text that is no such address. Each is one line for the user.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FeedUrlError {
    /// It does not begin as it should.
    #[error(
        "'{0}' is not where RTP comes: rtp://0.0.0.0:5004?pt=opus is, or rtp+rs8m://0.0.0.0:10001 for Roc"
    )]
    Form(String),
    /// Not an address of this host, or of a group, and a port.
    #[error("'{0}' is not an IP address and a port from 1 to 65534, such as 0.0.0.0:5004")]
    Address(String),
    /// The codec is not told.
    #[error(
        "packets do not tell their codec: add ?pt=opus, l16/48000/2, pcmu, pcma, or a static payload type"
    )]
    NoCodec,
    /// The codec is not known.
    #[error(
        "'{0}' is no payload that can be played: opus, l16/RATE/CHANNELS, pcmu, pcma, 0, 8, 10 and 11 are"
    )]
    Codec(String),
}

impl FeedUrl {
    /// Where it comes.
    pub fn destination(&self) -> Destination {
        self.destination
    }

    /// Whether its payload type is that of RFC 3551; else it is one of the dynamic ones, and any.
    pub fn is_static(&self) -> bool {
        self.is_static
    }

    /// Whether its packets have a place in Roc's blocks, and repair comes beside them.
    pub fn is_repaired(&self) -> bool {
        self.is_repaired
    }

    /// What it carries.
    pub fn track(&self) -> Track {
        let (codec, format) = (self.codec, self.format);
        let packet_time = match self.is_repaired {
            true => {
                let frames = (format.rate.hz() * ROC_PACKET).div_ceil(1_000);
                MediaTime::from_ticks(frames.into(), format.rate)
            }
            false => PACKET_TIME,
        };
        Track {
            control: String::new(),
            name: "audio".to_owned(),
            medium: Medium::Audio { codec, format, packet_time, longest: None },
            payload_type: self.payload_type,
            send_time_id: None,
            profile: Profile::Avp,
            retransmission: None,
            congestion_feedback: false,
        }
    }

    /// As the report names it.
    pub fn as_url(&self) -> Url {
        Url::parse(&self.text).expect("it was read as one")
    }
}

impl fmt::Display for FeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FeedUrl {
    type Err = FeedUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || FeedUrlError::Form(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
        let is_repaired = match scheme {
            "rtp" => false,
            "rtp+rs8m" => true,
            _ => return Err(form()),
        };
        Url::parse(text).map_err(|_| form())?;
        let (address, query) = match rest.split_once('?') {
            Some(parts) => parts,
            None if is_repaired => (rest, ROC_PAYLOAD),
            None => return Err(FeedUrlError::NoCodec),
        };
        let at = address.strip_suffix('/').unwrap_or(address);
        let rtp: Option<SocketAddr> = at.parse().ok();
        let destination = rtp.and_then(Destination::new);
        let destination = destination.ok_or_else(|| FeedUrlError::Address(at.to_owned()))?;
        let payload = query.strip_prefix("pt=").ok_or(FeedUrlError::NoCodec)?;
        let unknown = || FeedUrlError::Codec(payload.to_owned());
        let number = payload.parse().ok().and_then(PayloadType::new);
        let (codec, format) = match number {
            Some(number) => AudioCodec::of_static(number),
            None => mapped(payload),
        }
        .ok_or_else(unknown)?;
        let dynamic = PayloadType::new(96).ok_or_else(unknown)?;
        let (payload_type, is_static) = (number.unwrap_or(dynamic), number.is_some());
        let text = text.to_owned();
        Ok(Self { destination, codec, format, payload_type, is_static, is_repaired, text })
    }
}

/// A codec as `a=rtpmap` has it, and shorter where only one rate is usual.
fn mapped(payload: &str) -> Option<(AudioCodec, AudioFormat)> {
    let mut parts = payload.split('/');
    let name = parts.next()?;
    let codec = AudioCodec::named(name)?;
    let usual = match codec {
        AudioCodec::Opus => Some(AudioFormat::OPUS_STEREO),
        AudioCodec::L16 => None,
        AudioCodec::Pcmu | AudioCodec::Pcma => AudioFormat::new(8_000, 1),
    };
    let (Some(rate), channels) = (parts.next(), parts.next()) else {
        return usual.map(|format| (codec, format));
    };
    let rate = rate.parse().ok().filter(|rate| AudioFormat::CREDIBLE_RATES.contains(rate))?;
    let channels = channels.map_or(Some(1), |channels| channels.parse().ok())?;
    let format = AudioFormat::new(rate, channels).filter(|_| parts.next().is_none())?;
    let usable = codec != AudioCodec::Opus || format == AudioFormat::OPUS_STEREO;
    usable.then_some((codec, format))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(payload: &str) -> Option<(AudioCodec, u32, u8, Option<u8>)> {
        let url: FeedUrl = format!("rtp://0.0.0.0:5004?pt={payload}").parse().ok()?;
        let number = url.is_static().then_some(url.payload_type.get());
        Some((url.codec, url.format.rate.hz(), url.format.channels, number))
    }

    #[test]
    fn a_payload_is_a_static_type_or_a_map() {
        assert_eq!(parse("opus"), Some((AudioCodec::Opus, 48_000, 2, None)));
        assert_eq!(parse("OPUS/48000/2"), Some((AudioCodec::Opus, 48_000, 2, None)));
        assert_eq!(parse("l16/48000/2"), Some((AudioCodec::L16, 48_000, 2, None)));
        assert_eq!(parse("l16/44100"), Some((AudioCodec::L16, 44_100, 1, None)));
        assert_eq!(parse("pcmu"), Some((AudioCodec::Pcmu, 8_000, 1, None)));
        assert_eq!(parse("pcma/16000"), Some((AudioCodec::Pcma, 16_000, 1, None)));
        assert_eq!(parse("0"), Some((AudioCodec::Pcmu, 8_000, 1, Some(0))));
        assert_eq!(parse("10"), Some((AudioCodec::L16, 44_100, 2, Some(10))));
        for unknown in ["", "l16", "l16/", "l16/1/1", "l16/48000/6", "opus/8000", "3", "96", "mp3"]
        {
            assert_eq!(parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_do() {
        let wrong = |text: &str| text.parse::<FeedUrl>().unwrap_err().to_string();
        assert!(wrong("rtsp://host/x").contains("rtp://0.0.0.0:5004?pt=opus"));
        assert!(wrong("rtp://127.0.0.1:5004").contains("add ?pt=opus"));
        for address in ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:65535", "host:5004"] {
            let line = wrong(&format!("rtp://{address}?pt=opus"));
            assert!(line.starts_with(&format!("'{address}' is not an IP address")), "{line}");
        }
        assert!(wrong("rtp://[::1]:5004?pt=mp3").starts_with("'mp3' is no payload"));
    }

    #[test]
    fn what_roc_sends_is_told_by_its_scheme_and_need_not_say_what_it_carries() {
        let track = |text: &str| {
            let url: FeedUrl = text.parse().unwrap();
            assert!(url.is_repaired() && url.is_static());
            assert_eq!(url.as_url().as_str(), text);
            url.track()
        };
        for (text, number, channels) in
            [("rtp+rs8m://0.0.0.0:10001", 10, 2), ("rtp+rs8m://0.0.0.0:10001?pt=11", 11, 1)]
        {
            let Track {
                payload_type,
                medium: Medium::Audio { codec, format, packet_time, .. },
                ..
            } = track(text)
            else {
                panic!("{text} is sound")
            };
            assert_eq!(
                (payload_type.get(), codec, format.channels),
                (number, AudioCodec::L16, channels)
            );
            assert_eq!((format.rate.hz(), packet_time.ticks(format.rate)), (44_100, 221));
        }
        assert!("rs8m://0.0.0.0:10001".parse::<FeedUrl>().is_err());
        assert!("rtp+ldpc://0.0.0.0:10001".parse::<FeedUrl>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = text.parse::<FeedUrl>();
            if let Ok(url) = format!("rtp://{text}").parse::<FeedUrl>() {
                let _ = url.as_url();
            }
        }
    }
}
