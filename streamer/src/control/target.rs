//! What a request's URL points at.

use cantus_qos::fec::Scheme;
use cantus_qos::fec::block::Layout;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rtsp_types::Url;

use crate::encoding::Codec;
use crate::session::FlowKind;

/// How blocks of ours are laid out: packets have different lengths.
pub(super) const BLOCKS: Scheme = Scheme::Block(Layout::Adu);

/// A URL of ours, taken apart: `rtsp://host/NAME/CONTROL?codec=CODEC`.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Target {
    /// The presentation; `None` is the catalogue, or the server as a whole.
    pub name: Option<String>,
    /// The track, where the URL names one.
    pub track: Option<Track>,
    /// The codec that the query asks for.
    pub codec: Option<Codec>,
}

/// A track's control URL, relative to the presentation.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Track {
    /// What it carries.
    pub kind: FlowKind,
    /// The codec of the programme it belongs to, where the control names one.
    pub codec: Option<Codec>,
}

impl Track {
    /// The control URL of an audio track, counted from zero here and from one on the wire.
    pub fn audio(codec: Codec, index: usize) -> String {
        format!("{}/{}", codec.name(), index + 1)
    }

    /// The control URL of an audio track's repair.
    pub fn repair(codec: Codec, index: usize, scheme: Scheme) -> String {
        let how = match scheme {
            Scheme::Block(_) => "repair",
            Scheme::Sliding => "sliding",
        };
        format!("{how}/{}/{}", codec.name(), index + 1)
    }

    /// The control URL of a subtitle track.
    pub fn text(language: &str) -> String {
        format!("text/{language}")
    }

    /// The control URL of what a flow carries.
    pub fn control(codec: Codec, kind: &FlowKind) -> String {
        match kind {
            FlowKind::Audio(index) => Self::audio(codec, *index),
            FlowKind::Repair(index, scheme) => Self::repair(codec, *index, *scheme),
            FlowKind::Text(language) => Self::text(language),
        }
    }

    fn parse(segments: &[String]) -> Option<Self> {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let index = |text: &str| text.parse::<usize>().ok()?.checked_sub(1);
        match segments[..] {
            ["text", language] => {
                Some(Self { kind: FlowKind::Text(language.to_owned()), codec: None })
            }
            [how @ ("repair" | "sliding"), codec, number] => {
                let scheme = if how == "sliding" { Scheme::Sliding } else { BLOCKS };
                Some(Self {
                    kind: FlowKind::Repair(index(number)?, scheme),
                    codec: Some(Codec::named(codec)?),
                })
            }
            [codec, number] => Some(Self {
                kind: FlowKind::Audio(index(number)?),
                codec: Some(Codec::named(codec)?),
            }),
            _ => None,
        }
    }
}

/// Why a URL points at nothing of ours.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum TargetError {
    /// A segment that is not UTF-8.
    #[error("the URL {0} is not UTF-8")]
    NotUtf8(String),
    /// Something below a presentation that is no track.
    #[error("{0} names no track")]
    NoTrack(String),
    /// A codec that we do not have.
    #[error("codec {0} is unknown: opus and l16 are known")]
    UnknownCodec(String),
}

impl Target {
    /// Takes a URL apart. Whether the name exists is the catalogue's business.
    ///
    /// # Errors
    ///
    /// Where it is not UTF-8, or names a track or codec that cannot be.
    pub fn parse(url: &Url) -> Result<Self, TargetError> {
        let mut segments = Vec::new();
        for segment in url.path().split('/').filter(|segment| !segment.is_empty()) {
            let decoded = percent_decode_str(segment)
                .decode_utf8()
                .map_err(|_| TargetError::NotUtf8(url.to_string()))?;
            segments.push(decoded.into_owned());
        }
        let track = match segments.get(1..) {
            None | Some([]) => None,
            Some(rest) => {
                Some(Track::parse(rest).ok_or_else(|| TargetError::NoTrack(rest.join("/")))?)
            }
        };
        let asked = url.query_pairs().find(|(key, _)| key == "codec").map(|(_, value)| value);
        let codec = match asked {
            None => None,
            Some(name) => {
                Some(Codec::named(&name).ok_or(TargetError::UnknownCodec(name.into_owned()))?)
            }
        };
        Ok(Self { name: segments.into_iter().next(), track, codec })
    }

    /// Whether `other` is the same presentation or track, or a track of this presentation. The codec
    /// of a query is a wish, and no other presentation.
    pub(super) fn holds(&self, other: &Self) -> bool {
        self.name == other.name && (self.track.is_none() || self.track == other.track)
    }
}

/// A presentation's name as one segment of a URL's path (RFC 3986, section 3.3).
pub fn url_path(name: &str) -> String {
    /// All but the unreserved characters (RFC 3986, section 2.3).
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(name, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, TargetError> {
        Target::parse(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_presentation_with_its_codec() {
        let target = parse("rtsp://host:8554/nar%20ration?codec=L16").unwrap();
        assert_eq!(target.name.as_deref(), Some("nar ration"));
        assert_eq!(target.codec, Some(Codec::L16));
        assert_eq!(target.track, None);
    }

    #[test]
    fn control_urls_come_back_as_what_they_were_made_of() {
        for kind in [
            FlowKind::Audio(0),
            FlowKind::Repair(1, BLOCKS),
            FlowKind::Repair(0, Scheme::Sliding),
            FlowKind::Text("vi".into()),
        ] {
            let control = Track::control(Codec::L16, &kind);
            let target = parse(&format!("quic://host/duet/{control}")).unwrap();
            assert_eq!(target.track.unwrap().kind, kind);
        }
    }

    #[test]
    fn any_name_survives_its_way_through_a_url() {
        for name in ["sync-test", "a b", "a/b", "50 %", "Täglich?", "..x", "#1"] {
            let target = parse(&format!("rtsp://host/{}/", url_path(name))).unwrap();
            assert_eq!(target.name.as_deref(), Some(name));
        }
        assert_eq!(url_path("sync-test"), "sync-test");
    }

    #[test]
    fn the_catalogue_has_no_name() {
        assert_eq!(parse("rtsp://host/").unwrap().name, None);
    }

    #[test]
    fn what_is_no_track_is_named() {
        assert!(matches!(parse("rtsp://h/x/opus/0"), Err(TargetError::NoTrack(_))));
        assert!(matches!(parse("rtsp://h/x/y"), Err(TargetError::NoTrack(_))));
        assert!(matches!(parse("rtsp://h/x?codec=mp3"), Err(TargetError::UnknownCodec(_))));
    }
}
