//! `cantus-bench`: emulates networks and measures what streaming across them comes to.

use std::process::ExitCode;

use cantus_bench::cli::{Cli, Command};
use cantus_bench::demo;
use cantus_player::drive::Finish;
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match run(cli.command) {
        Ok(Finish::Completed) => ExitCode::SUCCESS,
        Ok(Finish::Interrupted(signal)) => ExitCode::from(128 + signal as u8),
        Err(error) => {
            eprintln!("cantus-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<Finish, Box<dyn std::error::Error>> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match command {
        Command::Demo(options) => Ok(runtime()?.block_on(demo::demo(&options))?),
        Command::Sim(_) => Err("not merged".into()),
        Command::Run(options) => {
            let (report, finish) = runtime()?.block_on(demo::run(&options))?;
            print!("{}", report.summary());
            Ok(finish)
        }
    }
}
