//! Noise as low as the background of a sound, where the sound is missing for long.

use std::collections::VecDeque;

use super::fade::falling;
use crate::payload::AudioFormat;

/// Fills long outages with noise of the level and the tilt of the background that was heard before.
///
/// Where a sound breaks off, so does the room around it, and a listener takes that for the end of
/// the line. So, as the made-up sound fades, noise comes up in its place, by 120 ms into an outage,
/// and gives way within 5 ms when the sound is back. Shorter losses get none.
///
/// The background is the quietest 20 ms of the last three seconds of sound: what is heard in its
/// pauses. Its level and the correlation of neighbouring samples are those of the noise, which is
/// comfort noise by RFC 3389 with a model of first order, made up here and not sent. Where there was
/// no pause the background is not known, and the noise no louder than 50 dB below full scale. Where
/// pauses are silent, so are outages.
#[derive(Clone, Debug)]
pub struct ComfortNoise {
    channels: usize,
    spans: Spans,
    /// Of each piece of sound of late.
    backgrounds: VecDeque<Background>,
    /// What was known of it when the sound broke off.
    background: Background,
    /// Frames since the sound broke off, and since it came back.
    outage: usize,
    returned: usize,
    /// The noise of each channel, before its level.
    noise: Vec<f32>,
    random: u32,
}

/// Level and tilt of a piece of sound.
#[derive(Copy, Clone, Debug, Default)]
struct Background {
    /// Root mean square.
    level: f32,
    /// The correlation of a sample with the next.
    tilt: f32,
}

/// In frames.
#[derive(Copy, Clone, Debug)]
struct Spans {
    piece: usize,
    /// The noise begins to rise here …
    begin: usize,
    /// … over this span, …
    rise: usize,
    /// … and falls over this when sound is back.
    fall: usize,
    /// So long after an outage sound may still be rising: it tells nothing of the background.
    rising: usize,
}

impl ComfortNoise {
    /// Pieces of sound among which the quietest is looked for: three seconds.
    const PIECES: usize = 150;
    /// 50 dB below full scale.
    const LOUDEST: f32 = 0.003_16;
    /// More of a tilt would be a hum.
    const STEEPEST: f32 = 0.98;

    /// No background yet.
    pub fn new(format: AudioFormat) -> Self {
        let millis = |span: usize| (format.rate.hz() as usize * span / 1_000).max(1);
        let channels = usize::from(format.channels.max(1));
        Self {
            channels,
            spans: Spans {
                piece: millis(20),
                begin: millis(60),
                rise: millis(60),
                fall: millis(5),
                rising: millis(40),
            },
            backgrounds: VecDeque::new(),
            background: Background::default(),
            outage: 0,
            returned: millis(40),
            noise: vec![0.0; channels],
            random: 1,
        }
    }

    /// A block of sound. What is left of the noise gives way to it; otherwise it is untouched.
    pub fn heard(&mut self, block: &mut [f32]) {
        let frames = block.len() / self.channels;
        if self.returned >= self.spans.rising {
            self.learn(block);
        } else {
            let level = self.level(self.outage);
            let left = self.spans.fall.saturating_sub(self.returned).min(frames);
            for frame in 0..if level > 0.0 { left } else { 0 } {
                let level = level * falling(self.returned + frame, self.spans.fall);
                let begin = frame * self.channels;
                self.add(level, &mut block[begin..begin + self.channels]);
            }
        }
        self.returned = self.returned.saturating_add(frames);
    }

    /// A block that was made up, for want of sound: noise comes on top of it.
    pub fn made_up(&mut self, block: &mut [f32]) {
        if self.returned > 0 {
            (self.outage, self.returned) = (0, 0);
            self.background = self.quietest();
        }
        for frame in block.chunks_exact_mut(self.channels) {
            self.outage = self.outage.saturating_add(1);
            let level = self.level(self.outage);
            if level > 0.0 {
                self.add(level, frame);
            }
        }
    }

    /// Forgets what was heard, as after a seek.
    pub fn reset(&mut self) {
        self.backgrounds.clear();
        self.background = Background::default();
        (self.outage, self.returned) = (0, self.spans.rising);
    }

    fn learn(&mut self, block: &[f32]) {
        for piece in block.chunks_exact(self.spans.piece * self.channels) {
            if self.backgrounds.len() == Self::PIECES {
                self.backgrounds.pop_front();
            }
            self.backgrounds.push_back(Background::of(piece, self.channels));
        }
    }

    fn quietest(&self) -> Background {
        let all = self.backgrounds.iter().copied();
        all.min_by(|one, other| one.level.total_cmp(&other.level)).unwrap_or_default()
    }

    /// The level of the noise so long after the sound broke off.
    fn level(&self, outage: usize) -> f32 {
        let risen = outage.saturating_sub(self.spans.begin);
        if risen == 0 {
            return 0.0;
        }
        (1.0 - falling(risen, self.spans.rise)) * self.background.level.min(Self::LOUDEST)
    }

    /// Adds the next frame of noise.
    fn add(&mut self, level: f32, frame: &mut [f32]) {
        let tilt = self.background.tilt;
        let fresh = (1.0 - tilt * tilt).sqrt();
        for (noise, sample) in self.noise.iter_mut().zip(frame) {
            // A linear congruence (Knuth) is random enough for noise; its upper bits are the best.
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let uniform = (self.random >> 8) as f32 / 8_388_608.0 - 1.0;
            let white = uniform * 3.0_f32.sqrt();
            *noise = tilt * *noise + fresh * white;
            *sample += level * *noise;
        }
    }
}

impl Background {
    fn of(piece: &[f32], channels: usize) -> Self {
        let energy: f32 = piece.iter().map(|sample| sample * sample).sum();
        let next = piece.iter().skip(channels);
        let common: f32 = piece.iter().zip(next).map(|(one, next)| one * next).sum();
        let level = (energy / piece.len().max(1) as f32).sqrt();
        let tilt = if energy > 0.0 { common / energy } else { 0.0 };
        Self { level, tilt: tilt.clamp(0.0, ComfortNoise::STEEPEST) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playout::signals::{MONO, noise, rms, speech};

    const UNIT: usize = 960;

    /// Speech with pauses of half a second, in a room with noise of this amplitude.
    fn spoken(room: f32) -> Vec<f32> {
        let room = noise(3, room, 4 * 48_000);
        let spoken = speech(120.0, 0.5, room.len()).into_iter().enumerate();
        let spoken = spoken.map(|(at, sample)| if at / 24_000 % 2 == 0 { sample } else { 0.0 });
        spoken.zip(room).map(|(sample, room)| sample + room).collect()
    }

    /// What fills `millis` in which nothing comes, after `sound`.
    fn outage(sound: &[f32], millis: usize) -> (ComfortNoise, Vec<f32>) {
        let mut comfort = ComfortNoise::new(MONO);
        for block in sound.chunks_exact(UNIT) {
            let mut heard = block.to_vec();
            comfort.heard(&mut heard);
            assert_eq!(heard, block, "what follows no outage is untouched");
        }
        let mut made_up = vec![0.0; 48 * millis];
        made_up.chunks_mut(480).for_each(|block| comfort.made_up(block));
        (comfort, made_up)
    }

    #[test]
    fn an_outage_sounds_as_the_pauses_did() {
        for room in [0.000_3, 0.001, 0.004] {
            let (_, made_up) = outage(&spoken(room), 3_000);
            let level = rms(&made_up[9_600..]);
            let background = room / 3.0_f32.sqrt();
            assert!((0.8..1.25).contains(&(level / background)), "{level} {background}");
        }
    }

    #[test]
    fn a_dull_room_makes_dull_noise() {
        let mut room = noise(3, 0.02, 3 * 48_000);
        let mut dull = 0.0;
        for sample in &mut room {
            dull = 0.95 * dull + 0.05 * *sample;
            *sample = dull;
        }
        let (_, made_up) = outage(&room, 1_000);
        let tilt = |sound: &[f32]| Background::of(sound, 1).tilt;
        assert!((tilt(&made_up[9_600..]) - tilt(&room)).abs() < 0.04);
    }

    #[test]
    fn noise_is_never_loud_and_silent_pauses_make_silent_outages() {
        let (_, made_up) = outage(&speech(120.0, 0.9, 3 * 48_000), 1_000);
        assert!(rms(&made_up) <= ComfortNoise::LOUDEST);
        let (_, made_up) = outage(&spoken(0.0), 3_000);
        assert!(made_up.iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn short_losses_get_no_noise_and_it_ends_soon_after_the_sound_is_back() {
        let (_, made_up) = outage(&spoken(0.004), 60);
        assert!(made_up.iter().all(|sample| *sample == 0.0));
        let (mut comfort, _) = outage(&spoken(0.004), 1_000);
        let mut back = vec![0.0; UNIT];
        comfort.heard(&mut back);
        assert!(rms(&back[..120]) > 0.0 && back[240..].iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn what_rises_after_an_outage_is_not_taken_for_a_pause() {
        let (mut comfort, _) = outage(&spoken(0.004), 1_000);
        let before = comfort.quietest().level;
        for _ in 0..2 {
            comfort.heard(&mut vec![0.000_1; UNIT]);
        }
        assert_eq!(comfort.quietest().level, before);
    }
}
