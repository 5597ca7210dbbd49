//! A streamer that wants to know who listens.

use cantus_player::drive::{Failure, Finish, QueryError};
use cantus_player::error::PlayError;

use crate::stage::{Stage, TRANSPORTS};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_hears_it_and_nobody_else_does() {
    let stage = Stage::set_for("login", Some("ann:p@ss:word\n")).await;
    for transport in TRANSPORTS {
        let play = |user: &'static str| {
            let wav = stage.path(&format!("{transport}-{}.wav", user.len()));
            stage.play_as(user, transport, "narration", &wav, "--for 1s")
        };
        let (report, result) = play("ann:p%40ss:word@").await;
        assert!(matches!(result, Ok(Finish::Completed)), "{transport}: {result:?}");
        assert_eq!(report.streams[0].played_ms, Some(1_000.0), "{transport}");
        for (user, was_shown) in [("", false), ("ann:wrong@", true), ("bob:p%40ss:word@", true)] {
            let (_, result) = play(user).await;
            match result {
                Err(Failure::Play(PlayError::LogIn { shown, url })) => {
                    assert_eq!((shown, url.contains("ann")), (was_shown, false), "{transport}");
                }
                other => panic!("{transport}, {user}: {other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_is_told_what_there_is_and_nobody_else_is() {
    let stage = Stage::set_for("login-list", Some("ann:p@ss:word\n")).await;
    for transport in TRANSPORTS {
        let listing = stage.list("ann:p%40ss:word@", transport).await.unwrap();
        let names = listing["presentations"].as_array().unwrap();
        assert!(names.iter().any(|it| it["name"] == "narration"), "{transport}: {listing}");
        for (user, was_shown) in [("", false), ("ann:wrong@", true)] {
            match stage.list(user, transport).await {
                Err(QueryError::LogIn(PlayError::LogIn { shown, url })) => {
                    assert_eq!((shown, url.contains("ann")), (was_shown, false), "{transport}");
                }
                other => panic!("{transport}, {user}: {other:?}"),
            }
        }
    }
}
