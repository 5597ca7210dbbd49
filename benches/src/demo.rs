//! `cantus-bench demo` and `run`: a session in real time, for people to watch and hear.

use std::path::{Path, PathBuf};

use cantus_player::cli::{Codec, Out, PlayOptions, Subtitles, TrustOptions};
use cantus_player::drive::{Failure, Finish};
use cantus_player::sink::Speaker;
use cantus_player::url::StreamUrl;
use cantus_qos::payload::AudioFormat;

use crate::cli::{DemoOptions, RunOptions};
use crate::plan::{Plan, PlanError};
use crate::report::html;
use crate::stage::{Stage, StageError};

/// Why there is nothing to see. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The plan is none.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Streamer or relay do not start.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Playing failed.
    #[error(transparent)]
    Play(#[from] Failure),
    /// The relay's log cannot be written.
    #[error("cannot write {}: {cause}", file.display())]
    Log {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
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

/// Runs a plan in real time, and prints how it went and how late the relay was.
///
/// # Errors
///
/// If the plan is none, something does not start, or the session breaks off.
pub async fn run(options: &RunOptions) -> Result<Finish, DemoError> {
    let plan = Plan::read(&options.plan)?;
    let seed = options.seed.unwrap_or(plan.seed);
    let media = || PlanError::Media(plan.media.clone());
    let (directory, name) = plan.presentation().ok_or_else(media)?;
    let stage = Stage::set(directory, name, plan.transport, &plan.link, seed).await?;
    // The page is drawn from the fates of the units, which the player writes as it goes.
    let trace = options.html.as_ref().map(|page| page.with_extension("trace.csv"));
    let play = PlayOptions {
        out: options.out.clone(),
        subtitles: Subtitles::Plain,
        latency: plan.latency,
        qos: Some(plan.promise),
        report: options.report.clone(),
        trace: trace.clone(),
        length: plan.length,
        fec: plan.fec,
        ..bare(stage.url.clone())
    };
    let (report, result) = stage.play(&play).await;
    let record = stage.strike().await;
    if let Some(file) = &options.log {
        write(file, &record.log.to_csv())?;
    }
    if let Some((page, trace)) = options.html.as_ref().zip(trace) {
        let fates = std::fs::read_to_string(&trace)
            .map_err(|cause| DemoError::Log { file: trace.clone(), cause })?;
        write(page, &html::live(&plan, &report, &fates, &record.log))?;
    }
    let finish = result?;
    print!("{}", report.summary());
    println!("{record}");
    Ok(finish)
}

fn write(file: &Path, text: &str) -> Result<(), DemoError> {
    std::fs::write(file, text).map_err(|cause| DemoError::Log { file: file.to_owned(), cause })
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

fn bare(url: StreamUrl) -> PlayOptions {
    PlayOptions {
        url,
        out: Out::Null,
        subtitles: Subtitles::None,
        lang: None,
        codec: Codec::default(),
        latency: Default::default(),
        qos: None,
        report: None,
        trace: None,
        from: None,
        length: None,
        fec: Default::default(),
        trust: TrustOptions { trust: None, ca: None },
    }
}
