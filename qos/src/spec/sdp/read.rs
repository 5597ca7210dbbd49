//! Reading session descriptions.

use std::collections::BTreeSet;
use std::time::Duration;

use sdp_types::{Media, Session};

use super::{
    ABS_SEND_TIME, ADU_ENCODING_ID, AudioCodec, CONGESTION_FEEDBACK, CUE, Description, Destination,
    Medium, RS8M_ENCODING_ID, Retransmission, SLIDING_ENCODING_ID, SdpError, Track,
};
use crate::fec::Scheme;
use crate::fec::block::Layout;
use crate::payload::AudioFormat;
use crate::quantity::parse_latency_millis;
use crate::rtp::{ExtensionId, PayloadType};
use crate::rtsp::{NptRange, NptStart, Profile};
use crate::time::{ClockRate, MediaTime};

/// The longest session description that is read, in bytes.
pub const MAX_SDP: usize = 64 * 1_024;

/// How much a packet holds where nothing is said (RFC 3551, section 4.2; RFC 7587, section 7).
const DEFAULT_PACKET_TIME: Duration = Duration::from_millis(20);

/// No codec of ours puts more into a packet.
const LONGEST_PACKET_TIME: Duration = Duration::from_millis(200);

impl Description {
    /// Reads a session description, ours or another's. Media that we do not know are skipped;
    /// there may be none left.
    ///
    /// # Errors
    ///
    /// [`SdpError`] where it is longer than [`MAX_SDP`], or breaks the syntax.
    pub fn parse(sdp: &[u8]) -> Result<Self, SdpError> {
        let session = session(sdp)?;
        let medias = session.medias.iter();
        let mut tracks: Vec<_> = medias.filter_map(|media| read_track(&session, media)).collect();
        drop_idle_repair(&mut tracks);
        Ok(Self { title: title(&session), duration: duration(&session), tracks })
    }

    /// Reads the description of streams that are sent without being asked for, and where each comes.
    /// Of those only sound is known, and where it comes must be told.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_placed(sdp: &[u8]) -> Result<(Self, Vec<Destination>), SdpError> {
        let session = session(sdp)?;
        let audio = session.medias.iter().filter(|media| media.media == "audio");
        let placed = audio.filter_map(|media| {
            Some((read_track(&session, media)?, Destination::of(&session, media)?))
        });
        let (tracks, destinations) = placed.unzip();
        Ok((Self { title: title(&session), duration: None, tracks }, destinations))
    }
}

fn session(sdp: &[u8]) -> Result<Session, SdpError> {
    if sdp.len() > MAX_SDP {
        return Err(SdpError::TooLong { bytes: sdp.len() });
    }
    // ffmpeg prints this line before the description, and people copy it along.
    let sdp = sdp.strip_prefix(b"SDP:").unwrap_or(sdp).trim_ascii_start();
    let session = Session::parse(sdp).map_err(|error| SdpError::Syntax(error.to_string()))?;
    Ok(session)
}

fn title(session: &Session) -> String {
    let title = printable(&session.session_name);
    if title == "-" { String::new() } else { title }
}

/// Drops repair for tracks that were skipped: nothing would be left to repair.
fn drop_idle_repair(tracks: &mut Vec<Track>) {
    let is_audio = |track: &&Track| matches!(track.medium, Medium::Audio { .. });
    let audio = tracks.iter().filter(is_audio).map(|track| track.control.clone());
    let audio: BTreeSet<_> = audio.collect();
    tracks.retain(|track| match &track.medium {
        Medium::Repair { protects, .. } => audio.contains(protects),
        _ => true,
    });
}

fn duration(session: &Session) -> Option<MediaTime> {
    let range = session.get_first_attribute_value("range")??;
    let range: NptRange = range.parse().ok()?;
    let start = match range.start {
        NptStart::At(start) => start,
        NptStart::Now => return None,
    };
    range.end.filter(|end| *end > start).map(|end| end - start)
}

fn read_track(session: &Session, media: &Media) -> Option<Track> {
    let (payload_type, medium) = match media.media.as_str() {
        "audio" => formats(media).find_map(|format| Some((format, read_audio(media, format)?)))?,
        "text" => {
            let cue = |format: &PayloadType| {
                encoding(media, *format).is_some_and(|encoding| encoding.is(CUE))
            };
            (formats(media).find(cue)?, Medium::Text { language: language(session, media) })
        }
        "application" => (formats(media).next()?, read_repair(session, media)?),
        _ => return None,
    };
    Some(Track {
        control: printable(value(media, "control").unwrap_or_default()),
        name: printable(media.media_title.as_deref().unwrap_or_default()),
        medium,
        payload_type,
        send_time_id: send_time_id(session, media),
        profile: profile(media),
        retransmission: retransmission(session, media, payload_type),
        congestion_feedback: congestion_feedback(media),
    })
}

/// What is encrypted cannot be read, whatever its feedback; its SETUP is for the server to refuse.
fn profile(media: &Media) -> Profile {
    if media.proto == Profile::Avpf.to_string() { Profile::Avpf } else { Profile::Avp }
}

/// Packets of this payload type are asked for by NACK, and come again under another. Who offers that
/// and says nothing of feedback at all (GStreamer's server does) cannot mean another way of asking.
fn retransmission(
    session: &Session,
    media: &Media,
    original: PayloadType,
) -> Option<Retransmission> {
    let mut feedback = media.get_attribute_values("rtcp-fb").flatten().peekable();
    let is_unsaid = feedback.peek().is_none() && profile(media) == Profile::Avpf;
    let is_nack = |value: &str| {
        let (of, kind) = value.trim().split_once(' ').unwrap_or_default();
        kind.trim() == "nack" && (of == "*" || of.parse() == Ok(original.get()))
    };
    if !is_unsaid && !feedback.any(is_nack) {
        return None;
    }
    let reduced_size = media.has_attribute("rtcp-rsize") || session.has_attribute("rtcp-rsize");
    let is_rtx = |format: &PayloadType| encoding(media, *format).is_some_and(|it| it.is("rtx"));
    formats(media).filter(is_rtx).find_map(|payload_type| {
        let parameter = |name: &str| {
            of_payload_type(media, "fmtp", payload_type)
                .flat_map(|parameters| parameters.split(';'))
                .filter_map(|parameter| parameter.trim().split_once('='))
                .find_map(|(told, value)| {
                    (told == name).then(|| value.trim().parse::<u32>().ok())?
                })
        };
        let of = parameter("apt")?;
        let time = Duration::from_millis(parameter("rtx-time").unwrap_or_default().into());
        (of == u32::from(original.get())).then_some(Retransmission {
            payload_type,
            time,
            reduced_size,
        })
    })
}

/// The payload types of a media block, the most wanted first.
fn formats(media: &Media) -> impl Iterator<Item = PayloadType> {
    media.fmt.split_ascii_whitespace().filter_map(|format| PayloadType::new(format.parse().ok()?))
}

fn read_audio(media: &Media, payload_type: PayloadType) -> Option<Medium> {
    let encoding = encoding(media, payload_type)?;
    let codec = AudioCodec::named(encoding.name)?;
    let format = match codec {
        AudioCodec::Opus if encoding.rate != ClockRate::OPUS.hz() => return None,
        AudioCodec::Opus => opus_format(media, payload_type),
        _ if !AudioFormat::CREDIBLE_RATES.contains(&encoding.rate) => return None,
        _ => AudioFormat::new(encoding.rate, encoding.channels)?,
    };
    let packet_time = time_of(media, "ptime").unwrap_or(DEFAULT_PACKET_TIME);
    let packet_time = MediaTime::from_duration(packet_time);
    let longest = time_of(media, "maxptime").map(MediaTime::from_duration);
    Some(Medium::Audio { codec, format, packet_time, longest })
}

/// Mono, unless `sprop-stereo` says otherwise (RFC 7587, section 6.1).
fn opus_format(media: &Media, payload_type: PayloadType) -> AudioFormat {
    let mut parameters = of_payload_type(media, "fmtp", payload_type)
        .flat_map(|parameters| parameters.split(';'))
        .filter_map(|parameter| parameter.trim().split_once('='));
    let stereo = parameters
        .any(|(name, value)| name.eq_ignore_ascii_case("sprop-stereo") && value.trim() == "1");
    if stereo { AudioFormat::OPUS_STEREO } else { AudioFormat::OPUS_MONO }
}

/// How much a packet holds, or may hold, by the attribute that says so; `None` where nothing
/// credible is said.
fn time_of(media: &Media, attribute: &str) -> Option<Duration> {
    let time = value(media, attribute).and_then(|text| parse_latency_millis(text).ok());
    time.filter(|time| !time.is_zero() && *time <= LONGEST_PACKET_TIME)
}

fn read_repair(session: &Session, media: &Media) -> Option<Medium> {
    let mut parameters = value(media, "fec-repair-flow")?.split(';').map(str::trim);
    let encoding_id = parameters.find_map(|text| text.strip_prefix("encoding-id="))?;
    let scheme = match encoding_id.parse::<u8>().ok()? {
        ADU_ENCODING_ID => Scheme::Block(Layout::Adu),
        RS8M_ENCODING_ID => Scheme::Block(Layout::Rs8m),
        SLIDING_ENCODING_ID => Scheme::Sliding,
        _ => return None,
    };
    let mid = value(media, "mid")?;
    let source = session
        .get_attribute_values("group")
        .flatten()
        .filter_map(|group| group.trim().strip_prefix("FEC-FR "))
        .find(|group| group.split_ascii_whitespace().any(|member| member == mid))?;
    let protected = session.medias.iter().find(|media| {
        let is_member = |mid| source.split_ascii_whitespace().any(|member| member == mid);
        media.media == "audio" && value(media, "mid").is_some_and(is_member)
    })?;
    let protects = printable(value(protected, "control").unwrap_or_default());
    Some(Medium::Repair { protects, scheme })
}

fn send_time_id(session: &Session, media: &Media) -> Option<ExtensionId> {
    let of_media = media.get_attribute_values("extmap");
    let extensions = of_media.chain(session.get_attribute_values("extmap")).flatten();
    extensions.filter_map(|extension| extension.trim().split_once(' ')).find_map(|(id, uri)| {
        let is_ours = uri.split_ascii_whitespace().next() == Some(ABS_SEND_TIME);
        // The direction may follow the identifier: `3/sendonly`.
        let id = id.split('/').next().filter(|_| is_ours)?;
        ExtensionId::new(id.parse().ok()?)
    })
}

/// For every payload type, or for one: it is asked for all packets anyway.
fn congestion_feedback(media: &Media) -> bool {
    let (_, wanted) = CONGESTION_FEEDBACK.split_at(1);
    let mut feedback = media.get_attribute_values("rtcp-fb").flatten();
    feedback.any(|value| value.trim().find(' ').is_some_and(|at| value.trim()[at..] == *wanted))
}

/// What `a=rtpmap` says of a payload type.
struct Encoding<'a> {
    name: &'a str,
    rate: u32,
    channels: u8,
}

impl Encoding<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The encoding of a payload type: as mapped, or else as RFC 3551, table 4 has it.
fn encoding(media: &Media, payload_type: PayloadType) -> Option<Encoding<'_>> {
    let Some(map) = of_payload_type(media, "rtpmap", payload_type).next() else {
        let (codec, format) = AudioCodec::of_static(payload_type)?;
        let (rate, channels) = (format.rate.hz(), format.channels);
        return Some(Encoding { name: codec.name(), rate, channels });
    };
    let mut parts = map.split('/');
    let (name, rate) = (parts.next()?, parts.next()?.trim().parse().ok()?);
    let channels = parts.next().map_or(Some(1), |channels| channels.trim().parse().ok())?;
    Some(Encoding { name, rate, channels })
}

/// The values of an attribute that begin with a payload type, without it.
fn of_payload_type<'a>(
    media: &'a Media,
    name: &'a str,
    payload_type: PayloadType,
) -> impl Iterator<Item = &'a str> {
    let values = media.get_attribute_values(name).flatten();
    values.filter_map(move |value| {
        let (number, rest) = value.trim().split_once(' ')?;
        (number.parse() == Ok(payload_type.get())).then_some(rest.trim())
    })
}

fn value<'a>(media: &'a Media, name: &'a str) -> Option<&'a str> {
    media.get_first_attribute_value(name)?.map(str::trim)
}

/// The language of a block, or else that of the session; `und`, undetermined, where neither is
/// told (BCP 47).
fn language(session: &Session, media: &Media) -> String {
    let told = media.get_attribute_values("lang").chain(session.get_attribute_values("lang"));
    let mut told = told.flatten().map(printable);
    told.find(|language| !language.is_empty()).unwrap_or_else(|| "und".to_owned())
}

/// A text that may be shown: without control characters, which could steer a terminal, and
/// without white space around it.
fn printable(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    text.trim().to_owned()
}
