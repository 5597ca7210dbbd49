//! The streamer ends in mid-play.

use std::path::Path;
use std::time::Duration;

use cantus_player::drive::Failure;
use cantus_player::error::PlayError;

use crate::stage::{Stage, TRANSPORTS, assert_same, source, written};

/// Waits until half a second of sound is in the file.
async fn sound_in(wav: &Path) {
    let mut again = tokio::time::interval(Duration::from_millis(50));
    while std::fs::metadata(wav).map_or(0, |file| file.len()) < 48_000 {
        again.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_played_until_then_is_whole_and_told() {
    for transport in TRANSPORTS {
        let mut stage = Stage::set(&format!("gone-{transport}")).await;
        let wav = stage.path("narration.wav");
        let more = "--codec l16 --subtitles none";
        let play = tokio::spawn(stage.play(transport, "narration", &wav, more));
        tokio::time::timeout(Duration::from_secs(60), sound_in(&wav)).await.unwrap();
        stage.shut_down().await;
        let (report, result) = play.await.unwrap();
        let Err(Failure::Play(PlayError::ServerGone { played, wanted })) = result else {
            panic!("{transport}: {result:?}");
        };
        assert_eq!(wanted, Some(61.0));
        assert!(played >= 0.5, "{transport}: {played} s");
        let frames = (played * 48_000.0).round() as usize;
        let (_, heard) = written(&wav);
        assert!(heard.len() >= frames, "{transport}");
        assert_same(transport, &heard[..frames], &source("narration.wav", 0, frames));
        assert!(report.streams[0].received > 0);
    }
}
