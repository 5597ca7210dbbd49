//! The jitter that we report is the one that Wireshark finds in what was captured.

use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use cantus_player::drive::Finish;
use cantus_qos::payload::AudioFormat;

use crate::pushing::Push;
use crate::stage::{Program, Stage, free_port, listened_to, not_run, until};

/// Packets that should leave every 20 ms and are late by up to 18 ms, as a generator has it.
fn late(index: usize) -> Duration {
    Duration::from_millis((index as u64 * 7_919 + 13) % 19)
}

/// Mean jitter in milliseconds of the one stream to `port` in a capture, by tshark.
fn by_tshark(capture: &str, port: u16) -> Option<f64> {
    let rtp = format!("udp.port=={port},rtp");
    let output = Command::new("tshark")
        .args(["-r", capture, "-d", &rtp, "-q", "-z", "rtp,streams"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let head = text.lines().find(|line| line.contains("Mean Jitter"))?;
    let line = text.lines().find(|line| line.contains(&format!(" {port} ")))?;
    println!("{head}\n{line}");
    // Three figures of deltas and three of jitter stand at the end, before what is a problem.
    let figures = line.split_ascii_whitespace().filter_map(|word| word.parse::<f64>().ok());
    let figures: Vec<f64> = figures.collect();
    figures.get(figures.len().checked_sub(2)?).copied()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mean_jitter_is_that_of_tshark_for_the_same_packets_within_five_percent() {
    let (stage, port) = (Stage::set("jitter"), free_port());
    let capture = stage.path("x.pcapng");
    let file = capture.to_str().unwrap();
    let only = format!("udp port {port}");
    let mut command = Command::new("tshark");
    // It ends by itself, a little before the last packet.
    let command = command.args(["-i", "lo", "-f", &only, "-c", "350", "-w", file, "-q"]);
    let Some(mut tshark) = Program::start(command) else { return };
    if !until(|| capture.exists()).await {
        return not_run("tshark cannot capture on lo");
    }
    let url = format!("rtp://127.0.0.1:{port}?pt=0");
    let listener = tokio::spawn(stage.listen(&url, "x.wav"));
    listened_to(port).await;
    let packets = vec![(Bytes::from_static(&[0xff; 160]), 160); 400];
    let format = AudioFormat::new(8_000, 1).unwrap();
    Push { payload_type: 0, format, packets, late }.to(port).await;
    let (report, result) = listener.await.unwrap();
    assert!(matches!(result, Ok(Finish::Completed)), "{result:?}");
    if !until(|| tshark.has_ended()).await {
        return not_run("tshark has not captured what was pushed on lo");
    }
    let ours = report.streams[0].jitter_ms.rfc3550_mean.unwrap();
    let Some(theirs) = by_tshark(file, port) else {
        return not_run("tshark has captured nothing on lo");
    };
    println!("ours {ours} ms, tshark's {theirs} ms");
    assert!((ours - theirs).abs() <= 0.05 * theirs, "ours {ours} ms, tshark's {theirs} ms");
}
