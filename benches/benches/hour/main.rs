//! An hour of streaming across `bursty` in virtual time, on one core.
//!
//! ```sh
//! cargo bench -p cantus-bench --bench hour
//! ```
//!
//! Encoding comes before and does not count: a matrix encodes once and plays often.

#[path = "../stages/clock.rs"]
mod clock;

use std::time::Duration;

use cantus_bench::sim::{Media, Scenario, run};
use cantus_player::wish::Carrier;

use clock::measure;

const HOUR: Duration = Duration::from_secs(3_600);
/// What is played in a test.
const MOMENT: Duration = Duration::from_secs(2);

fn main() {
    let length = if std::env::args().any(|argument| argument == "--bench") { HOUR } else { MOMENT };
    let media = Media::synthetic(length).expect("room for the sound in the temporary directory");
    println!("{} s across bursty at 200 ms, Opus, on one core", length.as_secs());
    let link = || "bursty".parse().expect("a standing link");
    // The encoder has a thread of its own; what is played a first time waits for it.
    let first = Scenario::new(link(), Media::SYNTHETIC, Carrier::Udp);
    let first = Scenario { length: Some(cantus_qos::time::MediaTime::from_millis(20)), ..first };
    run(&media, &first).expect("a session");
    for (name, carrier) in [("udp", Carrier::Udp), ("quic", Carrier::Quic)] {
        let scenario = Scenario::new(link(), Media::SYNTHETIC, carrier);
        let mut completed = false;
        let time =
            measure(|| completed = run(&media, &scenario).expect("a session").is_completed());
        assert!(completed, "{name} did not get to the end");
        println!("{name:>5}: {:.2} s", time.as_secs_f64());
    }
}
