//! `cantus-bench demo` and `run`: a session in real time, for people to watch and hear.

use std::path::{Path, PathBuf};

use cantus_player::cli::{Codec, Out, PlayOptions, Subtitles, TrustOptions};
use cantus_player::drive::{Failure, Finish};
use cantus_player::sink::Speaker;
use cantus_player::url::StreamUrl;
use cantus_qos::payload::AudioFormat;
use cantus_qos::stats::report::QosReport;

use crate::cli::{DemoOptions, RunOptions};
use crate::duplex::PacketLog;
use crate::plan::{Plan, PlanError};
use crate::probe::{self, Accuracy, Apart, ProbeError, Record, Recorder, TwinError};
use crate::report::html;
use crate::sim::{Media, MediaError, Scenario, ScenarioError};
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
    /// The plan cannot be played in virtual time.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The media cannot be read again.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// What was heard cannot be probed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The player reports what the probe did not find.
    #[error(transparent)]
    Apart(#[from] Apart),
    /// The simulator loses another share, or nothing at all.
    #[error(transparent)]
    Twin(#[from] TwinError),
    /// The relay's log, or the probe's findings, cannot be written.
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

/// Runs a plan in real time, and prints how it went, what a probe heard of it, and how late the
/// relay was.
///
/// # Errors
///
/// If the plan is none, something does not start, the session breaks off, or the player reports
/// what the probe did not find.
pub async fn run(options: &RunOptions) -> Result<Finish, DemoError> {
    let mut plan = Plan::read(&options.plan)?;
    plan.seed = options.seed.unwrap_or(plan.seed);
    let media = || PlanError::Media(plan.media.clone());
    let (directory, name) = plan.presentation().ok_or_else(media)?;
    // The page is drawn from the fates of the units, which the player writes as it goes.
    let trace = options.html.as_ref().map(|page| page.with_extension("trace.csv"));
    let stage = Stage::set(directory, name, plan.transport, &plan.link, plan.seed).await?;
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
    let recorder = Recorder::new(stage.clock(), play.out.clone(), play.subtitles.clone());
    let (report, result) = match &recorder {
        Some(recorder) => stage.play_to(&play, recorder).await,
        None => stage.play(&play).await,
    };
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
    match recorder {
        _ if finish != Finish::Completed => {}
        Some(recorder) => hear(options, &plan, &recorder.record(), &record.log, &report)?,
        None => println!("not probed: a speaker is not listened to"),
    }
    Ok(finish)
}

/// What a probe heard of a session, against what its player reports, and against the same plan in
/// virtual time where that is asked for.
fn hear(
    options: &RunOptions,
    plan: &Plan,
    heard: &Record,
    packets: &PacketLog,
    report: &QosReport,
) -> Result<(), DemoError> {
    let scenario = Scenario::from_plan(plan)?;
    let media =
        Media::open(plan.presentation().map_or(Path::new("."), |(directory, _)| directory))?;
    let probe = probe::probe_record(heard, packets, &media, &scenario)?;
    print!("\n{}", probe.summary(report));
    if let Some(file) = &options.probe {
        write(file, &probe.to_json())?;
    }
    probe::agreed(&probe, report, Accuracy::REAL)?;
    if options.against_sim {
        println!("\n{}", probe::against_sim(report, &media, &scenario)?);
    }
    Ok(())
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
