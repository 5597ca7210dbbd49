//! What GStreamer and ffmpeg push.

use std::path::{Path, PathBuf};
use std::process::Command;

use cantus_player::drive::Finish;

use crate::stage::{Program, Stage, assert_heard, free_port, listened_to, not_run, until, written};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../media-samples").join(name)
}

fn is_there(program: &str) -> bool {
    let there = Command::new("which").arg(program).output().is_ok_and(|it| it.status.success());
    if !there {
        not_run(&format!("{program} is not installed"));
    }
    there
}

/// What is there of the first seconds of a sample, as samples.
fn source(name: &str, frames: usize) -> Vec<i16> {
    let mut reader = hound::WavReader::open(sample(name)).unwrap();
    let samples = frames * usize::from(reader.spec().channels);
    reader.samples().take(samples).collect::<Result<_, _>>().unwrap()
}

fn write(file: &Path, samples: &[i16]) {
    let spec = hound::WavReader::open(sample("music.wav")).unwrap().spec();
    let mut writer = hound::WavWriter::create(file, spec).unwrap();
    samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gstreamer_pushes_as_l16_is_heard_to_the_sample() {
    if !is_there("gst-launch-1.0") {
        return;
    }
    let (stage, port) = (Stage::set("gstreamer"), free_port());
    let listener =
        tokio::spawn(stage.listen(&format!("rtp://127.0.0.1:{port}?pt=l16/44100/2"), "x.wav"));
    listened_to(port).await;
    // What fills packets of 1,400 bytes, and then the rest of each block, as it comes.
    let samples = source("music.wav", 3 * 44_100);
    let wav = stage.path("sent.wav");
    write(&wav, &samples);
    let file = format!("location={}", wav.display());
    let words = ["filesrc", &file, "!", "wavparse", "!"];
    let (at, to) = ("host=127.0.0.1", format!("port={port}"));
    let sink = ["audioconvert", "!", "rtpL16pay", "!", "udpsink", at, &to];
    let mut command = Command::new("gst-launch-1.0");
    let Some(gstreamer) = Program::start(command.arg("-q").args(words).args(sink)) else { return };
    let heard = listener.await.unwrap();
    drop(gstreamer);
    assert_heard("gstreamer", &heard, &written(&stage.path("x.wav")).1, &samples);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ffmpeg_pushes_in_each_codec_is_heard_by_the_sdp_file_that_it_writes() {
    if !is_there("ffmpeg") {
        return;
    }
    let stage = Stage::set("ffmpeg");
    let narration = sample("narration.wav");
    for (codec, more) in [
        ("libopus", &["-ar", "48000", "-ac", "2"][..]),
        ("pcm_mulaw", &["-ar", "8000", "-ac", "1"]),
        ("pcm_alaw", &["-ar", "8000", "-ac", "1"]),
        ("pcm_s16be", &["-ar", "44100", "-ac", "1"]),
    ] {
        let (port, sdp) = (free_port(), stage.path(&format!("{codec}.sdp")));
        let input = ["-loglevel", "error", "-re", "-i", narration.to_str().unwrap(), "-t", "3"];
        let to = format!("rtp://127.0.0.1:{port}");
        let output = ["-c:a", codec, "-f", "rtp", "-sdp_file", sdp.to_str().unwrap(), &to];
        let mut command = Command::new("ffmpeg");
        let Some(ffmpeg) = Program::start(command.args(input).args(more).args(output)) else {
            return;
        };
        let described = || std::fs::read_to_string(&sdp).unwrap_or_default();
        assert!(until(|| described().contains("m=audio")).await, "{codec}: no SDP file");
        let text = described();
        let wav = format!("{codec}.wav");
        let (report, result) = stage.play(&text, &wav).await;
        drop(ffmpeg);
        assert!(matches!(result, Ok(Finish::Completed)), "{codec}: {result:?}");
        let stream = &report.streams[0];
        // It had begun before its file was read.
        assert!(stream.played_ms.unwrap() > 2_000.0, "{codec}: {stream:?}");
        assert_eq!((stream.lost_network, stream.duplicate), (0, 0), "{codec}");
        assert!(written(&stage.path(&wav)).1.iter().any(|sample| sample.abs() > 1_000), "{codec}");
    }
}
