//! What makes the units of a track heard: decoder / concealment.

use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::g711::Law;
use cantus_qos::playout::{Taken, Unit};
use cantus_qos::quantity::Bitrate;
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::stats::Encoding;
use cantus_qos::sync::{Correction, TrackAlignment};
use cantus_qos::time::{MediaTime, MonoTime};

use super::Stock;
use crate::decode::{Comforted, DecodeError, Decoder, OpusDecoder, SampleDecoder};
use crate::pipeline::handed::HandOver;

/// Decodes what is in stock, and makes up what is not.
pub(crate) struct Voice {
    /// Sound that had to be made up.
    pub concealed: MediaTime,
    /// How much of that was made up since a unit was last heard.
    tail: MediaTime,
    /// Sound that came out, made up or not.
    pub played: MediaTime,
    /// Payload of what was decoded, in bytes.
    pub payload: u64,
    codec: AudioCodec,
    format: AudioFormat,
    unit: MediaTime,
    decoder: Box<dyn Decoder>,
    alignment: TrackAlignment,
    /// Decoded and not yet rendered, interleaved.
    decoded: Vec<f32>,
    /// Where what is sent begins.
    start: MediaTime,
    /// Whether the first sample was rendered.
    begun: bool,
    /// Whether what comes next does not belong to what was heard last.
    leapt: bool,
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voice").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Voice {
    /// Of units in `codec` that play for `unit` each; what is sent begins at `start`.
    ///
    /// # Errors
    ///
    /// If the codec cannot be decoded in this format.
    pub(super) fn new(
        codec: AudioCodec,
        format: AudioFormat,
        unit: MediaTime,
        start: MediaTime,
    ) -> Result<Self, DecodeError> {
        let samples = |decoder| Box::new(Comforted::new(decoder, format));
        let decoder: Box<dyn Decoder> = match codec {
            AudioCodec::Opus => Box::new(Comforted::new(OpusDecoder::new(format)?, format)),
            AudioCodec::L16 => samples(SampleDecoder::l16(format)),
            AudioCodec::Pcmu => samples(SampleDecoder::g711(Law::Mu, format)),
            AudioCodec::Pcma => samples(SampleDecoder::g711(Law::A, format)),
        };
        Ok(Self {
            concealed: MediaTime::ZERO,
            tail: MediaTime::ZERO,
            played: MediaTime::ZERO,
            payload: 0,
            codec,
            format,
            unit,
            decoder,
            alignment: TrackAlignment::new(TrackAlignment::EXACT),
            decoded: Vec::new(),
            start,
            begun: false,
            leapt: false,
        })
    }

    /// How what was decoded had been encoded; `None` where nobody has measured what that costs,
    /// and where nothing of it was heard.
    pub(crate) fn encoding(&self) -> Option<Encoding> {
        match self.codec {
            AudioCodec::Opus => {}
            AudioCodec::L16 => return Some(Encoding::Linear),
            AudioCodec::Pcmu | AudioCodec::Pcma => return None,
        }
        let heard = (self.played - self.concealed).to_duration();
        if heard.is_zero() {
            return None;
        }
        let bitrate = Bitrate::over(self.payload / u64::from(self.format.channels.max(1)), heard);
        // To a kilobit: a unit more or less is under way.
        Some(Encoding::Opus(Bitrate::from_kbps((bitrate.as_bps() + 500) / 1_000)))
    }

    /// The format of what it renders.
    pub(super) fn format(&self) -> AudioFormat {
        self.format
    }

    /// Appends the `frames` frames from `position` on, which are due and leave at `when`.
    pub(super) fn render(
        &mut self,
        stock: &mut Stock,
        position: MediaTime,
        frames: usize,
        when: HandOver,
        out: &mut Vec<f32>,
    ) {
        let rate = self.format.rate;
        let channels = usize::from(self.format.channels);
        if !std::mem::replace(&mut self.begun, true) {
            self.warm_up(stock, self.start, position);
        }
        while self.decoded.len() < frames * channels {
            let ahead = (self.decoded.len() / channels) as i64;
            let due = MediaTime::from_ticks(position.ticks(rate) + ahead, rate);
            let wanted = when.due + (due - position).to_delta();
            if due < self.start && self.payload == 0 {
                self.keep_silent((self.start - due).min(self.unit));
                continue;
            }
            match stock.take(due) {
                Taken::Unit(unit) if self.leapt => {
                    stock.miss(due, unit.end());
                    self.conceal_for(unit.end() - due);
                }
                Taken::Unit(unit) => self.play(stock, due, (when.heard_at(wanted), wanted), unit),
                Taken::Missing { duration } => {
                    stock.miss(due, due + duration);
                    self.conceal_for(duration);
                }
            }
            self.leapt = false;
        }
        out.extend(self.decoded.drain(..frames * channels));
        self.played += MediaTime::from_ticks(frames as i64, rate);
    }

    /// How much is decoded and not yet rendered.
    pub(super) fn decoded(&self) -> MediaTime {
        let frames = self.decoded.len() / usize::from(self.format.channels);
        MediaTime::from_ticks(frames as i64, self.format.rate)
    }

    /// Whether any of that is of a unit, and not made up.
    pub(super) fn holds_units(&self) -> bool {
        self.decoded() > self.tail
    }

    /// Appends `frames` frames made up, beside the timeline.
    pub(super) fn extend(&mut self, frames: usize, out: &mut Vec<f32>) {
        self.decoder.conceal(frames, out);
        let length = MediaTime::from_ticks(frames as i64, self.format.rate);
        self.note_concealed(length);
        self.played += length;
    }

    /// Nothing is missing before the track begins.
    fn keep_silent(&mut self, length: MediaTime) {
        let samples =
            length.ticks(self.format.rate).max(1) as usize * usize::from(self.format.channels);
        self.decoded.resize(self.decoded.len() + samples, 0.0);
    }

    /// Whether anything was rendered.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// What is due next is not what goes on with what was heard last: instead of the unit that is
    /// there, sound is made up that joins the two.
    pub(super) fn leap(&mut self) {
        self.leapt = true;
    }

    fn note_concealed(&mut self, length: MediaTime) {
        self.concealed += length;
        self.tail += length;
    }

    /// Nothing was missing behind the last unit: it was the end. What was made up after it stands
    /// for nothing.
    pub(crate) fn finish_with_what_came(&mut self) {
        let tail = std::mem::take(&mut self.tail);
        self.concealed -= tail;
        // The rest of it has not come out.
        self.played -= tail - tail.min(self.decoded());
    }

    /// Decodes what was sent before the sound begins, unheard, so that the decoder remembers what
    /// it would have played.
    fn warm_up(&mut self, stock: &mut Stock, start: MediaTime, position: MediaTime) {
        let mut at = start;
        while at + self.unit <= position {
            at = match stock.take(at) {
                Taken::Unit(unit) => {
                    // What is damaged or missing here only leaves the decoder a little colder.
                    let _ = self.decoder.decode(&unit.data, &mut self.decoded);
                    self.decoded.clear();
                    unit.end()
                }
                Taken::Missing { duration } => at + duration,
            };
        }
    }

    fn play(
        &mut self,
        stock: &mut Stock,
        due: MediaTime,
        (at, wanted): (MonoTime, MonoTime),
        unit: Unit,
    ) {
        let channels = usize::from(self.format.channels);
        let correction = self.alignment.correct(due, unit.media_time, self.format.rate);
        if let Correction::Fill(frames) = correction {
            self.conceal(frames);
        }
        let begin = self.decoded.len();
        match self.decoder.decode(&unit.data, &mut self.decoded) {
            Ok(1..) => {
                self.payload += unit.data.len() as u64;
                self.tail = MediaTime::ZERO;
                stock.on_played(&unit, due, (at, wanted));
            }
            // Empty, or damaged on the way, and yet well-formed RTP: as good as lost.
            Ok(0) | Err(_) => {
                stock.on_damaged(&unit);
                self.conceal_for(unit.duration);
            }
        }
        if let Correction::Drop(frames) = correction {
            let end = (begin + frames * channels).min(self.decoded.len());
            self.decoded.drain(begin..end);
        }
    }

    fn conceal_for(&mut self, duration: MediaTime) {
        self.conceal(duration.ticks(self.format.rate).max(1) as usize);
    }

    fn conceal(&mut self, frames: usize) {
        self.decoder.conceal(frames, &mut self.decoded);
        self.note_concealed(MediaTime::from_ticks(frames as i64, self.format.rate));
    }

    /// The largest skew against the presentation that was let stand, in samples.
    pub(super) fn largest_skew(&self) -> u64 {
        self.alignment.largest().unsigned_abs()
    }
}
