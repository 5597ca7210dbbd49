//! Sound into a WAV file, 16 bits a sample.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cantus_qos::payload::AudioFormat;
use hound::{SampleFormat, WavSpec, WavWriter};

use super::{AudioSink, SinkError};

/// Between two updates of the header: a player that is killed loses no more than this.
const SECONDS_BETWEEN_HEADERS: u32 = 2;
/// A RIFF chunk tells its length in 32 bits; the header has 44 bytes, 8 of which do not count.
const MOST_BYTES: u64 = u32::MAX as u64 - 36;
const BYTES_PER_SAMPLE: u64 = 2;

/// Writes what is heard into a WAV file.
///
/// Samples that were 16-bit integers divided by 32,768 come out as the same integers. Every
/// `write` goes through to the system, without a buffer of our own: so the file is whole up to
/// the sample where a disk ran full, and its header can still be set right.
#[derive(Debug)]
pub struct Wav<W: Write + Seek = File> {
    file: PathBuf,
    format: AudioFormat,
    /// `None` when the file is finished.
    writer: Option<Writer<W>>,
    bytes: u64,
    most_bytes: u64,
    frames_since_header: u32,
}

/// hound's writer has no `Debug` of its own.
struct Writer<W: Write + Seek>(WavWriter<W>);

impl<W: Write + Seek> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Writer").field(&self.0.spec()).finish()
    }
}

impl Wav {
    /// Makes `file`, or empties it if it is there.
    ///
    /// # Errors
    ///
    /// [`SinkError::File`] if it cannot be made or not even take a header.
    pub fn create(file: &Path, format: AudioFormat) -> Result<Self, SinkError> {
        let output = File::create(file)
            .map_err(|cause| SinkError::File { file: file.to_path_buf(), cause })?;
        Self::to(output, file, format)
    }
}

impl<W: Write + Seek> Wav<W> {
    /// Writes to `output`, which errors call `file`.
    ///
    /// # Errors
    ///
    /// [`SinkError::File`] if `output` cannot take a header.
    pub fn to(output: W, file: &Path, format: AudioFormat) -> Result<Self, SinkError> {
        let spec = WavSpec {
            channels: u16::from(format.channels),
            sample_rate: format.rate.hz(),
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let file = file.to_path_buf();
        let writer = WavWriter::new(output, spec)
            .and_then(|mut writer| writer.flush().map(|()| writer))
            .map_err(|error| named(&file, error))?;
        Ok(Self {
            file,
            format,
            writer: Some(Writer(writer)),
            bytes: 0,
            most_bytes: MOST_BYTES,
            frames_since_header: 0,
        })
    }

    /// Counts `frames` more; `true` every few seconds of sound.
    fn header_is_due(&mut self, frames: usize) -> bool {
        self.frames_since_header = self.frames_since_header.saturating_add(frames as u32);
        let due = self.frames_since_header >= SECONDS_BETWEEN_HEADERS * self.format.rate.hz();
        if due {
            self.frames_since_header = 0;
        }
        due
    }

    fn append(writer: &mut WavWriter<W>, samples: &[f32], header: bool) -> hound::Result<()> {
        let mut batch = writer.get_i16_writer(samples.len() as u32);
        samples.iter().for_each(|&sample| batch.write_sample(to_i16(sample)));
        batch.flush()?;
        if header { writer.flush() } else { Ok(()) }
    }
}

impl<W: Write + Seek + Send> AudioSink for Wav<W> {
    fn format(&self) -> AudioFormat {
        self.format
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), SinkError> {
        let bytes = self.bytes + samples.len() as u64 * BYTES_PER_SAMPLE;
        if self.writer.is_some() && bytes > self.most_bytes {
            self.finish()?;
            return Err(SinkError::Length { file: self.file.clone() });
        }
        let header = self.header_is_due(samples.len() / usize::from(self.format.channels));
        let Writer(writer) = self.writer.as_mut().ok_or(SinkError::Finished)?;
        if let Err(error) = Self::append(writer, samples, header) {
            // The first error is the one to tell. The header lies within the file: it can be
            // written where nothing can be appended.
            let _ = self.finish();
            return Err(named(&self.file, error));
        }
        self.bytes = bytes;
        Ok(())
    }

    fn wanted(&self) -> Option<usize> {
        None
    }

    fn pending(&self) -> Duration {
        Duration::ZERO
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        match self.writer.take() {
            Some(Writer(writer)) => writer.finalize().map_err(|error| named(&self.file, error)),
            None => Ok(()),
        }
    }
}

/// The inverse of `i16 / 32768`; what is louder than full scale is clipped, NaN is silence.
fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

fn named(file: &Path, error: hound::Error) -> SinkError {
    let cause = match error {
        hound::Error::IoError(cause) => cause,
        other => std::io::Error::other(other),
    };
    SinkError::File { file: file.to_path_buf(), cause }
}

#[cfg(test)]
mod tests;
