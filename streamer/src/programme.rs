//! A presentation in the encoding that a listener asked for.

use std::sync::Arc;

use cantus_qos::quantity::Bitrate;
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::time::MediaTime;

use crate::catalogue::{Catalogue, CatalogueError, Presentation};
use crate::encoding::{Encoding, EncodingError, EncodingSpec};

/// Bytes of headers on each packet: IPv4 20, UDP 8, RTP 12, sending time 8.
const PACKET_HEADERS: u64 = 48;

/// Names one programme.
#[derive(Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub struct ProgrammeKey {
    /// The presentation's name in the catalogue.
    pub name: String,
    /// How its audio is encoded.
    pub encoding: EncodingSpec,
}

impl ProgrammeKey {
    /// The bit rate of Opus where nobody asks for another: transparent for nearly everyone.
    pub const DEFAULT_BITRATE: Bitrate = Bitrate::from_kbps(96);

    /// A presentation in `codec`, at the default bit rate where the codec has one.
    pub fn new(name: &str, codec: AudioCodec) -> Self {
        let encoding = match codec {
            AudioCodec::L16 => EncodingSpec::L16,
            AudioCodec::Opus => EncodingSpec::Opus { bitrate: Self::DEFAULT_BITRATE },
        };
        Self { name: name.to_owned(), encoding }
    }

    /// The same with each audio track in at most `rate`, as far down as the ladder of encodings
    /// goes.
    #[must_use]
    pub fn within(self, rate: Bitrate) -> Self {
        /// Fifty packets a second.
        const OPUS_HEADERS: Bitrate = Bitrate::from_bps(50 * PACKET_HEADERS * 8);
        let encoding = match self.encoding {
            EncodingSpec::Opus { bitrate } => {
                EncodingSpec::opus_within(rate.saturating_sub(OPUS_HEADERS).min(bitrate))
            }
            EncodingSpec::L16 => EncodingSpec::L16,
        };
        Self { encoding, ..self }
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
    pub codec: AudioCodec,
    /// One encoding an audio track, in their order.
    pub audio: Vec<Arc<Encoding>>,
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
        let codec = match key.encoding {
            EncodingSpec::L16 => AudioCodec::L16,
            EncodingSpec::Opus { .. } => AudioCodec::Opus,
        };
        Ok(Self { presentation, codec, audio })
    }

    /// What an audio track takes on the wire: its payload and the headers of its packets; `None`
    /// where there is no such track.
    pub fn audio_rate(&self, index: usize) -> Option<Bitrate> {
        let encoding = self.audio.get(index)?;
        let packets = 1.0 / encoding.unit_duration().as_secs_f64();
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
        let bitrate = |limit| match ProgrammeKey::new("x", AudioCodec::Opus).within(limit).encoding
        {
            EncodingSpec::Opus { bitrate } => bitrate,
            EncodingSpec::L16 => panic!("another codec"),
        };
        assert_eq!(bitrate(Bitrate::from_kbps(1_000)), ProgrammeKey::DEFAULT_BITRATE);
        assert_eq!(bitrate(Bitrate::from_bps(115_200)), ProgrammeKey::DEFAULT_BITRATE);
        assert_eq!(bitrate(Bitrate::from_bps(115_199)), Bitrate::from_kbps(64));
        assert_eq!(bitrate(Bitrate::ZERO), Bitrate::from_kbps(16));
    }
}
