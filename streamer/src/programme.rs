//! A presentation in the encoding that a listener asked for.

use std::sync::Arc;

use cantus_qos::quantity::Bitrate;
use cantus_qos::time::MediaTime;

use crate::catalogue::{Catalogue, CatalogueError, Presentation};
use crate::encoding::{Codec, Encoding, EncodingError, EncodingSpec};
use crate::pipeline::is_dominant;

/// Bytes of headers on each packet: IPv4 20, UDP 8, RTP 12, sending time 8.
const PACKET_HEADERS: u64 = 48;

/// Where little is left beside the headers, so much of a rate is for sound and its headers.
const BESIDE_REPORTS: f64 = 0.9;

/// Names one programme.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub struct ProgrammeKey {
    /// The presentation's name in the catalogue.
    pub name: String,
    /// How its audio is encoded.
    pub encoding: EncodingSpec,
    /// How many units a packet holds.
    pub joined: usize,
}

impl ProgrammeKey {
    /// The bit rate of Opus where nobody asks for another: transparent for nearly everyone.
    pub const DEFAULT_BITRATE: Bitrate = Bitrate::from_kbps(96);

    /// A presentation in `codec`, at the default bit rate where the codec has one.
    pub fn new(name: &str, codec: Codec) -> Self {
        let encoding = match codec {
            Codec::L16 => EncodingSpec::L16,
            Codec::Opus => EncodingSpec::Opus { bitrate: Self::DEFAULT_BITRATE },
        };
        Self { name: name.to_owned(), encoding, joined: 1 }
    }

    /// The same with each audio track in at most `rate`, as far down as the ladder of encodings
    /// goes. Where headers dominate, up to `most` units travel in one packet; there a part of the
    /// rate is left for reports, and what the transport puts `around` each packet counts, in bytes.
    #[must_use]
    pub fn within(self, rate: Bitrate, most: usize, around: usize) -> Self {
        let EncodingSpec::Opus { bitrate: usual } = self.encoding else { return self };
        let headers = |bytes: u64, joined: usize| Bitrate::from_bps(50 * bytes * 8 / joined as u64);
        let narrow = most > 1 && is_dominant(headers(PACKET_HEADERS, 1), rate);
        let (rate, most, around) = match narrow {
            true => (rate.mul_f64(BESIDE_REPORTS), most, around as u64),
            false => (rate, 1, 0),
        };
        let choice = |joined: usize| {
            let taken = headers(PACKET_HEADERS + around, joined);
            let room = rate.saturating_sub(taken);
            let encoding = EncodingSpec::opus_within(room.min(usual));
            let fits = matches!(encoding, EncodingSpec::Opus { bitrate } if bitrate <= room);
            (fits, encoding, joined)
        };
        // Of equal rungs the last, with the most units: what is left is for what is sent again.
        let best = (1..=most).map(choice).max_by_key(|(fits, encoding, _)| (*fits, *encoding));
        match best {
            Some((true, encoding, joined)) => Self { encoding, joined, ..self },
            Some((false, encoding, _)) => Self { encoding, joined: most, ..self },
            None => self,
        }
    }
}

/// Why a programme cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ProgrammeError {
    /// The catalogue does not have it, or its files are damaged.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// It cannot be encoded.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Who was to fetch it has broken down: a bug of ours.
    #[error("it could not be fetched")]
    Interrupted,
}

/// A presentation and the encodings of its audio tracks, shared by all who listen to it.
#[derive(Debug)]
pub struct Programme {
    /// Titles, tracks and cues.
    pub presentation: Arc<Presentation>,
    /// The codec of every audio track.
    pub codec: Codec,
    /// One encoding an audio track, in their order.
    pub audio: Vec<Arc<Encoding>>,
    /// How many units a packet holds, until the path is known.
    pub joined: usize,
}

impl Programme {
    /// Opens a presentation and starts its encodings, or joins those that exist.
    ///
    /// # Errors
    ///
    /// Whatever the catalogue has against the name or the files behind it, or the encoder against
    /// the format.
    pub fn load(catalogue: &Catalogue, key: &ProgrammeKey) -> Result<Self, ProgrammeError> {
        let presentation = catalogue.presentation(&key.name)?;
        let tracks = presentation.audio.iter();
        let audio =
            tracks.map(|track| Encoding::of(track, key.encoding)).collect::<Result<_, _>>()?;
        let (codec, joined) = (key.encoding.codec(), key.joined);
        Ok(Self { presentation, codec, audio, joined })
    }

    /// What an audio track takes on the wire: its payload and the headers of its packets; `None`
    /// where there is no such track.
    pub fn audio_rate(&self, index: usize) -> Option<Bitrate> {
        let encoding = self.audio.get(index)?;
        let packets = 1.0 / (encoding.unit_duration().as_secs_f64() * self.joined as f64);
        let headers = Bitrate::from_bps((packets * (PACKET_HEADERS * 8) as f64).ceil() as u64);
        Some(encoding.bitrate() + headers)
    }

    /// How long the longest unit of its audio tracks plays.
    pub fn unit_duration(&self) -> MediaTime {
        self.audio.iter().map(|it| it.unit_duration()).max().unwrap_or_default()
    }

    /// Blocks until every unit is encoded; the simulator and tests want no race with the encoder.
    pub fn wait(&self) {
        self.audio.iter().for_each(|encoding| encoding.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limited_rate_goes_down_the_ladder_and_never_up() {
        let bitrate = |limit| match ProgrammeKey::new("x", Codec::Opus).within(limit, 1, 0).encoding
        {
            EncodingSpec::Opus { bitrate } => bitrate,
            other => panic!("another codec: {other:?}"),
        };
        assert_eq!(bitrate(Bitrate::from_kbps(1_000)), ProgrammeKey::DEFAULT_BITRATE);
        assert_eq!(bitrate(Bitrate::from_bps(115_200)), ProgrammeKey::DEFAULT_BITRATE);
        assert_eq!(bitrate(Bitrate::from_bps(115_199)), Bitrate::from_kbps(64));
        assert_eq!(bitrate(Bitrate::ZERO), Bitrate::from_kbps(16));
    }

    #[test]
    fn where_headers_dominate_units_are_joined_and_nowhere_else() {
        let within = |kbps, most, around| {
            let key =
                ProgrammeKey::new("x", Codec::Opus).within(Bitrate::from_kbps(kbps), most, around);
            let EncodingSpec::Opus { bitrate } = key.encoding else { panic!("another codec") };
            (bitrate.as_bps() / 1_000, key.joined)
        };
        // Headers take 19.2, 9.6 and 6.4 kbit/s.
        assert_eq!([32, 48, 56].map(|kbps| within(kbps, 3, 0)), [(16, 3), (32, 3), (32, 3)]);
        assert_eq!([32, 48, 56].map(|kbps| within(kbps, 1, 0)), [(16, 1), (24, 1), (32, 1)]);
        assert_eq!([32, 48].map(|kbps| within(kbps, 3, 30)), [(16, 3), (32, 3)]);
        assert_eq!(within(64, 3, 0), (32, 1), "headers take less than a third");
    }
}
