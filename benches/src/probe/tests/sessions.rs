//! Sessions in virtual time: probe and player agree on them, and a lie is caught.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use cantus_player::wish::Carrier;
use cantus_qos::spec::sdp::AudioCodec;
use cantus_qos::time::{MediaTime, MonoTime};
use cantus_streamer::programme::ProgrammeKey;

use crate::probe::{Accuracy, Evidence, Probe, Reference, disagreements, listen};
use crate::sim::{Capture, Media, Outcome, Scenario, run};

static SAMPLES: LazyLock<Media> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples");
    Media::open(&folder).expect("the media samples are there")
});

fn scenario(name: &str, link: &str, carrier: Carrier) -> Scenario {
    let capture = Capture { sound: true, packets: true, ..Capture::default() };
    Scenario { capture, ..Scenario::new(link.parse().unwrap(), name, carrier) }
}

fn probed(scenario: &Scenario) -> (Outcome, Probe) {
    let outcome = run(&SAMPLES, scenario).expect("the scenario can be played");
    assert!(outcome.is_completed(), "{:?}", outcome.ending);
    let key = ProgrammeKey::new(&scenario.presentation, scenario.codec);
    let reference = Reference::of(&SAMPLES.programme(&key).unwrap()).unwrap();
    let cues: Vec<_> = outcome.cues.iter().map(|it| (it.at, it.cue.clone())).collect();
    let sound = outcome.sound.as_ref().expect("sound was kept");
    let evidence = Evidence {
        sound,
        cues: &cues,
        packets: &outcome.packets,
        sent_from: MediaTime::ZERO,
        until: scenario.length,
    };
    let probe = listen(&evidence, &reference);
    (outcome, probe)
}

#[test]
fn diff() {
    let var = |n: &str| std::env::var(n).unwrap();
    let codec = if var("C") == "l16" { AudioCodec::L16 } else { AudioCodec::Opus };
    let mut s = Scenario { codec, ..scenario(&var("N"), &var("L"), Carrier::Udp) };
    s.capture.fates = true;
    let outcome = run(&SAMPLES, &s).unwrap();
    let key = ProgrammeKey::new(&s.presentation, s.codec);
    let reference = Reference::of(&SAMPLES.programme(&key).unwrap()).unwrap();
    let sound = outcome.sound.as_ref().unwrap();
    for (index, source) in reference.tracks().iter().enumerate() {
        let heard = crate::probe::side(&sound.samples, reference.channels(), source);
        #[expect(clippy::disallowed_methods, reason = "x")]
        let t = std::time::Instant::now();
        let track = crate::probe::Track::follow(&heard, source, sound.from, None);
        println!("TOOK {:?}", t.elapsed());
        let name = outcome.audio().nth(index).unwrap().name.clone();
        let mut good = vec![false; track.course.verdicts.len()];
        for f in outcome.fates.iter().filter(|f| f.stream == name) {
            if format!("{:?}", f.record.fate) == "Played" {
                let u = f.record.media_time.unwrap().ticks(source.format.rate) / source.unit;
                good[u as usize] = true;
            }
        }
        let line: String = track
            .course
            .verdicts
            .iter()
            .zip(&good)
            .map(|(v, g)| match (v, g) {
                (crate::probe::Verdict::Heard, true) => '.',
                (crate::probe::Verdict::Heard, false) => 'H',
                (crate::probe::Verdict::Lost, true) => 'L',
                (crate::probe::Verdict::Lost, false) => 'x',
                (crate::probe::Verdict::Silence { .. }, true) => '_',
                (crate::probe::Verdict::Silence { .. }, false) => 'u',
            })
            .collect();
        for (i, c) in line.chars().enumerate() {
            println!("FATE {i} {c}");
        }
        for chunk in line.as_bytes().chunks(150) {
            println!("{}", std::str::from_utf8(chunk).unwrap());
        }
        println!();
        for e in outcome
            .packets
            .entries()
            .iter()
            .filter(|e| e.direction == crate::duplex::Direction::ToClient)
            .take(8)
        {
            println!("{e:?}");
        }
    }
}
