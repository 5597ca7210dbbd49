//! What the callback does: takes frames from the ring and gives the card its channels.

use cantus_qos::payload::AudioFormat;
use cpal::{FromSample, Sample};
use rtrb::Consumer;

/// Sound that breaks off, or begins again, fades over 5 ms instead of clicking.
const FADES_PER_SECOND: f32 = 200.0;

/// Reads the ring, frame by frame. When it runs dry the last frame fades to silence; what comes
/// after that rises again. As long as it does not, samples are copied as they are.
#[derive(Debug)]
pub(super) struct Feed {
    ring: Consumer<f32>,
    mono: bool,
    device_channels: usize,
    last: [f32; 2],
    level: f32,
    fade: f32,
    dry: bool,
    consumed: u64,
    underruns: u64,
}

impl Feed {
    /// Reads `format` from `ring` for a device of `device_channels` channels. Whole frames must be
    /// written to the ring at once.
    pub(super) fn new(ring: Consumer<f32>, format: AudioFormat, device_channels: usize) -> Self {
        Self {
            ring,
            mono: format.channels == 1,
            device_channels,
            last: [0.0; 2],
            level: 1.0,
            fade: FADES_PER_SECOND / format.rate.hz() as f32,
            dry: false,
            consumed: 0,
            underruns: 0,
        }
    }

    /// Frames taken from the ring so far.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Gaps with sound on both sides.
    pub(super) fn underruns(&self) -> u64 {
        self.underruns
    }

    /// Fills `out`, interleaved for the device.
    pub(super) fn fill<T: Sample + FromSample<f32>>(&mut self, out: &mut [T]) {
        for place in out.chunks_mut(self.device_channels) {
            let frame = self.next();
            spread(frame, place);
        }
    }

    fn next(&mut self) -> [f32; 2] {
        match self.pop() {
            Some(frame) => {
                // The silence before the first frame and after the last is no underrun.
                self.underruns += u64::from(self.dry);
                self.dry = false;
                self.level = (self.level + self.fade).min(1.0);
                self.last = frame;
                self.consumed += 1;
            }
            None if self.consumed > 0 => {
                self.dry = true;
                self.level = (self.level - self.fade).max(0.0);
            }
            None => {}
        }
        self.last.map(|sample| sample * self.level)
    }

    fn pop(&mut self) -> Option<[f32; 2]> {
        let left = self.ring.pop().ok()?;
        let right = if self.mono { left } else { self.ring.pop().ok()? };
        Some([left, right])
    }
}

/// One frame on the channels of a device: mixed down to one, or on the first two of many.
fn spread<T: Sample + FromSample<f32>>(frame: [f32; 2], place: &mut [T]) {
    match place {
        [only] => *only = T::from_sample((frame[0] + frame[1]) / 2.0),
        [left, right, rest @ ..] => {
            *left = T::from_sample(frame[0]);
            *right = T::from_sample(frame[1]);
            rest.fill(T::EQUILIBRIUM);
        }
        [] => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::{Producer, RingBuffer};

    fn feed(channels: u8, device_channels: usize) -> (Producer<f32>, Feed) {
        let (ring, consumer) = RingBuffer::new(48_000);
        let format = AudioFormat::new(48_000, channels).unwrap();
        (ring, Feed::new(consumer, format, device_channels))
    }

    fn played<T: Sample + FromSample<f32>>(feed: &mut Feed, samples: usize) -> Vec<T> {
        let mut out = vec![T::EQUILIBRIUM; samples];
        feed.fill(&mut out);
        out
    }

    fn biggest_step(samples: &[f32]) -> f32 {
        samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn samples_in_time_are_copied_as_they_are() {
        let (mut ring, mut feed) = feed(2, 2);
        let sound: Vec<f32> = (0..960).map(|n| n as f32 / 960.0).collect();
        ring.push_entire_slice(&sound).unwrap();
        assert_eq!(played::<f32>(&mut feed, 960), sound);
        assert_eq!((feed.consumed(), feed.underruns()), (480, 0));
    }

    #[test]
    fn silence_before_the_sound_and_after_it_is_no_underrun() {
        let (mut ring, mut feed) = feed(1, 1);
        assert_eq!(played::<f32>(&mut feed, 480), [0.0; 480]);
        ring.push_entire_slice(&[0.5; 100]).unwrap();
        assert_eq!(played::<f32>(&mut feed, 100), [0.5; 100], "the first frames do not fade in");
        played::<f32>(&mut feed, 480);
        assert_eq!((feed.consumed(), feed.underruns()), (100, 0));
    }

    #[test]
    fn an_underrun_is_counted_once_and_fades_out_and_in() {
        let (mut ring, mut feed) = feed(1, 1);
        ring.push_entire_slice(&[0.8; 100]).unwrap();
        let mut out = played::<f32>(&mut feed, 1_000);
        assert_eq!(out[999], 0.0);
        ring.push_entire_slice(&[0.8; 1_000]).unwrap();
        out.extend(played::<f32>(&mut feed, 1_000));
        assert_eq!(out[1_999], 0.8);
        assert!(biggest_step(&out) < 0.01, "{}", biggest_step(&out));
        assert_eq!((feed.consumed(), feed.underruns()), (1_100, 1));
    }

    #[test]
    fn a_short_underrun_comes_back_from_where_it_had_faded_to() {
        let (mut ring, mut feed) = feed(1, 1);
        ring.push_entire_slice(&[0.8; 10]).unwrap();
        let mut out = played::<f32>(&mut feed, 60);
        ring.push_entire_slice(&[0.8; 200]).unwrap();
        out.extend(played::<f32>(&mut feed, 200));
        assert!(biggest_step(&out) < 0.01);
        assert!(out.iter().all(|&sample| sample > 0.5));
    }

    #[test]
    fn channels_are_doubled_mixed_or_left_silent() {
        let (mut ring, mut feed_up) = feed(1, 4);
        ring.push_entire_slice(&[0.5]).unwrap();
        assert_eq!(played::<f32>(&mut feed_up, 4), [0.5, 0.5, 0.0, 0.0]);
        let (mut ring, mut feed_down) = feed(2, 1);
        ring.push_entire_slice(&[0.5, 0.25]).unwrap();
        assert_eq!(played::<f32>(&mut feed_down, 1), [0.375]);
    }

    #[test]
    fn a_card_with_integers_gets_the_integers_that_were_sent() {
        let (mut ring, mut feed) = feed(1, 1);
        let sent = [i16::MIN, -1, 0, 1, 12_345, i16::MAX];
        ring.push_entire_slice(&sent.map(|sample| f32::from(sample) / 32_768.0)).unwrap();
        assert_eq!(played::<i16>(&mut feed, 6), sent);
    }
}
