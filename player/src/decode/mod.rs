//! From payloads back to sound, and something in place of what never came.
//!
//! A [`Decoder`] turns the payload of one data unit into interleaved samples between -1 and 1.
//! Where a unit is missing it is asked to [`conceal`](Decoder::conceal) as many frames as the gap
//! is long: a frame is one sample of each channel, so the timeline never shifts.

mod comforted;
mod opus;
mod samples;

pub use comforted::Comforted;
pub use opus::OpusDecoder;
pub use samples::SampleDecoder;

use cantus_qos::payload::{AudioFormat, PayloadError};

/// Decodes one stream, in order of media time.
pub trait Decoder: Send {
    /// Decodes one payload and appends its samples to `out`. Returns the number of frames.
    ///
    /// # Errors
    ///
    /// If the payload is damaged; then `out` is as before and the gap is the caller's to conceal.
    fn decode(&mut self, payload: &[u8], out: &mut Vec<f32>) -> Result<usize, DecodeError>;

    /// Appends `frames` frames that hide a gap: at first an extension of what was heard, in a
    /// long outage silence.
    fn conceal(&mut self, frames: usize, out: &mut Vec<f32>);

    /// Forgets what was heard: the next payload comes from another place of the presentation.
    fn reset(&mut self);
}

/// A stream that cannot be decoded, or a payload that is damaged.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Opus runs at 48 kHz (RFC 7587, section 4.1) in one or two channels.
    #[error(
        "Opus is decoded at 48000 Hz in one or two channels, not at {} Hz in {}",
        .0.rate.hz(), .0.channels
    )]
    Format(AudioFormat),
    /// libopus refuses the payload.
    #[error("an Opus payload of {length} bytes is damaged: {reason}")]
    Opus {
        /// The length of the payload in bytes.
        length: usize,
        /// What libopus says.
        reason: &'static str,
    },
    /// libopus cannot start.
    #[error("the Opus decoder does not start: {0}")]
    Start(&'static str),
    /// The payload does not hold whole frames of this format.
    #[error(transparent)]
    Samples(#[from] PayloadError),
}
