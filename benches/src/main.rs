//! `cantus-bench`: emulates networks and measures what streaming across them comes to.

use std::process::ExitCode;

use cantus_bench::agreement;
use cantus_bench::cli::{Cli, Command, CountEnd};
use cantus_bench::compare;
use cantus_bench::count;
use cantus_bench::demo;
use cantus_bench::matrix;
use cantus_bench::peers;
use cantus_bench::relay;
use cantus_bench::session;
use cantus_bench::tunnel;
use cantus_player::drive::Finish;
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
        Command::Sim(options) => Ok(status(session::simulate(&options)?)),
        Command::Run(options) => Ok(status(runtime()?.block_on(session::run(&options))?)),
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
