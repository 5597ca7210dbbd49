//! What a packet costs at each stage, and what a listener costs in all.
//!
//! ```sh
//! cargo bench -p cantus-bench                   # everything: statistics, then the table
//! cargo bench -p cantus-bench -- 'fec'          # statistics of some stages
//! ```
//!
//! One iteration is one packet (for links: one packet through the link; for the whole receive
//! pipeline: one packet of a session, media or repair, with all that follows from it). At the end
//! stands a table with the share of one core that each stage takes for one listener.
//!
//! Noise is in all such numbers: close what else runs, and believe the fastest. On a machine whose
//! clock varies, the ratios between stages hold better than the nanoseconds.

mod bounds;
mod clock;
mod links;
mod receive;
mod sender;
mod share;
mod sound;
mod stage;

use std::sync::LazyLock;

use divan::Bencher;
use stage::Stage;

/// All stages, in the order in which a packet meets them.
static STAGES: LazyLock<Vec<Stage>> = LazyLock::new(|| {
    [sender::stages(), receive::stages(), sound::stages(), links::stages()].concat()
});

#[divan::bench(args = STAGES.iter(), sample_count = 40)]
fn packet(bencher: Bencher<'_, '_>, stage: &Stage) {
    let mut step = stage.prepared();
    bencher.bench_local(&mut *step);
}

fn main() {
    divan::main();
    // With a filter, or for a test, nobody waits for all stages.
    if std::env::args().skip(1).all(|argument| argument == "--bench") {
        share::print(&STAGES);
    }
}
