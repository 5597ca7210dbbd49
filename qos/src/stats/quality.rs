//! How good a stream sounded, estimated.
//!
//! The E-model adds up, on one scale, what impairs speech on its way, and says what listeners would
//! think of it. Here it is that of full-band speech (ITU-T G.107.2, 03/2023): no impairment at all
//! is a rating of 148, and
//!
//! ```text
//! R = 148 - Idd - Ie,eff
//! Ie,eff = Ie + (132 - Ie) Ppl / (Ppl / BurstR + Bpl)
//! Idd = 1.48 · 25 ((1 + X^6)^(1/6) - 3 (1 + (X/3)^6)^(1/6) + 2),  X = log2(Ta / 100 ms), 0 up to there
//! ```
//!
//! with Ppl the per cent of the sound that had to be made up, BurstR how much longer its runs are
//! than those of independent losses (G.107, clause 7.5), and Ta from mouth to ear. Nothing is known
//! of loudness, noise and echo, which are set to harm nothing.
//!
//! What a codec does is in two numbers, its impairment Ie and its robustness Bpl. For Opus there are
//! none by the ITU; these are those of Alahmadi, Pocta and Melvin ("An adaptive bitrate switching
//! algorithm for speech applications in context of WebRTC", ACM TOMM 17(4), 2021), measured with
//! speech at a constant bit rate of 16 to 40 kbit/s a channel, with random losses. Beyond 40 kbit/s
//! nothing was published: there the impairment is taken to fall as the rate rises. Linear sound has
//! no impairment, and is given the robustness of the best Opus; its concealment is of the same kind.
//!
//! It is an estimate, of speech, and by numbers that were meant for planning: good for comparing
//! sessions, and no substitute for ears.

use std::time::Duration;

use super::report::Mos;
use crate::quantity::Bitrate;

/// A transmission that harms nothing.
const UNHARMED: f64 = 148.0;

/// What losses can harm at the most.
const MOST_BY_LOSS: f64 = 132.0;

/// From the scale of full-band speech to that of the telephone, which opinions are known for
/// (G.107.2, Annex A).
const SCALE: f64 = 1.48;

/// Delays up to this are not noticed by those who talk with each other.
const UNNOTICED: Duration = Duration::from_millis(100);

/// Bit rate of one channel in kbit/s, impairment, robustness.
const OPUS: [(f64, f64, f64); 9] = [
    (16.0, 36.9, 13.3),
    (19.0, 29.6, 10.7),
    (22.0, 23.4, 10.0),
    (25.0, 22.6, 10.6),
    (28.0, 23.7, 11.7),
    (31.0, 21.7, 11.5),
    (34.0, 20.6, 11.8),
    (37.0, 16.2, 10.6),
    (40.0, 15.9, 11.4),
];

/// How the sound was encoded.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum Encoding {
    /// Linear samples.
    Linear,
    /// Opus, at so much a channel.
    Opus(Bitrate),
}

impl Encoding {
    /// Impairment and robustness.
    fn factors(self) -> (f64, f64) {
        let (slowest, fastest) = (OPUS[0], OPUS[OPUS.len() - 1]);
        let Self::Opus(bitrate) = self else { return (0.0, fastest.2) };
        let kbps = bitrate.as_bps() as f64 / 1e3;
        if kbps <= slowest.0 {
            return (slowest.1, slowest.2);
        }
        let steps = OPUS.iter().zip(&OPUS[1..]);
        for ((from, ie, bpl), (to, next_ie, next_bpl)) in steps {
            if kbps <= *to {
                let way = (kbps - from) / (to - from);
                return (ie + way * (next_ie - ie), bpl + way * (next_bpl - bpl));
            }
        }
        (fastest.1 * fastest.0 / kbps, fastest.2)
    }
}

/// What became of the sound on its way.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Passage {
    /// How it was encoded.
    pub encoding: Encoding,
    /// Units that should have been heard.
    pub units: u64,
    /// Units of these that were not heard at all: sound was made up in their place.
    pub unheard: u64,
    /// How many runs these came in.
    pub runs: u64,
    /// From mouth to ear, where that matters: nobody talks back to what is stored.
    pub delay: Option<Duration>,
}

impl Passage {
    /// The transmission rating R, 0 or less (useless) to 148 (unharmed).
    pub fn rating(&self) -> f64 {
        let (ie, bpl) = self.encoding.factors();
        let lost = self.lost_per_cent();
        let by_loss = (MOST_BY_LOSS - ie) * lost / (lost / self.burst_ratio() + bpl);
        UNHARMED - self.delay.map_or(0.0, by_delay) - ie - by_loss
    }

    /// The mean opinion score, 1 (bad) to 4.5 (nobody likes everything); `None` where there was
    /// nothing to hear.
    pub fn mos(&self) -> Option<Mos> {
        let codec = match self.encoding {
            Encoding::Linear => "linear".to_owned(),
            Encoding::Opus(bitrate) => format!("Opus {bitrate}"),
        };
        let model = format!("E-model, G.107.2, estimated; {codec}");
        (self.units > 0).then(|| Mos { value: opinion(self.rating()), model })
    }

    fn lost_per_cent(&self) -> f64 {
        100.0 * self.unheard.min(self.units) as f64 / self.units.max(1) as f64
    }

    /// How much longer the runs are than if units were lost independently; losses that are spread
    /// more evenly than chance would are no better than by chance.
    fn burst_ratio(&self) -> f64 {
        let length = self.unheard as f64 / self.runs.max(1) as f64;
        let by_chance = 1.0 / (1.0 - self.lost_per_cent() / 100.0);
        (length / by_chance).max(1.0)
    }
}

/// Idd.
fn by_delay(delay: Duration) -> f64 {
    if delay <= UNNOTICED {
        return 0.0;
    }
    let x = (delay.as_secs_f64() / UNNOTICED.as_secs_f64()).log2();
    let sixth = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    SCALE * 25.0 * (sixth(x) - 3.0 * sixth(x / 3.0) + 2.0)
}

/// What listeners think of a rating (G.107, Annex B), rounded to a thousandth.
fn opinion(rating: f64) -> f64 {
    let rating = (rating / SCALE).clamp(0.0, 100.0);
    let score = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
    (score.max(1.0) * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLEAN: Passage =
        Passage { encoding: Encoding::Linear, units: 1_000, unheard: 0, runs: 0, delay: None };

    fn score(passage: Passage) -> f64 {
        passage.mos().map_or(f64::NAN, |mos| mos.value)
    }

    fn opus(kbps: u64) -> Encoding {
        Encoding::Opus(Bitrate::from_kbps(kbps))
    }

    fn assert_near(found: f64, expected: f64, by: f64) {
        assert!((found - expected).abs() <= by, "{found} is not {expected}");
    }

    #[test]
    fn opinions_are_those_of_the_recommendation() {
        // G.107, Table B.1.
        for (rating, expected) in
            [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)]
        {
            assert_near(opinion(rating * SCALE), expected, 0.01);
        }
        assert_eq!((opinion(148.0), opinion(-20.0)), (4.5, 1.0));
    }

    #[test]
    fn delay_harms_from_a_tenth_of_a_second_on() {
        let by = |ms| by_delay(Duration::from_millis(ms)) / SCALE;
        assert_eq!((by(0), by(100)), (0.0, 0.0));
        assert_near(by(200), 3.04, 0.01);
        assert_near(by(400), 24.07, 0.01);
    }

    #[test]
    fn what_is_linear_and_whole_is_as_good_as_it_gets() {
        assert_eq!(score(CLEAN), 4.5);
        assert_eq!(Passage { units: 0, ..CLEAN }.mos(), None);
    }

    #[test]
    fn opus_is_as_it_was_measured_and_ever_better_beyond() {
        let rating = |kbps| Passage { encoding: opus(kbps), ..CLEAN }.rating();
        assert_eq!((rating(16), rating(40)), (148.0 - 36.9, 148.0 - 15.9));
        assert_eq!(rating(6), rating(16), "worse was not measured here");
        let rates = [40, 48, 64, 96, 128, 192, 256].map(rating);
        assert!(rates.is_sorted() && rates[6] < 148.0, "{rates:?}");
        assert_near(score(Passage { encoding: opus(96), ..CLEAN }), 4.45, 0.01);
    }

    #[test]
    fn half_the_harm_is_done_where_as_much_is_lost_as_the_codec_withstands() {
        let passage = Passage { encoding: opus(16), unheard: 133, runs: 133, ..CLEAN };
        assert_near(passage.rating(), 148.0 - 36.9 - (132.0 - 36.9) / 2.0, 0.01);
    }

    proptest! {
        #[test]
        fn more_loss_longer_runs_and_more_delay_never_sound_better(
            kbps in 1u64..300,
            unheard in 0u64..=999,
            more in 0u64..=999,
            runs in 1u64..=999,
            fewer in 1u64..=999,
            ms in 0u64..2_000,
            later in 0u64..2_000,
        ) {
            let at = |unheard: u64, length: u64, ms| {
                let runs = unheard.div_ceil(length);
                let delay = Some(Duration::from_millis(ms));
                Passage { encoding: opus(kbps), units: 1_000, unheard, runs, delay }.rating()
            };
            // Runs of one length: what changes is the loss alone.
            let (less, most) = (unheard.min(more), unheard.max(more));
            prop_assert!(at(most, 1, ms) <= at(less, 1, ms) + 1e-9);
            prop_assert!(at(unheard, runs.max(fewer), ms) <= at(unheard, runs.min(fewer), ms) + 1e-9);
            prop_assert!(at(unheard, 1, ms.max(later)) <= at(unheard, 1, ms.min(later)) + 1e-9);
        }
    }
}
