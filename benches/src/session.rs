//! `cantus-bench sim` and `run`: the session of a plan, in virtual and in real time.

use std::path::{Path, PathBuf};

use cantus_player::cli::{PlayOptions, Subtitles};
use cantus_player::drive::{Failure, Finish};
use cantus_player::error::PlayError;
use cantus_player::sink::{AudioSink, SinkError, Wav};
use cantus_player::wire::Ending;
use cantus_qos::stats::report::QosReport;

use crate::cli::{RunOptions, SimOptions};
use crate::duplex::PacketLog;
use crate::plan::{Company, Plan, PlanError};
use crate::probe::{self, Accuracy, Apart, ProbeError, Record, Recorder, TwinError};
use crate::report::html;
use crate::sim::{self, Capture, Media, MediaError, Outcome, Scenario, ScenarioError, SimError};
use crate::stage::{Stage, StageError, bare};

/// Why a plan was not played, or not as it should be. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The plan is none.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan cannot be played in virtual time.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// It cannot be played in virtual time after all.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// The session in virtual time broke off.
    #[error(transparent)]
    Broken(#[from] PlayError),
    /// The session in virtual time hangs.
    #[error("the session did not end: this is a bug of ours")]
    Endless,
    /// Others are to cross the path of a session in real time.
    #[error("`beside` ({0}) is for virtual time only: use `cantus-bench sim`, or leave it out")]
    Company(Company),
    /// Streamer or relay do not start.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Playing in real time failed.
    #[error(transparent)]
    Play(#[from] Failure),
    /// The media cannot be read.
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
    /// The sound that was heard cannot be kept.
    #[error(transparent)]
    Sound(#[from] SinkError),
    /// What is to be kept cannot be written, or not be read again.
    #[error("cannot write {}: {cause}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// Plays a plan in virtual time: a summary for people, a report for programs.
///
/// # Errors
///
/// If the plan is none or cannot be played, the session breaks off, or the player reports what the
/// probe did not find.
pub fn simulate(options: &SimOptions) -> Result<Finish, SessionError> {
    let mut plan = Plan::read(&options.plan)?;
    plan.seed = options.seed.unwrap_or(plan.seed);
    let mut scenario = Scenario::from_plan(&plan)?;
    let drawn = options.html.is_some();
    scenario.capture = match options.probe {
        Some(_) => probe::NEEDED,
        None => Capture { fates: drawn, packets: drawn, sound: options.wav.is_some() },
    };
    let media = Media::open(directory(&plan)?)?;
    let outcome = sim::run(&media, &scenario)?;
    if let Some(file) = &options.html {
        write(file, &html::simulated(&outcome, &scenario))?;
    }
    if let Some((file, sound)) = options.wav.as_ref().zip(outcome.sound.as_ref()) {
        let mut wav = Wav::create(file, sound.format)?;
        wav.write(&sound.samples)?;
        wav.finish()?;
    }
    match &options.report {
        Some(file) => {
            write(file, &outcome.report.to_json())?;
            print!("{}", outcome.report.summary());
        }
        None => print!("{}", outcome.report.to_json()),
    }
    if outcome.is_completed() {
        overhear(options, &outcome, &media, &scenario)?;
    }
    match outcome.ending {
        Some(Ending::Failed(error)) => Err(error.into()),
        Some(Ending::Completed | Ending::Stopped | Ending::Silent { .. }) => Ok(Finish::Completed),
        None => Err(SessionError::Endless),
    }
}

/// What a probe heard of a session in virtual time, where that is asked for.
fn overhear(
    options: &SimOptions,
    outcome: &Outcome,
    media: &Media,
    scenario: &Scenario,
) -> Result<(), SessionError> {
    let Some(file) = &options.probe else { return Ok(()) };
    let probe = probe::probe_outcome(outcome, media, scenario)?;
    write(file, &probe.to_json())?;
    // Without a file for the report, the standard output is JSON.
    if options.report.is_some() {
        print!("\n{}", probe.summary(&outcome.report));
    }
    Ok(probe::agreed(&probe, &outcome.report, Accuracy::VIRTUAL)?)
}

/// Runs a plan in real time, and prints how it went, what a probe heard of it, and how late the
/// relay was.
///
/// # Errors
///
/// If the plan is none, something does not start, the session breaks off, or the player reports
/// what the probe did not find.
pub async fn run(options: &RunOptions) -> Result<Finish, SessionError> {
    let mut plan = Plan::read(&options.plan)?;
    plan.seed = options.seed.unwrap_or(plan.seed);
    if !plan.beside.is_empty() {
        return Err(SessionError::Company(plan.beside));
    }
    let (directory, name) = presentation(&plan)?;
    // The page is drawn from the fates of the units, which the player writes as it goes.
    let trace = options.html.as_ref().map(|page| page.with_extension("trace.csv"));
    let stage = Stage::set(directory, name, plan.transport, plan.path(), plan.seed).await?;
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
            .map_err(|cause| SessionError::File { file: trace.clone(), cause })?;
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
) -> Result<(), SessionError> {
    let scenario = Scenario::from_plan(plan)?;
    let media = Media::open(directory(plan)?)?;
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

fn presentation(plan: &Plan) -> Result<(&Path, &str), PlanError> {
    plan.presentation().ok_or_else(|| PlanError::Media(plan.media.clone()))
}

fn directory(plan: &Plan) -> Result<&Path, PlanError> {
    presentation(plan).map(|(directory, _)| directory)
}

fn write(file: &Path, text: &str) -> Result<(), SessionError> {
    std::fs::write(file, text).map_err(|cause| SessionError::File { file: file.to_owned(), cause })
}
