//! `cantus-bench demo`: a session in real time, for people to watch and hear.

use cantus_player::cli::{Out, PlayOptions};
use cantus_player::drive::{Failure, Finish};
use cantus_player::sink::Speaker;
use cantus_qos::payload::AudioFormat;

use crate::cli::DemoOptions;
use crate::stage::{Stage, StageError, bare};

/// Why there is nothing to see. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Streamer or relay do not start.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Playing failed.
    #[error(transparent)]
    Play(#[from] Failure),
}

/// Plays a sample across an emulated link, aloud where there is a sound card.
///
/// # Errors
///
/// If something does not start, or the session breaks off.
pub async fn demo(options: &DemoOptions) -> Result<Finish, DemoError> {
    let out = options.out.clone().unwrap_or_else(default_out);
    let stage = Stage::set(
        &options.dir,
        &options.media,
        options.transport.into(),
        &options.link,
        options.seed,
    )
    .await?;
    println!("{} over the link '{}', sound to {out}\n", stage.url, options.link);
    let play = PlayOptions {
        out: out.clone(),
        subtitles: options.subtitles.clone(),
        latency: options.latency,
        report: Some(options.report.clone()),
        length: options.length,
        fec: options.fec,
        ..bare(stage.url.clone())
    };
    let (report, result) = stage.play(&play).await;
    let record = stage.strike().await;
    print!("\n{}", report.summary());
    println!("{record}");
    println!("\nThe report is in {}.", options.report.display());
    if let Out::Wav(file) = &out {
        println!("The sound is in {}.", file.display());
    }
    Ok(result?)
}

/// The speaker where there is one; nobody should have to know in order to see a demo.
fn default_out() -> Out {
    match Speaker::open(AudioFormat::OPUS_STEREO) {
        Ok(_) => Out::Speaker,
        Err(why) => {
            println!("{why}");
            Out::Wav("demo.wav".into())
        }
    }
}
