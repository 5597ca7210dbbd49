//! Playing from anywhere begins at exactly that sample.

use cantus_player::drive::Finish;

use crate::stage::{Stage, TRANSPORTS, assert_account, assert_same_but_for, source, written};

#[tokio::test(flavor = "multi_thread")]
async fn linear_sound_begins_and_ends_at_the_wished_samples() {
    let stage = Stage::set("seek-l16").await;
    let mut plays = Vec::new();
    for transport in TRANSPORTS {
        for (name, rate) in [("music", 44_100), ("sync-test", 48_000)] {
            let wav = stage.path(&format!("{transport}-{name}.wav"));
            let more = "--from 5.003s --for 1.5s --codec l16 --subtitles none";
            plays.push((
                name,
                rate,
                wav.clone(),
                tokio::spawn(stage.play(transport, name, &wav, more)),
            ));
        }
    }
    for (name, rate, wav, play) in plays {
        let (report, result) = play.await.unwrap();
        assert!(matches!(result, Ok(Finish::Completed)), "{result:?}");
        assert_account(name, &report.streams[0]);
        let frame = |millis: usize| (millis * rate + 500) / 1_000;
        let sent = source(&format!("{name}.wav"), frame(5_003), frame(6_503));
        assert_same_but_for(name, &report, &written(&wav).1, &sent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opus_sounds_after_a_seek_as_it_does_without_one() {
    let stage = Stage::set("seek-opus").await;
    let (whole, part) = (stage.path("whole.wav"), stage.path("part.wav"));
    let (whole_play, part_play) = tokio::join!(
        stage.play("quic", "music", &whole, "--from 8s --for 4s --subtitles none"),
        stage.play("quic", "music", &part, "--from 10s --for 1s --subtitles none"),
    );
    for (report, result) in [whole_play, part_play] {
        assert!(matches!(result, Ok(Finish::Completed)), "{result:?}");
        let audio = &report.streams[0];
        assert_eq!((audio.lost_network, audio.concealed_ms), (0, Some(0.0)));
    }
    let (spec, whole) = written(&whole);
    let (_, part) = written(&part);
    let channels = usize::from(spec.channels);
    let begin = 2_000 * 48 * channels;
    assert_eq!(part.len(), 48_000 * channels);
    // Forty milliseconds, from the very first sample on.
    let first = 40 * 48 * channels;
    let (mut signal, mut noise) = (0.0, 0.0);
    for (sought, played) in part[..first].iter().zip(&whole[begin..]) {
        signal += f64::from(*played).powi(2);
        noise += (f64::from(*sought) - f64::from(*played)).powi(2);
    }
    let ratio = 10.0 * (signal / noise.max(1.0)).log10();
    println!("{ratio:.1} dB");
    assert!(signal > 0.0 && ratio > 80.0, "only {ratio:.1} dB above the difference");
}

#[tokio::test(flavor = "multi_thread")]
async fn subtitles_that_show_already_are_shown_at_the_start() {
    let stage = Stage::set("seek-cues").await;
    // "click 5" begins at 5 s and lasts 200 ms; "click 4" is over.
    let srt = stage.path("click.srt");
    let more = format!("--from 5.1s --for 1.2s --subtitles srt:{}", srt.display());
    let wav = stage.path("click.wav");
    let (report, result) = stage.play("rtsp", "sync-test", &wav, &more).await;
    assert!(matches!(result, Ok(Finish::Completed)), "{result:?}");
    let words = std::fs::read_to_string(&srt).unwrap();
    let expected = "1\n00:00:00,000 --> 00:00:00,100\nclick 5\n\n\
                    2\n00:00:00,900 --> 00:00:01,100\nclick 6\n\n";
    assert_eq!(words, expected);
    assert_eq!(report.sync.subtitle_skew_ms.count, 2);
}
