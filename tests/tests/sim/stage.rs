//! What the scenarios play, and how they look at it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use cantus_bench::sim::{Media, Outcome, Passing, Scenario, Verdict, run, run_with};
use cantus_player::wish::Carrier;
use cantus_qos::stats::report::StreamReport;
use cantus_qos::time::MediaTime;
use cantus_streamer::encoding::Codec;

/// The samples of the repository.
pub(crate) static SAMPLES: LazyLock<Media> =
    LazyLock::new(|| Media::open(&folder()).expect("the media samples are there"));

/// Ten minutes, with 240 cues.
pub(crate) static LONG: LazyLock<Media> =
    LazyLock::new(|| Media::synthetic(Duration::from_secs(600)).expect("room for a sound"));

pub(crate) const CARRIERS: [Carrier; 2] = [Carrier::Udp, Carrier::Quic];
pub(crate) const CODECS: [Codec; 2] = [Codec::Opus, Codec::L16];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples")
}

/// A sample across the link of these words, at 200 ms.
pub(crate) fn scenario(name: &str, link: &str, carrier: Carrier) -> Scenario {
    Scenario::new(link.parse().expect("the words of a link"), name, carrier)
}

/// The first `seconds` of it.
pub(crate) fn first(seconds: i64, scenario: Scenario) -> Scenario {
    Scenario { length: Some(MediaTime::from_millis(1_000 * seconds)), ..scenario }
}

#[track_caller]
pub(crate) fn play(media: &Media, scenario: &Scenario) -> Outcome {
    run(media, scenario).expect("the scenario can be played")
}

#[track_caller]
pub(crate) fn play_with(
    media: &Media,
    scenario: &Scenario,
    hook: impl FnMut(&Passing) -> Verdict,
) -> Outcome {
    run_with(media, scenario, hook).expect("the scenario can be played")
}

/// The one audio stream.
#[track_caller]
pub(crate) fn sole(outcome: &Outcome) -> &StreamReport {
    let mut audio = outcome.audio();
    let stream = audio.next().expect("an audio stream");
    assert!(audio.next().is_none(), "one audio stream and no more");
    stream
}

/// It was played to its end, and the streamer was told.
#[track_caller]
pub(crate) fn assert_completed(outcome: &Outcome) {
    assert!(outcome.is_completed(), "{:?}", outcome.ending);
    assert_eq!(outcome.sessions_left, 0, "the streamer was told");
}

/// Every unit was heard, in time.
#[track_caller]
pub(crate) fn assert_whole(outcome: &Outcome) {
    assert_completed(outcome);
    assert!(outcome.audio().count() > 0);
    for stream in outcome.audio() {
        assert!(stream.expected > 0);
        assert_eq!(stream.lost_network, 0, "{}: lost", stream.name);
        assert_eq!(stream.late, 0, "{}: late", stream.name);
        assert_eq!(stream.residual, Some(0.0), "{}: residual", stream.name);
        assert_eq!(stream.concealed_ms, Some(0.0), "{}: concealed", stream.name);
    }
}

/// A WAV file of the samples: channels and interleaved samples.
pub(crate) fn source(file: &str) -> (usize, u32, Vec<i16>) {
    let mut reader = hound::WavReader::open(folder().join(file)).expect("a sample");
    let spec = reader.spec();
    let samples = reader.samples().collect::<Result<_, _>>().expect("16 bit samples");
    (usize::from(spec.channels), spec.sample_rate, samples)
}

/// One channel of interleaved samples.
pub(crate) fn channel<T: Copy>(samples: &[T], channels: usize, index: usize) -> Vec<T> {
    samples.iter().skip(index).step_by(channels).copied().collect()
}
