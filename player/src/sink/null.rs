//! A sink that hears nothing: for measuring.

use std::time::Duration;

use cantus_qos::payload::AudioFormat;

use super::{AudioSink, SinkError};

/// Takes everything, keeps nothing, and has no clock.
#[derive(Debug, Clone)]
pub struct Null {
    format: AudioFormat,
}

impl Null {
    /// A sink for sound in `format`.
    pub fn new(format: AudioFormat) -> Self {
        Self { format }
    }
}

impl AudioSink for Null {
    fn format(&self) -> AudioFormat {
        self.format
    }

    fn write(&mut self, _samples: &[f32]) -> Result<(), SinkError> {
        Ok(())
    }

    fn wanted(&self) -> Option<usize> {
        None
    }

    fn pending(&self) -> Duration {
        Duration::ZERO
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_to_nowhere_is_heard_at_once() {
        let mut sink = Null::new(AudioFormat::OPUS_STEREO);
        sink.write(&[0.0; 1_920]).unwrap();
        assert_eq!(sink.pending(), Duration::ZERO);
        assert_eq!(sink.wanted(), None);
    }
}
