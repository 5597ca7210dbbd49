//! `cantus-bench`: emulates networks and measures what streaming across them comes to.

use std::path::Path;
use std::process::ExitCode;

use cantus_bench::agreement;
use cantus_bench::cli::{Cli, Command, CountEnd, SimOptions};
use cantus_bench::compare;
use cantus_bench::count;
use cantus_bench::demo;
use cantus_bench::matrix;
use cantus_bench::peers;
use cantus_bench::plan::{Plan, PlanError};
use cantus_bench::relay;
use cantus_bench::report::html;
use cantus_bench::sim::{self, Capture, Media, Scenario};
use cantus_bench::tunnel;
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
        Ok(status) => status,
        Err(error) => {
            eprintln!("cantus-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match command {
        Command::Demo(options) => Ok(status(runtime()?.block_on(demo::demo(&options))?)),
        Command::Sim(options) => simulate(&options).map(status),
        Command::Run(options) => Ok(status(runtime()?.block_on(demo::run(&options))?)),
        Command::Matrix(options) => {
            matrix::command::run(&options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Compare(options) => Ok(compare::command(&options)),
        Command::Netem(options) => Ok(status(runtime()?.block_on(relay::netem(&options))?)),
        Command::Lateness(options) => {
            runtime()?.block_on(relay::lateness(&options))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Link(options) => Ok(runtime()?.block_on(tunnel::link(&options))?),
        Command::Peers(options) => Ok(status(runtime()?.block_on(peers::peers(&options))?)),
        Command::Count(CountEnd::Send(options)) => {
            count::send(&options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Count(CountEnd::Receive(options)) => {
            println!("{} packets", count::receive(&options)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Agreement(options) => Ok(agreement::agreement(&options)?),
    }
}

fn status(finish: Finish) -> ExitCode {
    match finish {
        Finish::Completed => ExitCode::SUCCESS,
        Finish::Interrupted(signal) => ExitCode::from(128 + signal as u8),
    }
}

/// A plan in virtual time: a summary for people, a report for programs.
fn simulate(options: &SimOptions) -> Result<Finish, Box<dyn std::error::Error>> {
    let plan = Plan::read(&options.plan)?;
    let directory = plan.presentation().map(|(directory, _)| directory.to_owned());
    let directory = directory.ok_or_else(|| PlanError::Media(plan.media.clone()))?;
    let mut scenario = Scenario::from_plan(&plan)?;
    scenario.seed = options.seed.unwrap_or(plan.seed);
    let shown = options.html.is_some();
    scenario.capture = Capture { fates: shown, packets: shown, sound: false };
    let media = Media::open(&directory)?;
    let outcome = sim::run(&media, &scenario)?;
    if let Some(file) = &options.html {
        write(file, &html::simulated(&outcome, &scenario))?;
    }
    match &options.report {
        Some(file) => {
            write(file, &outcome.report.to_json())?;
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

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|cause| format!("cannot write {}: {cause}", file.display()))
}
