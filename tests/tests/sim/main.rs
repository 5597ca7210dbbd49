//! Whole sessions in virtual time.
use cantus_bench::sim::*;
use cantus_player::wish::*;
use cantus_qos::spec::Protection;
use cantus_qos::spec::sdp::AudioCodec;
use std::sync::LazyLock;
use std::time::Duration;

static SAMPLES: LazyLock<Media> = LazyLock::new(|| {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples");
    Media::open(&root).unwrap()
});
static LONG: LazyLock<Media> =
    LazyLock::new(|| Media::synthetic(Duration::from_secs(600)).unwrap());

#[test]
fn explore() {
    for carrier in [Carrier::Udp, Carrier::Quic] {
        for codec in [AudioCodec::Opus, AudioCodec::L16] {
            for name in ["narration", "music", "sync-test", "duet"] {
                for link in ["", "delay 30ms"] {
                let scenario = Scenario { codec, ..Scenario::new(link.parse().unwrap(), name, carrier) };
                let t = std::time::Instant::now();
                let out = run(&SAMPLES, &scenario).unwrap();
                let wall = t.elapsed();
                let bad = out.report.streams.iter().any(|s| s.lost_network > 0 || s.late > 0 || s.concealed_ms.unwrap_or(0.0) > 0.0) || !out.is_completed();
                println!("{} {carrier:?} {codec:?} {name} [{link}]: {:?} elapsed {:?} wall {:?} cues {} left {}", if bad {"BAD"} else {"ok"}, out.ending, out.elapsed, wall, out.cues.len(), out.sessions_left);
                if bad {
                for s in &out.report.streams {
                    println!("   {} exp {} recv {} lost {} late {} conc {:?} played {:?} dup {} reord {} delay {:?}", s.name, s.expected, s.received, s.lost_network, s.late, s.concealed_ms, s.played_ms, s.duplicate, s.reordered, s.delay_ms.max);
                }}
                println!("   skew {:?} {:?}", out.report.sync, out.there);
                }
            }
        }
    }
}

#[test]
fn ratios() {
    let links: Vec<String> = std::env::var("LINKS").unwrap_or("bursty,heavy,bursty-t".into()).split(',').map(str::to_owned).collect();
    let seeds: u64 = std::env::var("SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    let first: u64 = std::env::var("FIRST").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let fecs: Vec<Protection> = std::env::var("FEC").unwrap_or("auto".into()).split(',').map(|f| f.parse().unwrap()).collect();
    let carrier = if std::env::var("QUIC").is_ok() { Carrier::Quic } else { Carrier::Udp };
    let latency: u64 = std::env::var("D").ok().and_then(|s| s.parse().ok()).unwrap_or(200);
    for link in &links {
        let base = Scenario { latency: Latency::Fixed(Duration::from_millis(latency)), ..Scenario::new(link.parse().unwrap(), Media::SYNTHETIC, carrier) };
        let mut off = Vec::new();
        for seed in first..first+seeds {
            let out = run(&LONG, &base.clone().with_seed(seed).with_protection(Protection::Off)).unwrap();
            off.push(out.audio().next().unwrap().residual.unwrap());
        }
        let mean_off = off.iter().sum::<f64>() / off.len() as f64;
        println!("{link} off {mean_off:.5} {off:.5?}");
        for fec in &fecs {
            let t = std::time::Instant::now();
            let mut on = Vec::new(); let mut share = 0.0f64; let mut late = 0; let mut cues = Vec::new(); let mut maxd = 0.0f64;
            for seed in first..first+seeds {
                let out = run(&LONG, &base.clone().with_seed(seed).with_protection(*fec)).unwrap();
                let a = out.audio().next().unwrap();
                on.push(a.residual.unwrap());
                share = share.max(a.bytes.repair as f64 / a.bytes.media as f64);
                late += a.late;
                cues.push(out.cues.len());
                maxd = maxd.max(a.delay_ms.max.unwrap());
            }
            let mean = on.iter().sum::<f64>() / on.len() as f64;
            let worst = on.iter().zip(&off).map(|(a,b)| a/b).fold(0.0, f64::max);
            println!("{link} {fec} mean {mean:.5} ratio {:.4} worst {worst:.4} share {share:.3} late {late} cues {cues:?} maxdelay {maxd:.3} wall {:?}", mean/mean_off, t.elapsed());
        }
    }
}
