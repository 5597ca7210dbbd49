//! A presentation in the encoding that a listener asked for.

use std::sync::Arc;

use cantus_qos::quantity::Bitrate;
use cantus_qos::spec::sdp::AudioCodec;

use crate::catalogue::{Catalogue, CatalogueError, Presentation};
use crate::encoding::{Encoding, EncodingError, EncodingSpec};

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

    /// What an audio track takes on the wire: its payload and the headers of its packets (IPv4 20,
    /// UDP 8, RTP 12, sending time 8 bytes); `None` where there is no such track.
    pub fn audio_rate(&self, index: usize) -> Option<Bitrate> {
        const HEADERS: f64 = 48.0 * 8.0;
        let encoding = self.audio.get(index)?;
        let payload = match encoding.spec() {
            EncodingSpec::Opus { bitrate } => bitrate.as_bps(),
            EncodingSpec::L16 => {
                let format = encoding.format();
                u64::from(format.rate.hz()) * u64::from(format.channels) * 16
            }
        };
        let packets = 1.0 / encoding.unit_duration().as_secs_f64();
        Some(Bitrate::from_bps(payload + (packets * HEADERS) as u64))
    }

    /// Blocks until every unit is encoded; the simulator and tests want no race with the encoder.
    pub fn wait(&self) {
        self.audio.iter().for_each(|encoding| encoding.wait());
    }
}
