//! What a listener costs: the table at the end.

use std::time::Duration;

use crate::clock::measure;
use crate::stage::Stage;

/// How long a batch is to take, about, and how many there are.
const BATCH: Duration = Duration::from_millis(10);
const BATCHES: usize = 15;

/// Prints for each stage the time of a packet, the packets that a listener has, and the share of a
/// core that it comes to.
pub(crate) fn print(stages: &[Stage]) {
    println!(
        "\n{:<44} {:>10} {:>12} {:>16}",
        "for one listener", "ns/packet", "packets/s", "of one core"
    );
    for stage in stages {
        let packet = per_packet(stage);
        let share = packet.as_secs_f64() * stage.rate;
        let (nanos, rate) = (packet.as_nanos(), stage.rate);
        println!("{:<44} {nanos:>10} {rate:>12.1} {:>14.4} %", stage.name, share * 100.0);
    }
}

/// The median over batches: what else runs on the machine disturbs some of them.
fn per_packet(stage: &Stage) -> Duration {
    let mut step = stage.prepared();
    let mut steps = 1u32;
    // Warms up, too.
    while measure(|| (0..steps).for_each(|_| step())) < BATCH && steps < 1 << 24 {
        steps *= 2;
    }
    let mut times: Vec<Duration> =
        (0..BATCHES).map(|_| measure(|| (0..steps).for_each(|_| step())) / steps).collect();
    times.sort_unstable();
    times[BATCHES / 2]
}
