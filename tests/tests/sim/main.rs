//! Whole sessions in virtual time.
use std::time::Duration;
use cantus_bench::sim::*;
use cantus_bench::link::LinkSpec;
use cantus_player::wish::Carrier;
use cantus_qos::spec::Protection;
use cantus_qos::spec::sdp::AudioCodec;

#[test]
fn explore() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples");
    let media = Media::open(&root).unwrap();
    for carrier in [Carrier::Udp, Carrier::Quic] {
        for codec in [AudioCodec::Opus, AudioCodec::L16] {
            for name in ["narration", "music", "sync-test", "duet"] {
                for link in ["", "delay 30ms"] {
                let scenario = Scenario { codec, ..Scenario::new(link.parse().unwrap(), name, carrier) };
                let t = std::time::Instant::now();
                let out = run(&media, &scenario).unwrap();
                let wall = t.elapsed();
                println!("{carrier:?} {codec:?} {name} [{link}]: {:?} elapsed {:?} wall {:?} cues {} left {}", out.ending, out.elapsed, wall, out.cues.len(), out.sessions_left);
                for s in &out.report.streams {
                    println!("   {} exp {} recv {} lost {} late {} conc {:?} played {:?} dup {} reord {} delay {:?}", s.name, s.expected, s.received, s.lost_network, s.late, s.concealed_ms, s.played_ms, s.duplicate, s.reordered, s.delay_ms.max);
                }
                println!("   skew {:?} {:?}", out.report.sync, out.there);
                }
            }
        }
    }
}
