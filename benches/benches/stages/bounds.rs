//! The bounds of ten minutes: what a matrix pays for each of its cells.

use std::time::Duration;

use cantus_bench::bound::{Frames, Unit, WINDOW, playout_within, repair};
use cantus_bench::link::LinkSpec;
use cantus_qos::time::MonoTime;
use divan::Bencher;

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Ten minutes of units, of which one, or ten, in a hundred may be late.
#[divan::bench(args = [300, 3_000], sample_count = 10, sample_size = 1)]
fn playout_bound(bencher: Bencher<'_, '_>, late: usize) {
    let units: Vec<Unit> = (0..30_000u64)
        .map(|number| {
            let sent = MonoTime::from_millis(20 * number);
            // Scattered between 40 and 104 ms.
            let delay = 40_000 + number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 64_000;
            Unit { sent, available: Some(sent + Duration::from_micros(delay)) }
        })
        .collect();
    bencher.bench_local(|| playout_within(&units, late, WINDOW));
}

/// With 84 % to spend at 200 ms.
#[divan::bench(args = ["bursty", "heavy", "bad-t"], sample_count = 3, sample_size = 1)]
fn repair_bound(bencher: Bencher<'_, '_>, name: &str) {
    let link = LinkSpec::named(name).expect("a standing link");
    let frames = Frames::opus(TEN_MINUTES);
    bencher.bench_local(|| repair(&link, 1, frames, 0.84, Duration::from_millis(200)));
}
