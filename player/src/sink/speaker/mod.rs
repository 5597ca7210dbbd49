//! Sound out of the machine.
//!
//! The system calls back from a thread of its own whenever it has room for samples, and must be
//! answered at once. So the two threads share a ring ([`Feed`] reads it) and a few counters, and
//! neither ever waits for the other. The callback neither locks nor allocates.

mod choice;
mod clock;
mod feed;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cantus_qos::payload::AudioFormat;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{ErrorKind, FromSample, OutputCallbackInfo, SampleFormat, SizedSample};
use rtrb::{Producer, RingBuffer};

use super::{AudioSink, SinkError};
use choice::{Choice, choose};
use clock::Clock;
use feed::Feed;

/// The ring holds so much sound, far more than is ever wanted.
const RING: Duration = Duration::from_secs(1);
/// Beyond what the next callback takes, so much is kept in the ring: the player may wake late.
const RESERVE: Duration = Duration::from_millis(20);

/// A card that asks for nothing for so long has stopped: unplugged, or its sound server hangs.
const STALL: Duration = Duration::from_secs(5);

/// Plays on the default output of the system.
///
/// What has been *heard* is known from the time stamps of the callbacks: the frames that they have
/// consumed, less those that still lie in the buffers of the system.
pub struct Speaker {
    format: AudioFormat,
    output: Output,
    written: u64,
    finished: bool,
}

/// A running stream and our end of the ring that feeds it.
struct Output {
    ring: Producer<f32>,
    shared: Arc<Shared>,
    stream: cpal::Stream,
}

/// What the callback tells the player.
#[derive(Debug)]
struct Shared {
    /// Frames taken out of the ring.
    consumed: AtomicU64,
    /// Gaps in the sound because the ring ran dry.
    underruns: AtomicU64,
    /// The most frames that a callback ever asked for.
    largest_request: AtomicU64,
    /// When the last callback was, in ns of the stream's clock.
    called: AtomicI64,
    /// When frame 0 was heard or would have been, see [`Clock`].
    origin: AtomicI64,
    /// Why the stream has ended, if it has.
    failure: OnceLock<String>,
}

impl Speaker {
    /// Starts to play, silence at first.
    ///
    /// # Errors
    ///
    /// [`SinkError::NoSpeaker`] if there is nothing to play on, [`SinkError::Rate`] if it does not
    /// run at the rate of `format`. A card with another number of channels is played with those.
    pub fn open(format: AudioFormat) -> Result<Self, SinkError> {
        let output = quietly(|| Output::open(format))?;
        Ok(Self { format, output, written: 0, finished: false })
    }

    /// How often the sound broke off because nothing was written in time.
    pub fn underruns(&self) -> u64 {
        self.output.shared.underruns.load(Ordering::Relaxed)
    }

    /// Whether the card has failed, or has taken nothing for so long that it will not go on.
    fn has_stopped(&self) -> bool {
        let shared = &self.output.shared;
        let called = shared.called.load(Ordering::Relaxed);
        let now = clock::nanos(self.output.stream.now());
        shared.failure.get().is_some() || now.saturating_sub(called) > STALL.as_nanos() as i64
    }

    /// Frames whose sound has left the sound card.
    pub fn heard(&self) -> u64 {
        let shared = &self.output.shared;
        let origin = shared.origin.load(Ordering::Relaxed);
        let consumed = shared.consumed.load(Ordering::Relaxed);
        let now = clock::nanos(self.output.stream.now());
        clock::heard(origin, now, self.format.rate).min(consumed)
    }
}

impl AudioSink for Speaker {
    fn format(&self) -> AudioFormat {
        self.format
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), SinkError> {
        if self.has_stopped() {
            let failure = self.output.shared.failure.get();
            let reason = failure.map_or("it takes no more sound", String::as_str);
            return Err(SinkError::Speaker(reason.to_owned()));
        }
        if self.finished {
            return Err(SinkError::Finished);
        }
        let channels = usize::from(self.format.channels);
        self.output.ring.push_entire_slice(samples).map_err(|_| SinkError::Room {
            room: self.output.ring.slots() / channels,
            written: samples.len() / channels,
        })?;
        self.written += (samples.len() / channels) as u64;
        Ok(())
    }

    fn wanted(&self) -> Option<usize> {
        let shared = &self.output.shared;
        let waiting = self.written - shared.consumed.load(Ordering::Relaxed).min(self.written);
        let request = shared.largest_request.load(Ordering::Relaxed);
        let level = request + frames_in(RESERVE, self.format) as u64;
        let wanted = level.saturating_sub(waiting) as usize;
        // A card that takes nothing any more wants one frame, so that `write` can tell why.
        Some(if self.has_stopped() { wanted.max(1) } else { wanted })
    }

    fn pending(&self) -> Duration {
        let frames = self.written.saturating_sub(self.heard());
        self.format.duration(frames as usize).to_duration()
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.finished = true;
        tracing::debug!(underruns = self.underruns(), "the sound ends");
        // A stream that has failed has stopped by itself, and its failure was told by `write`.
        let _ = self.output.stream.pause();
        Ok(())
    }
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Speaker")
            .field("format", &self.format)
            .field("written", &self.written)
            .field("shared", &self.output.shared)
            .finish_non_exhaustive()
    }
}

impl Output {
    fn open(format: AudioFormat) -> Result<Self, SinkError> {
        let silent = |error: cpal::Error| SinkError::NoSpeaker { reason: one_line(&error) };
        let device = cpal::default_host()
            .default_output_device()
            .ok_or_else(|| silent(ErrorKind::DeviceNotAvailable.into()))?;
        let offered: Vec<_> = device.supported_output_configs().map_err(silent)?.collect();
        let choice = choose(format, &offered)?;
        // Some systems offer a size of buffer and then refuse it.
        Self::start(&device, &choice, format)
            .or_else(|_| Self::start(&device, &choice.with_default_buffer(), format))
            .map_err(silent)
    }

    fn start(
        device: &cpal::Device,
        choice: &Choice,
        format: AudioFormat,
    ) -> Result<Self, cpal::Error> {
        let samples = frames_in(RING, format) * usize::from(format.channels);
        let (ring, consumer) = RingBuffer::new(samples);
        let feed = Feed::new(consumer, format, usize::from(choice.config.channels));
        let shared = Arc::new(Shared {
            consumed: AtomicU64::new(0),
            underruns: AtomicU64::new(0),
            largest_request: AtomicU64::new(0),
            called: AtomicI64::new(0),
            origin: AtomicI64::new(clock::UNKNOWN),
            failure: OnceLock::new(),
        });
        let stream = match choice.sample_format {
            SampleFormat::F32 => build::<f32>(device, choice, feed, format, &shared),
            SampleFormat::I16 => build::<i16>(device, choice, feed, format, &shared),
            SampleFormat::I32 => build::<i32>(device, choice, feed, format, &shared),
            _ => Err(ErrorKind::UnsupportedConfig.into()),
        }?;
        stream.play()?;
        Ok(Self { ring, shared, stream })
    }
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    choice: &Choice,
    mut feed: Feed,
    format: AudioFormat,
    shared: &Arc<Shared>,
) -> Result<cpal::Stream, cpal::Error> {
    let mut clock = Clock::new(format.rate);
    let (for_sound, for_errors) = (Arc::clone(shared), Arc::clone(shared));
    let channels = usize::from(choice.config.channels);
    let answer = move |out: &mut [T], info: &OutputCallbackInfo| {
        let before = feed.consumed();
        feed.fill(out);
        let stamp = info.timestamp();
        let requested = (out.len() / channels) as u64;
        if feed.consumed() > before {
            let (called, played) = (clock::nanos(stamp.callback), clock::nanos(stamp.playback));
            let origin = clock.on_callback(called, played, before, requested);
            for_sound.origin.store(origin, Ordering::Relaxed);
        }
        for_sound.called.store(clock::nanos(stamp.callback), Ordering::Relaxed);
        for_sound.consumed.store(feed.consumed(), Ordering::Relaxed);
        for_sound.underruns.store(feed.underruns(), Ordering::Relaxed);
        for_sound.largest_request.fetch_max(requested, Ordering::Relaxed);
    };
    let failed = move |error: cpal::Error| match error.kind() {
        // The sound goes on; an underrun of ours is counted where it happens.
        ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {
            tracing::debug!(%error, "the sound card complains");
        }
        _ => {
            // Only the first failure is kept: the others follow from it.
            let _ = for_errors.failure.set(one_line(&error));
        }
    };
    device.build_output_stream(choice.config, answer, failed, None)
}

fn frames_in(span: Duration, format: AudioFormat) -> usize {
    (span.as_micros() * u128::from(format.rate.hz()) / 1_000_000) as usize
}

/// The first sentence of what the sound system says, as a part of one line.
fn one_line(error: &cpal::Error) -> String {
    let text = error.to_string();
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    let sentence = line.split(". ").next().unwrap_or_default();
    sentence.trim_end_matches('.').to_owned()
}

/// Opens something without the lines that libasound writes to standard error where there is no
/// card: the user gets one line, from us.
#[cfg(target_os = "linux")]
fn quietly<T>(open: impl FnOnce() -> T) -> T {
    let said = alsa::Output::local_error_handler();
    let opened = open();
    if let Ok(said) = said {
        tracing::debug!(alsa = %said.borrow(), "opened the sound system");
    }
    opened
}

#[cfg(not(target_os = "linux"))]
fn quietly<T>(open: impl FnOnce() -> T) -> T {
    open()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_whole_number_of_frames() {
        assert_eq!(frames_in(RESERVE, AudioFormat::OPUS_STEREO), 960);
        assert_eq!(frames_in(RESERVE, AudioFormat::new(44_100, 1).unwrap()), 882);
    }

    #[test]
    fn what_the_system_says_fits_into_a_line_of_ours() {
        let error = cpal::Error::with_message(ErrorKind::Other, "ALSA:\n  no such card. Or two.");
        assert_eq!(one_line(&error), "ALSA: no such card");
    }
}
