//! `cantus-player`: plays audio with subtitles from a Cantus streamer or any RTSP server.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use cantus_player::cli::{Cli, Command, PlayOptions, Subtitles, TrustOptions};
use cantus_player::drive::{self, Failure, Finish};
use cantus_player::trust::{PinError, Trust};
use cantus_qos::fec::Scheme;
use cantus_qos::spec::sdp::{AudioCodec, Description, Medium};
use cantus_qos::stats::report::QosReport;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(why) = contradiction(&cli.command) {
        Cli::command().error(ErrorKind::ArgumentConflict, why).exit();
    }
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let status = runtime.block_on(run(cli.command));
    // A name that is still being looked up, or a disk that hangs, does not hold up the end.
    runtime.shutdown_background();
    status
}

/// What cannot be meant together.
fn contradiction(command: &Command) -> Option<&'static str> {
    match command {
        Command::Listen(options) => options.contradiction(),
        Command::Play(_) | Command::List(_) | Command::Info(_) => None,
    }
}

async fn run(command: Command) -> ExitCode {
    match command {
        Command::Play(options) => play(&options).await,
        Command::Listen(options) => {
            let (report, result) = drive::listen(&options).await;
            finish(&report, true, result)
        }
        Command::List(options) => {
            let Ok(trust) = policy(&options.trust) else { return ExitCode::FAILURE };
            match drive::list(&options.url, trust).await {
                Ok(listing) => print_listing(&listing),
                Err(error) => fail(&error),
            }
        }
        Command::Info(options) => {
            let Ok(trust) = policy(&options.trust) else { return ExitCode::FAILURE };
            match drive::describe(&options.url, trust).await {
                Ok(description) => print_description(&description),
                Err(error) => fail(&error),
            }
        }
    }
}

async fn play(options: &PlayOptions) -> ExitCode {
    let Ok(trust) = policy(&options.trust) else { return ExitCode::FAILURE };
    let (report, result) = drive::play(options, trust).await;
    finish(&report, options.subtitles == Subtitles::Terminal, result)
}

/// What came of it, for who watches a terminal, and the exit status.
fn finish(report: &QosReport, watched: bool, result: Result<Finish, Failure>) -> ExitCode {
    if watched && !report.streams.is_empty() {
        print(&format!("\n{}", report.summary()));
    }
    match result {
        Ok(Finish::Completed) => ExitCode::SUCCESS,
        Ok(Finish::Interrupted(signal)) => ExitCode::from(128 + signal as u8),
        Err(error) => fail(&error),
    }
}

/// One line, whatever went wrong and whoever worded it.
fn fail<E: std::fmt::Display>(error: &E) -> ExitCode {
    eprintln!("cantus-player: {}", printable(&error.to_string()));
    ExitCode::FAILURE
}

/// A reader that has gone away (`| head`) has read enough.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn policy(options: &TrustOptions) -> Result<Trust, PinError> {
    let policy = options.policy(|name| std::env::var_os(name).map(PathBuf::from));
    policy.inspect_err(|error| {
        fail(error);
    })
}

fn print_listing(listing: &serde_json::Value) -> ExitCode {
    let text = |value: &serde_json::Value| printable(value.as_str().unwrap_or("-"));
    let presentations = listing["presentations"].as_array().map_or(&[][..], Vec::as_slice);
    let mut lines = String::new();
    for entry in presentations {
        let seconds = entry["duration_ms"].as_f64().unwrap_or_default() / 1e3;
        let mut tracks = Vec::new();
        for track in entry["tracks"].as_array().map_or(&[][..], Vec::as_slice) {
            match track["kind"].as_str() {
                Some("text") => tracks.push(text(&track["language"])),
                _ => tracks.push(format!("{} kHz", track["rate"].as_f64().unwrap_or(0.0) / 1e3)),
            }
        }
        let (name, title, tracks) =
            (text(&entry["name"]), text(&entry["title"]), tracks.join(", "));
        lines += &format!("{name:<16} {seconds:>7.1} s  {title}  [{tracks}]\n");
    }
    print(&lines);
    ExitCode::SUCCESS
}

fn print_description(description: &Description) -> ExitCode {
    let mut lines = format!("{}\n", printable(&description.title));
    if let Some(duration) = description.duration {
        lines += &format!("  {:.3} s\n", duration.as_secs_f64());
    }
    for track in &description.tracks {
        let what = match &track.medium {
            Medium::Audio { codec, format, packet_time, .. } => {
                let codec = match codec {
                    AudioCodec::Opus => "Opus",
                    other => other.name(),
                };
                let (hz, channels) = (format.rate.hz(), format.channels);
                let packet = packet_time.to_delta().as_millis_f64();
                format!("{codec}, {hz} Hz, {channels} channel(s), {packet} ms a packet")
            }
            Medium::Text { language } => format!("subtitles, {}", printable(language)),
            Medium::Repair { protects, scheme } => {
                let how = match scheme {
                    Scheme::Block(_) => "over blocks",
                    Scheme::Sliding => "over a sliding window",
                };
                format!("repair for {}, {how}", printable(protects))
            }
        };
        lines += &format!("  {:<20} {what}\n", printable(&track.control));
    }
    print(&lines);
    ExitCode::SUCCESS
}

/// Text from the network, without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).collect()
}
