//! Where in the source a stretch of the sink's sound comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::wave::{FLOOR, Wave};

/// Lags that are nearly as good as the best are as likely: the nearest of them is taken, as no
/// player jumps farther than it has to. Sound that repeats itself, such as a tone, has many.
const AS_GOOD: f64 = 0.001;

/// Correlates through the frequency domain; keeps its plans.
#[derive(Default)]
pub(super) struct Search {
    plans: BTreeMap<usize, Plan>,
}

#[derive(Clone)]
struct Plan {
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("lengths", &self.plans.keys()).finish()
    }
}

impl Search {
    /// The lag of `frames` frames of `sink` from `start` on behind `source`: frame f of the sink
    /// is most like frame f + lag of the source, within `reach` of the `expected` lag. `None`
    /// where there is nothing to be compared.
    pub(super) fn lag(
        &mut self,
        sink: Wave<'_>,
        (start, frames): (i64, i64),
        source: Wave<'_>,
        expected: i64,
        reach: i64,
    ) -> Option<i64> {
        sink.stretch(start, frames)?;
        let needle = sink.mixed(start, frames);
        let energy: f64 = needle.iter().map(|sample| f64::from(sample * sample)).sum();
        let first = (start + expected - reach).max(0);
        let end = (start + expected + reach + frames).min(source.frames());
        if energy <= FLOOR * frames as f64 || end - first < frames {
            return None;
        }
        let hay = source.mixed(first, end - first);
        let products = self.products(&needle, &hay);
        let likeness = normalised(&products, &hay, needle.len(), energy);
        let best = likeness.iter().copied().fold(f64::MIN, f64::max);
        let lag = |place: usize| first + place as i64 - start;
        (0..likeness.len())
            .filter(|place| likeness[*place] >= best - AS_GOOD)
            .map(lag)
            .min_by_key(|lag| (lag - expected).abs())
    }

    /// The sum of products of `needle` with `hay`, for each place at which it lies wholly within.
    fn products(&mut self, needle: &[f32], hay: &[f32]) -> Vec<f32> {
        let length = hay.len().next_power_of_two();
        let Plan { forward, backward } = self.plan(length);
        let spectrum = |sound: &[f32]| {
            let mut padded = sound.to_vec();
            padded.resize(length, 0.0);
            let mut spectrum = forward.make_output_vec();
            forward.process(&mut padded, &mut spectrum).expect("buffers of the plan's length");
            spectrum
        };
        let (needle_spectrum, hay_spectrum) = (spectrum(needle), spectrum(hay));
        let mut product: Vec<Complex<f32>> =
            needle_spectrum.iter().zip(&hay_spectrum).map(|(n, h)| n.conj() * h).collect();
        // What a real signal has no phase for.
        if let Some(first) = product.first_mut() {
            first.im = 0.0;
        }
        if let Some(last) = product.last_mut() {
            last.im = 0.0;
        }
        let mut products = backward.make_output_vec();
        backward.process(&mut product, &mut products).expect("buffers of the plan's length");
        products.truncate(hay.len() - needle.len() + 1);
        let scale = 1.0 / length as f32;
        products.iter_mut().for_each(|product| *product *= scale);
        products
    }

    fn plan(&mut self, length: usize) -> Plan {
        let plan = self.plans.entry(length).or_insert_with(|| {
            let mut planner = RealFftPlanner::new();
            let (forward, backward) =
                (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
            Plan { forward, backward }
        });
        plan.clone()
    }
}

/// From sums of products to correlations between -1 and 1.
fn normalised(products: &[f32], hay: &[f32], window: usize, energy: f64) -> Vec<f64> {
    let square = |sample: f32| f64::from(sample) * f64::from(sample);
    let mut under: f64 = hay[..window].iter().map(|sample| square(*sample)).sum();
    let mut likeness = Vec::with_capacity(products.len());
    for (place, product) in products.iter().enumerate() {
        let floor = FLOOR * window as f64;
        likeness.push(f64::from(*product) / (energy * under.max(floor)).sqrt());
        if let Some(next) = hay.get(place + window) {
            under += square(*next) - square(hay[place]);
        }
    }
    likeness
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn noise(frames: usize) -> Vec<f32> {
        let mut luck = ChaCha8Rng::seed_from_u64(3);
        (0..frames).map(|_| luck.random_range(-0.5..0.5)).collect()
    }

    #[test]
    fn a_stretch_is_found_where_it_comes_from() {
        let source = noise(20_000);
        let mut search = Search::default();
        for lag in [-700, -1, 0, 1, 555, 4_000] {
            let sink: Vec<f32> =
                (0..8_000).map(|n| source[(5_000 + n + lag) as usize] * 0.8).collect();
            let (sink, source) = (Wave::new(&sink, 1), Wave::new(&source, 1));
            let found = search.lag(sink, (3_000, 960), source, 5_000, 4_500);
            assert_eq!(found, Some(5_000 + lag));
        }
    }

    #[test]
    fn of_equally_good_places_the_nearest_is_taken_and_silence_has_none() {
        let tone: Vec<f32> = (0..9_600).map(|n| (n as f32 * 0.1).sin()).collect();
        let wave = Wave::new(&tone, 1);
        let mut search = Search::default();
        assert_eq!(search.lag(wave, (4_000, 960), wave, 3, 1_000), Some(0));
        let silence = [0.0; 9_600];
        assert_eq!(search.lag(Wave::new(&silence, 1), (4_000, 960), wave, 0, 1_000), None);
    }
}
