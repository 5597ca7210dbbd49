//! WAV files: what they hold, and their samples.
//!
//! `hound` decodes. What it leaves to its caller is done here: chunks of odd length are padded to
//! an even one (Multimedia Programming Interface 1.0, "RIFF"), and a file that ends too early is
//! recognised before a sample of it is read.

use super::error::{CatalogueError, WavProblem};
use super::presentation::Samples;
use cantus_qos::payload::AudioFormat;
use cantus_qos::time::{ClockRate, MediaTime};
use hound::{SampleFormat, WavReader};
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Chunks that are looked at before a file without samples is given up.
const MAX_CHUNKS: usize = 1_000;
/// The longest `fmt ` chunk that is read; WAVEFORMATEXTENSIBLE has 40 bytes.
const MAX_FORMAT_BYTES: u32 = 1_024;

type Source = BufReader<Chain<Cursor<Vec<u8>>, Take<File>>>;

/// A WAV file whose header has been read and found good.
pub(super) struct WavFile {
    path: PathBuf,
    reader: WavReader<Source>,
    format: AudioFormat,
}

/// Sample formats that are served.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Depth {
    Int16,
    Int24,
    Int32,
    Float32,
}

impl WavFile {
    /// Reads the header of `file`. `path` is its name in errors.
    pub(super) fn open(file: &Path, path: &Path) -> Result<Self, CatalogueError> {
        let refuse = |failure| match failure {
            Failure::Io(source) => CatalogueError::Io { path: path.to_owned(), source },
            Failure::Wav(reason) => CatalogueError::BadWav { path: path.to_owned(), reason },
        };
        let reader = File::open(file).map_err(Failure::Io).and_then(read_header).map_err(refuse)?;
        let format = format_of(&reader).map_err(|problem| refuse(problem.into()))?;
        Ok(Self { path: path.to_owned(), reader, format })
    }

    /// Its name in errors.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn format(&self) -> AudioFormat {
        self.format
    }

    /// Sample frames in the file.
    pub(super) fn frames(&self) -> u64 {
        u64::from(self.reader.duration())
    }

    pub(super) fn duration(&self) -> MediaTime {
        // A WAV file has fewer than 2^32 frames.
        MediaTime::from_ticks(i64::from(self.reader.duration()), self.format.rate)
    }

    /// Bytes that the samples take in memory.
    pub(super) fn memory(&self) -> u64 {
        let bytes = if self.reader.spec().bits_per_sample == 16 { 2 } else { 4 };
        u64::from(self.reader.len()) * bytes
    }

    /// All samples, interleaved.
    pub(super) fn read(self) -> Result<Samples, CatalogueError> {
        let Self { path, reader, .. } = self;
        read_samples(reader).map_err(|failure| match failure {
            Failure::Io(source) => CatalogueError::Io { path, source },
            Failure::Wav(reason) => CatalogueError::BadWav { path, reason },
        })
    }
}

enum Failure {
    Io(io::Error),
    Wav(WavProblem),
}

impl From<WavProblem> for Failure {
    fn from(problem: WavProblem) -> Self {
        Self::Wav(problem)
    }
}

impl From<io::Error> for Failure {
    fn from(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::Wav(WavProblem::TruncatedHeader),
            _ => Self::Io(source),
        }
    }
}

impl From<hound::Error> for Failure {
    fn from(error: hound::Error) -> Self {
        match error {
            hound::Error::IoError(source) => source.into(),
            hound::Error::FormatError(reason) => WavProblem::Malformed(reason.to_owned()).into(),
            other => {
                WavProblem::Malformed(other.to_string().trim_end_matches('.').to_owned()).into()
            }
        }
    }
}

/// Finds format and samples, and hands `hound` a file of just these two chunks.
fn read_header(mut file: File) -> Result<WavReader<Source>, Failure> {
    let size = file.metadata()?.len();
    let mut reader = BufReader::new(&mut file);
    let (format, data_bytes) = find_chunks(&mut reader, size)?;
    let start = reader.stream_position()?;
    let (promised, present) = (u64::from(data_bytes), size.saturating_sub(start));
    if present < promised {
        return Err(WavProblem::Truncated { promised, present }.into());
    }
    file.seek(SeekFrom::Start(start))?;
    let mut header = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    header.extend((format.len() as u32).to_le_bytes());
    header.extend(format);
    header.extend(b"data");
    header.extend(data_bytes.to_le_bytes());
    let source = BufReader::new(Cursor::new(header).chain(file.take(promised)));
    Ok(WavReader::new(source)?)
}

/// The contents of the `fmt ` chunk and the length of `data`, at whose beginning `file` is left.
fn find_chunks(file: &mut BufReader<&mut File>, size: u64) -> Result<(Vec<u8>, u32), Failure> {
    if size == 0 {
        return Err(WavProblem::Empty.into());
    }
    let mut riff = Vec::with_capacity(12);
    file.by_ref().take(12).read_to_end(&mut riff)?;
    if !riff.starts_with(b"RIFF") || (riff.len() == 12 && !riff.ends_with(b"WAVE")) {
        return Err(WavProblem::NotWav.into());
    }
    let mut format = None;
    for _ in 0..MAX_CHUNKS {
        let (kind, length) = read_chunk_header(file)?;
        match &kind {
            b"data" => {
                let format = format.ok_or_else(|| malformed("no fmt chunk before the samples"))?;
                return Ok((format, length));
            }
            b"fmt " if length <= MAX_FORMAT_BYTES => {
                let mut bytes = vec![0; length as usize];
                file.read_exact(&mut bytes)?;
                file.seek_relative(i64::from(length % 2))?;
                format = Some(bytes);
            }
            _ => {
                let padded = i64::from(length) + i64::from(length % 2);
                file.seek(SeekFrom::Current(padded))?;
            }
        }
    }
    Err(malformed("no samples among its first 1000 chunks").into())
}

fn read_chunk_header(file: &mut impl Read) -> io::Result<([u8; 4], u32)> {
    let mut header = [0; 8];
    file.read_exact(&mut header)?;
    let [a, b, c, d, length @ ..] = header;
    Ok(([a, b, c, d], u32::from_le_bytes(length)))
}

fn malformed(reason: &str) -> WavProblem {
    WavProblem::Malformed(reason.to_owned())
}

fn depth_of(spec: hound::WavSpec) -> Result<Depth, WavProblem> {
    let bits = spec.bits_per_sample;
    match (spec.sample_format, bits) {
        (SampleFormat::Int, 16) => Ok(Depth::Int16),
        (SampleFormat::Int, 24) => Ok(Depth::Int24),
        (SampleFormat::Int, 32) => Ok(Depth::Int32),
        (SampleFormat::Float, 32) => Ok(Depth::Float32),
        (SampleFormat::Int, _) => Err(WavProblem::Depth { bits, kind: "integer" }),
        (SampleFormat::Float, _) => Err(WavProblem::Depth { bits, kind: "float" }),
    }
}

fn format_of(reader: &WavReader<Source>) -> Result<AudioFormat, WavProblem> {
    let spec = reader.spec();
    depth_of(spec)?;
    let channels = match spec.channels {
        1 => 1,
        2 => 2,
        channels => return Err(WavProblem::Channels { channels }),
    };
    let hz = spec.sample_rate;
    let rate = match hz {
        44_100 | 48_000 => ClockRate::new(hz),
        _ => None,
    };
    let rate = rate.ok_or(WavProblem::Rate { hz })?;
    if reader.duration() == 0 {
        return Err(WavProblem::NoSamples);
    }
    Ok(AudioFormat { rate, channels })
}

fn read_samples(reader: WavReader<Source>) -> Result<Samples, Failure> {
    // Integers of 24 and 32 bits become floats of full scale 1; 24 bits do so without loss.
    const SCALE_24: f64 = 1.0 / (1u32 << 23) as f64;
    const SCALE_32: f64 = 1.0 / (1u32 << 31) as f64;
    Ok(match depth_of(reader.spec())? {
        Depth::Int16 => Samples::Int16(collect(reader, |_, sample: i16| Ok(sample))?),
        Depth::Int24 => Samples::Float(collect(reader, |_, sample: i32| {
            Ok((f64::from(sample) * SCALE_24) as f32)
        })?),
        Depth::Int32 => Samples::Float(collect(reader, |_, sample: i32| {
            Ok((f64::from(sample) * SCALE_32) as f32)
        })?),
        Depth::Float32 => Samples::Float(collect(reader, |index, sample: f32| {
            if sample.is_finite() { Ok(sample) } else { Err(WavProblem::NotFinite { index }) }
        })?),
    })
}

/// Reads every sample straight into its shared place, so that memory never holds them twice.
fn collect<S: hound::Sample, T: Copy + Default>(
    mut reader: WavReader<Source>,
    convert: impl Fn(usize, S) -> Result<T, WavProblem>,
) -> Result<Arc<[T]>, Failure> {
    let mut shared: Arc<[T]> = std::iter::repeat_n(T::default(), reader.len() as usize).collect();
    let places = Arc::get_mut(&mut shared).into_iter().flatten().enumerate();
    for ((index, place), sample) in places.zip(reader.samples::<S>()) {
        *place = convert(index, sample?)?;
    }
    Ok(shared)
}

#[cfg(test)]
mod tests;
