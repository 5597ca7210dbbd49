//! `cantus-bench`: emulates networks and measures what streaming across them comes to.

use std::process::ExitCode;

use cantus_bench::cli::{Cli, Command, SimOptions};
use cantus_bench::{compare, demo, matrix};
use cantus_bench::plan::{Plan, PlanError};
use cantus_bench::sim::{self, Media, Scenario};
use cantus_player::drive::Finish;
use cantus_player::wire::Ending;
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cantus-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let finish = match command {
        Command::Demo(options) => runtime()?.block_on(demo::demo(&options))?,
        Command::Sim(options) => simulate(&options)?,
        Command::Run(options) => {
            let (report, finish) = runtime()?.block_on(demo::run(&options))?;
            print!("{}", report.summary());
            finish
        }
        Command::Matrix(options) => {
            matrix::command::run(&options)?;
            Finish::Completed
        }
        Command::Compare(options) => return Ok(compare::command(&options)),
    };
    Ok(match finish {
        Finish::Completed => ExitCode::SUCCESS,
        Finish::Interrupted(signal) => ExitCode::from(128 + signal as u8),
    })
}

/// A plan in virtual time: a summary for people, a report for programs.
fn simulate(options: &SimOptions) -> Result<Finish, Box<dyn std::error::Error>> {
    let plan = Plan::read(&options.plan)?;
    let directory = plan.presentation().map(|(directory, _)| directory.to_owned());
    let directory = directory.ok_or_else(|| PlanError::Media(plan.media.clone()))?;
    let mut scenario = Scenario::from_plan(&plan)?;
    scenario.seed = options.seed.unwrap_or(plan.seed);
    let media = Media::open(&directory)?;
    let outcome = sim::run(&media, &scenario)?;
    match &options.report {
        Some(file) => {
            std::fs::write(file, outcome.report.to_json())
                .map_err(|cause| format!("cannot write {}: {cause}", file.display()))?;
            print!("{}", outcome.report.summary());
        }
        None => print!("{}", outcome.report.to_json()),
    }
    match outcome.ending {
        Some(Ending::Failed(error)) => Err(error.into()),
        Some(Ending::Completed | Ending::Stopped) => Ok(Finish::Completed),
        None => Err("the session did not end: this is a bug of ours".into()),
    }
}
