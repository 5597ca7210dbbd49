//! The media samples are what `media-samples/README.md` says they are.

use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn wav(name: &str) -> (hound::WavSpec, Vec<i16>) {
    let mut reader = hound::WavReader::open(folder().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let samples = reader.samples().collect::<Result<_, _>>().expect("16 bit samples");
    (reader.spec(), samples)
}

/// A cue of a WebVTT file; times in milliseconds.
#[derive(Debug)]
struct Cue {
    start: usize,
    end: usize,
    text: String,
}

/// The cues of a file of ours, each an identifier, a line of times and the text.
fn cues(name: &str) -> Vec<Cue> {
    let text = read(name);
    let mut blocks = text.split("\n\n");
    assert_eq!(blocks.next(), Some("WEBVTT"), "{name}");
    let cues = blocks.enumerate().map(|(index, block)| {
        let mut lines = block.lines();
        assert_eq!(lines.next(), Some((index + 1).to_string().as_str()), "{name}: identifiers");
        let (start, end) = lines.next().and_then(|line| line.split_once(" --> ")).expect("times");
        let text = lines.collect::<Vec<_>>().join("\n");
        Cue { start: milliseconds(start), end: milliseconds(end), text }
    });
    cues.collect()
}

/// `hh:mm:ss.mmm`
fn milliseconds(time: &str) -> usize {
    let number =
        |range| time.get(range).and_then(|n: &str| n.parse::<usize>().ok()).expect("a time");
    assert_eq!(time.len(), 12, "{time}");
    ((number(0..2) * 60 + number(3..5)) * 60 + number(6..8)) * 1000 + number(9..12)
}

fn peak(samples: &[i16]) -> u16 {
    samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
}

fn bytes_below(path: &Path) -> u64 {
    let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| match entry.file_type().expect("a file type").is_dir() {
            true => bytes_below(&entry.path()),
            false => entry.metadata().expect("metadata").len(),
        })
        .sum()
}

#[test]
fn all_samples_together_stay_under_20_mb() {
    let bytes = bytes_below(&folder());
    assert!(bytes <= 20_000_000, "{bytes} bytes");
}

#[test]
fn every_wav_is_as_the_readme_states_and_never_clips() {
    let readme = read("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, name, rate, channels, bits, frames, length, _] = cells[..] else {
            panic!("a row of another shape: {row}");
        };
        let (spec, samples) = wav(name);
        assert_eq!(spec.sample_rate.to_string(), rate, "{name}");
        assert_eq!(spec.channels.to_string(), channels, "{name}");
        assert_eq!(spec.bits_per_sample.to_string(), bits, "{name}");
        let actual = samples.len() / usize::from(spec.channels);
        assert_eq!(actual.to_string(), frames, "{name}");
        assert_eq!(format!("{} s", actual / spec.sample_rate as usize), length, "{name}");
        assert!(peak(&samples) < 32_000, "{name} comes close to clipping");
        count += 1;
    }
    assert_eq!(count, 5, "the README lists every WAV file");
}

#[test]
fn clicks_and_their_cues_begin_exactly_at_each_second() {
    let (_, samples) = wav("sync-test.wav");
    let cues = cues("sync-test.en.vtt");
    assert_eq!(cues.len(), 19);
    assert_eq!(peak(&samples[..48_000]), 0, "before the first click");
    for (second, cue) in (1..).zip(&cues) {
        let click = &samples[second * 48_000..][..48_000];
        let (sounding, silence) = click.split_at(960);
        assert_eq!(sounding[0].unsigned_abs(), peak(sounding), "click {second}");
        assert!(sounding[0] > 16_000, "click {second}");
        assert_eq!(peak(silence), 0, "after click {second}");
        assert_eq!((cue.start, cue.end), (second * 1000, second * 1000 + 200));
        assert_eq!(cue.text, format!("click {second}"));
    }
}

#[test]
fn narration_cues_have_the_same_times_in_every_language() {
    let english = cues("narration.en.vtt");
    assert_eq!(english.len(), 17);
    for name in ["narration.vi.vtt", "narration.fr.vtt"] {
        let other = cues(name);
        assert_eq!(other.len(), english.len(), "{name}");
        for (cue, english) in other.iter().zip(&english) {
            assert_eq!((cue.start, cue.end), (english.start, english.end), "{name}");
            assert_ne!(cue.text, english.text, "{name}");
        }
    }
}

#[test]
fn narration_cues_follow_each_other_and_read_well() {
    let (_, samples) = wav("narration.wav");
    for name in ["narration.en.vtt", "narration.vi.vtt", "narration.fr.vtt"] {
        let cues = cues(name);
        assert!(cues.iter().all(|cue| cue.start < cue.end), "{name}");
        assert!(cues.windows(2).all(|pair| pair[0].end < pair[1].start), "{name}");
        assert!(cues.last().is_some_and(|cue| cue.end * 48 <= samples.len()), "{name}");
        for cue in &cues {
            let lines: Vec<&str> = cue.text.lines().collect();
            assert_eq!(lines.len(), 2, "{name}: {}", cue.text);
            let fits = |line: &&str| (1..=48).contains(&line.chars().count());
            assert!(lines.iter().all(fits), "{name}: {}", cue.text);
        }
    }
}

#[test]
fn each_narration_cue_begins_with_its_first_sound_and_outlasts_its_last() {
    let (_, samples) = wav("narration.wav");
    let mut heard_until = 0;
    for cue in cues("narration.en.vtt") {
        let start = cue.start * 48;
        let speech_end = (cue.end - 200) * 48;
        assert_eq!(peak(&samples[heard_until..start]), 0, "silence before {cue:?}");
        assert!(peak(&samples[start..start + 5 * 48]) > 100, "sound at the start of {cue:?}");
        assert!(
            peak(&samples[speech_end - 5 * 48..speech_end]) > 100,
            "sound at the end of {cue:?}"
        );
        heard_until = speech_end;
    }
    assert_eq!(peak(&samples[heard_until..]), 0, "silence after the last cue");
}

#[test]
fn the_music_breaks_off_into_silence_and_returns_at_once() {
    let (_, samples) = wav("music.wav");
    let (from, to) = (2 * 1_058_400, 2 * 1_102_500);
    assert!(peak(&samples[from - 200..from]) > 4_000, "loud to the end");
    assert_eq!(peak(&samples[from..to]), 0, "the silence");
    assert!(peak(&samples[to..to + 200]) > 4_000, "loud at once");
}

#[test]
fn both_voices_of_the_duet_are_equally_long_and_not_the_same() {
    let (upper_format, upper) = wav("duet/1.wav");
    let (lower_format, lower) = wav("duet/2.wav");
    assert_eq!(upper_format, lower_format);
    assert_eq!(upper.len(), lower.len());
    assert_ne!(upper, lower);
}

#[test]
fn both_voices_of_the_duet_breathe_at_the_same_samples() {
    // Between two notes each voice fades to nothing, on the beat.
    for (name, note) in [("duet/1.wav", 24_000), ("duet/2.wav", 96_000)] {
        let (_, samples) = wav(name);
        // The last bar of the upper voice is one whole note.
        for beat in (note..=864_000).step_by(note) {
            assert!(peak(&samples[beat - 10..beat + 10]) < 500, "{name}: {beat}");
            assert!(peak(&samples[beat + 2_000..beat + 4_000]) > 5_000, "{name}: {beat}");
        }
    }
}

#[test]
fn manifests_have_a_title_and_name_the_tracks_that_exist() {
    for (name, file, tracks) in [("narration", "narration.toml", 0), ("duet", "duet/duet.toml", 2)]
    {
        let manifest: toml::Table = read(file).parse().expect("TOML");
        assert!(manifest["title"].as_str().is_some_and(|title| !title.is_empty()), "{name}");
        let named = manifest.get("audio").and_then(toml::Value::as_table);
        let stems: Vec<&String> = named.into_iter().flat_map(toml::Table::keys).collect();
        assert_eq!(stems.len(), tracks, "{name}");
        for stem in stems {
            assert!(folder().join(name).join(format!("{stem}.wav")).is_file(), "{name}: {stem}");
        }
    }
}
