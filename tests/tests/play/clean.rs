//! Over a clean path everything that came in time is heard as it was sent.
//!
//! Nothing is lost or late but by this machine: the path is the loopback, and players, streamer and
//! the encoders of both share what cores there are. That nothing at all is lost, late or made up
//! where nobody has to wait for a core, `sim` asserts of the same samples in virtual time.

use cantus_player::drive::{Failure, Finish};
use cantus_qos::stats::report::{QosReport, StreamKind};

use crate::stage::{Stage, TRANSPORTS, assert_account, assert_same_but_for, source, written};

/// What is played of each sample.
const SECONDS: usize = 4;

fn is_clean(what: &str, report: &QosReport, result: Result<Finish, Failure>) {
    assert!(matches!(result, Ok(Finish::Completed)), "{what}: {result:?}");
    for stream in &report.streams {
        let what = format!("{what}, {}", stream.name);
        assert_account(&what, stream);
        if stream.kind == StreamKind::Continuous {
            assert_eq!(stream.played_ms, Some(SECONDS as f64 * 1e3), "{what}");
        } else {
            // A cue is sent eight times, or on a stream, and waits for seconds.
            assert_eq!((stream.lost_network, stream.late), (0, 0), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_time_is_heard_sample_by_sample_over_both_transports_in_both_codecs() {
    let stage = Stage::set("clean").await;
    let mut plays = Vec::new();
    for transport in TRANSPORTS {
        for codec in ["opus", "l16"] {
            for name in ["narration", "music", "sync-test", "duet"] {
                let what = format!("{transport}-{codec}-{name}");
                let wav = stage.path(&format!("{what}.wav"));
                let srt = stage.path(&format!("{what}.srt"));
                let more =
                    format!("--for {SECONDS}s --codec {codec} --subtitles srt:{}", srt.display());
                let play = tokio::spawn(stage.play(transport, name, &wav, &more));
                plays.push((what, codec, name, wav, play));
            }
        }
    }
    for (what, codec, name, wav, play) in plays {
        let (report, result) = play.await.unwrap();
        is_clean(&what, &report, result);
        let skew = &report.sync.subtitle_skew_ms;
        match name {
            "narration" | "sync-test" => {
                assert!(skew.count > 0, "{what}: cues were shown");
                let farthest = skew.max.unwrap().abs();
                println!("{what}: {} cues, farthest {farthest} ms", skew.count);
            }
            _ => assert_eq!(skew.count, 0, "{what}"),
        }
        let apart = report.sync.tracks_skew_samples.max;
        assert_eq!(apart, (name == "duet").then_some(0), "{what}: samples apart");
        let (spec, heard) = written(&wav);
        if codec == "l16" {
            let (rate, sent) = sent(name);
            assert_eq!(spec.sample_rate, rate, "{what}");
            assert_same_but_for(&what, &report, &heard, &sent);
        } else {
            let frames = heard.len() / usize::from(spec.channels);
            assert_eq!((spec.sample_rate, frames), (48_000, SECONDS * 48_000), "{what}");
        }
    }
}

/// The rate and the first seconds of a sample, as they should be heard.
fn sent(name: &str) -> (u32, Vec<i16>) {
    let frames = SECONDS * 48_000;
    match name {
        "music" => (44_100, source("music.wav", 0, SECONDS * 44_100)),
        "duet" => {
            let (left, right) = (source("duet/1.wav", 0, frames), source("duet/2.wav", 0, frames));
            (48_000, left.into_iter().zip(right).flat_map(|(left, right)| [left, right]).collect())
        }
        name => (48_000, source(&format!("{name}.wav"), 0, frames)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_streamer_does_not_have_is_named() {
    let stage = Stage::set("unknown").await;
    for transport in TRANSPORTS {
        let wav = stage.path("never.wav");
        let (_, result) = stage.play(transport, "no-such", &wav, "--subtitles none").await;
        let why = result.unwrap_err().to_string();
        assert!(why.contains("/no-such: no such presentation"), "{why}");
        assert!(!wav.exists(), "nothing was opened for it");
    }
}
