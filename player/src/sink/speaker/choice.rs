//! Which of the configurations that a sound card offers is the best for a stream.

use cantus_qos::payload::AudioFormat;
use cpal::{
    BufferSize, SampleFormat, StreamConfig, SupportedBufferSize, SupportedStreamConfigRange,
};

use crate::sink::SinkError;

/// At most so many callbacks in a second: each lasts 20 ms or a little more.
const CALLBACKS_PER_SECOND: u32 = 50;

/// The frames of one callback: a power of two.
///
/// The system buffers two of them. A sound server takes the sound in steps of its own, powers of
/// two up to 1,024 frames as PipeWire is delivered, and where two callbacks do not always hold the
/// next step it plays gaps and tells nobody: callbacks of 480 or 512 frames do so as soon as the
/// machine is busy.
fn callback_frames(rate: u32) -> u32 {
    (rate / CALLBACKS_PER_SECOND).next_power_of_two()
}

/// How the sound card is to run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) config: StreamConfig,
    pub(super) sample_format: SampleFormat,
}

impl Choice {
    /// The same, with the size of buffer left to the system.
    pub(super) fn with_default_buffer(&self) -> Self {
        let config = StreamConfig { buffer_size: BufferSize::Default, ..self.config };
        Self { config, ..self.clone() }
    }
}

/// The configuration at the rate of the stream whose channels and samples are nearest to it.
pub(super) fn choose(
    format: AudioFormat,
    offered: &[SupportedStreamConfigRange],
) -> Result<Choice, SinkError> {
    let rate = format.rate.hz();
    let playable =
        || offered.iter().filter(|range| sample_cost(range).is_some() && range.channels() > 0);
    if playable().next().is_none() {
        let reason = "it takes no samples of 16 or 32 bits".into();
        return Err(SinkError::NoSpeaker { reason });
    }
    let best = playable()
        .filter(|range| range.contains_rate(rate))
        .min_by_key(|range| (channel_cost(range, format), sample_cost(range)))
        .ok_or_else(|| SinkError::Rate { rate, offered: rates(playable()) })?;
    let config = StreamConfig {
        channels: best.channels(),
        sample_rate: rate,
        buffer_size: match *best.buffer_size() {
            SupportedBufferSize::Range { min, max } if min <= max => {
                BufferSize::Fixed(callback_frames(rate).clamp(min, max))
            }
            _ => BufferSize::Default,
        },
    };
    Ok(Choice { config, sample_format: best.sample_format() })
}

/// The channels of the stream are best, then stereo, then as few as possible.
fn channel_cost(range: &SupportedStreamConfigRange, format: AudioFormat) -> u16 {
    match range.channels() {
        same if same == u16::from(format.channels) => 0,
        2 => 1,
        other => 1 + other,
    }
}

fn sample_cost(range: &SupportedStreamConfigRange) -> Option<u8> {
    match range.sample_format() {
        SampleFormat::F32 => Some(0),
        SampleFormat::I32 => Some(1),
        SampleFormat::I16 => Some(2),
        _ => None,
    }
}

fn rates<'a>(ranges: impl Iterator<Item = &'a SupportedStreamConfigRange>) -> String {
    let mut rates: Vec<_> =
        ranges.map(|range| (range.min_sample_rate(), range.max_sample_rate())).collect();
    rates.sort_unstable();
    rates.dedup();
    let rates: Vec<_> = rates
        .into_iter()
        .map(|(low, high)| if low == high { low.to_string() } else { format!("{low} to {high}") })
        .collect();
    format!("it offers {} Hz", rates.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUFFER: SupportedBufferSize = SupportedBufferSize::Range { min: 64, max: 8_192 };

    fn range(
        channels: u16,
        low: u32,
        high: u32,
        format: SampleFormat,
    ) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(channels, low, high, BUFFER, format)
    }

    fn chosen(offered: &[SupportedStreamConfigRange], channels: u8) -> (u16, SampleFormat) {
        let choice = choose(AudioFormat::new(48_000, channels).unwrap(), offered).unwrap();
        assert_eq!(choice.config.sample_rate, 48_000);
        (choice.config.channels, choice.sample_format)
    }

    #[test]
    fn the_channels_of_the_stream_come_before_the_form_of_the_samples() {
        let offered = [
            range(8, 48_000, 48_000, SampleFormat::F32),
            range(1, 8_000, 48_000, SampleFormat::I16),
            range(2, 8_000, 96_000, SampleFormat::I16),
            range(2, 8_000, 96_000, SampleFormat::F32),
        ];
        assert_eq!(chosen(&offered, 2), (2, SampleFormat::F32));
        assert_eq!(chosen(&offered, 1), (1, SampleFormat::I16));
        assert_eq!(chosen(&offered[..1], 1), (8, SampleFormat::F32));
    }

    #[test]
    fn a_mono_stream_takes_stereo_before_more_and_stereo_takes_mono_before_many() {
        let offered = [
            range(6, 48_000, 48_000, SampleFormat::F32),
            range(2, 48_000, 48_000, SampleFormat::I16),
        ];
        assert_eq!(chosen(&offered, 1), (2, SampleFormat::I16));
        let offered = [
            range(6, 48_000, 48_000, SampleFormat::F32),
            range(1, 48_000, 48_000, SampleFormat::I16),
        ];
        assert_eq!(chosen(&offered, 2), (1, SampleFormat::I16));
    }

    #[test]
    fn a_rate_that_is_not_offered_is_an_error_that_says_what_is() {
        let offered = [
            range(2, 44_100, 44_100, SampleFormat::F32),
            range(1, 44_100, 44_100, SampleFormat::F32),
            range(2, 8_000, 32_000, SampleFormat::I16),
        ];
        let line = choose(AudioFormat::OPUS_STEREO, &offered).unwrap_err().to_string();
        assert!(line.contains("48000 Hz (it offers 8000 to 32000, 44100 Hz)"), "{line}");
        assert!(line.contains("--out wav:FILE"), "{line}");
    }

    #[test]
    fn a_card_that_offers_nothing_we_can_play_is_no_speaker() {
        for offered in [&[][..], &[range(2, 48_000, 48_000, SampleFormat::U8)]] {
            let error = choose(AudioFormat::OPUS_STEREO, offered).unwrap_err();
            assert!(matches!(error, SinkError::NoSpeaker { .. }));
            assert!(error.to_string().contains("--out wav:FILE"));
        }
    }

    #[test]
    fn callbacks_are_a_power_of_two_of_20_ms_or_as_near_as_the_card_allows() {
        let size = |min, max| {
            let buffer = SupportedBufferSize::Range { min, max };
            let offered =
                SupportedStreamConfigRange::new(2, 48_000, 48_000, buffer, SampleFormat::F32);
            choose(AudioFormat::OPUS_STEREO, &[offered]).unwrap().config.buffer_size
        };
        assert_eq!(size(64, 8_192), BufferSize::Fixed(1_024));
        assert_eq!(size(2_048, 8_192), BufferSize::Fixed(2_048));
        assert_eq!(size(64, 256), BufferSize::Fixed(256));
        assert_eq!(size(9, 8), BufferSize::Default);
        let frames = [16_000, 32_000, 44_100, 48_000, 51_200, 96_000].map(callback_frames);
        assert_eq!(frames, [512, 1_024, 1_024, 1_024, 1_024, 2_048]);
    }
}
