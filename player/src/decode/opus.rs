//! Opus (RFC 6716), decoded by libopus.

use cantus_qos::payload::AudioFormat;
use cantus_qos::playout::StepLimit;
use cantus_qos::time::{ClockRate, MediaTime};
use opusic_c::{Channels, ErrorCode, SampleRate};

use super::{DecodeError, Decoder};

/// The longest packet: 120 ms (RFC 6716, section 3.2.5).
const LONGEST_PACKET: usize = 5_760;
/// Concealment comes in multiples of 2.5 ms ...
const STEP: usize = 120;
/// ... and in at most 60 ms, the longest frame, at once.
const LONGEST_STEP: usize = 2_880;
/// An outage is heard at full level so long: 60 ms, most losses are over by then.
const FADE_START: usize = 2_880;
/// From here on there is silence: 120 ms. After 100 ms libopus makes up noise, which says nothing
/// and sets in harder than speech does.
const FADE_END: usize = 5_760;
/// Sound that comes back after a fade rises so long: 20 ms. libopus predicts the first frame from what
/// it made up, and after an outage that is far off.
const RISE: usize = 960;

/// Decodes Opus to 48 kHz and hides gaps with libopus's own concealment, which knows pitch and
/// spectrum of what was heard; but with no step over those of the sound.
pub struct OpusDecoder {
    inner: opusic_c::Decoder,
    channels: usize,
    /// Holds one packet; here, so that decoding does not allocate.
    scratch: Vec<f32>,
    /// Concealed samples beyond the end of an odd gap, in case the gap goes on.
    ahead: Vec<f32>,
    /// Frames concealed since the last packet.
    outage: usize,
    steps: StepLimit,
}

impl OpusDecoder {
    /// How much before a place must be decoded for what is heard there to be right (RFC 7845,
    /// section 4.6).
    pub const PRE_ROLL: MediaTime = MediaTime::from_millis(80);

    /// A decoder of a stream in `format`. A stereo packet in a mono stream is mixed down, a mono
    /// packet in a stereo stream doubled, by libopus.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Format`] unless the format is 48 kHz in one or two channels.
    pub fn new(format: AudioFormat) -> Result<Self, DecodeError> {
        let channels = match format.channels {
            1 => Channels::Mono,
            2 => Channels::Stereo,
            _ => return Err(DecodeError::Format(format)),
        };
        if format.rate != ClockRate::OPUS {
            return Err(DecodeError::Format(format));
        }
        let inner = opusic_c::Decoder::new(channels, SampleRate::Hz48000)
            .map_err(|error| DecodeError::Start(error.message()))?;
        let channels = usize::from(format.channels);
        let scratch = vec![0.0; LONGEST_PACKET * channels];
        let steps = StepLimit::new(format);
        Ok(Self { inner, channels, scratch, ahead: Vec::new(), outage: 0, steps })
    }

    /// Makes up `frames` frames, a multiple of [`STEP`], behind what is in `ahead`.
    fn make_up(&mut self, mut frames: usize) {
        while frames > 0 {
            let step = frames.min(LONGEST_STEP);
            let samples = &mut self.scratch[..step * self.channels];
            // Without a packet libopus has nothing to refuse; should it do so, there is silence.
            if self.inner.decode_float_to_slice(&[], samples, false).is_err() {
                samples.fill(0.0);
            }
            self.ahead.extend_from_slice(samples);
            frames -= step;
        }
    }

    /// The level of the `outage`-th frame without a packet.
    fn level(outage: usize) -> f32 {
        match outage {
            0..FADE_START => 1.0,
            FADE_START..FADE_END => (FADE_END - outage) as f32 / (FADE_END - FADE_START) as f32,
            _ => 0.0,
        }
    }
}

impl Decoder for OpusDecoder {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<f32>) -> Result<usize, DecodeError> {
        let damaged =
            |error: ErrorCode| DecodeError::Opus { length: payload.len(), reason: error.message() };
        if payload.is_empty() {
            // libopus would take it for a loss and make something up.
            return Err(damaged(ErrorCode::InvalidPacket));
        }
        let frames =
            self.inner.decode_float_to_slice(payload, &mut self.scratch, false).map_err(damaged)?;
        let start = out.len();
        out.extend_from_slice(&self.scratch[..frames * self.channels]);
        let level = Self::level(self.outage);
        if level < 1.0 {
            for (index, frame) in out[start..].chunks_mut(self.channels).take(RISE).enumerate() {
                let gain = level + (1.0 - level) * index as f32 / RISE as f32;
                frame.iter_mut().for_each(|sample| *sample *= gain);
            }
        }
        self.steps.sound(&mut out[start..]);
        self.ahead.clear();
        self.outage = 0;
        Ok(frames)
    }

    fn conceal(&mut self, frames: usize, out: &mut Vec<f32>) {
        let audible = frames.min(FADE_END.saturating_sub(self.outage));
        let missing = audible.saturating_sub(self.ahead.len() / self.channels);
        self.make_up(missing.next_multiple_of(STEP));
        let start = out.len();
        out.extend(self.ahead.drain(..audible * self.channels));
        for (index, frame) in out[start..].chunks_mut(self.channels).enumerate() {
            let gain = Self::level(self.outage + index);
            frame.iter_mut().for_each(|sample| *sample *= gain);
        }
        out.resize(start + frames * self.channels, 0.0);
        self.steps.made_up(&mut out[start..]);
        self.outage = self.outage.saturating_add(frames);
    }

    fn reset(&mut self) {
        // OPUS_RESET_STATE cannot fail on a decoder that exists.
        let _ = self.inner.reset();
        self.steps.reset();
        self.ahead.clear();
        self.outage = 0;
    }
}

impl std::fmt::Debug for OpusDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpusDecoder")
            .field("channels", &self.channels)
            .field("outage", &self.outage)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
