//! The command line of `cantus-streamer`.
//!
//! What cannot be meant is refused here with exit status 2, before anything is opened.

mod push;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use cantus_qos::quantity::Bitrate;
use clap::{Args, Parser, Subcommand};

pub use push::PushOptions;

const EXAMPLES: &str = "\
Examples:
  cantus-streamer serve media-samples       to everyone, over QUIC
  cantus-streamer serve                     what is in this directory
  cantus-streamer push talk.wav --to rtp://239.1.2.3:5004
                                            one file, to whoever has joined that group

'cantus-streamer help serve' and 'help push' tell all about it.";

const SERVE_EXAMPLES: &str = "\
A presentation is a WAV file with its subtitles beside it (talk.wav, talk.en.vtt, talk.fr.vtt), or
a folder of WAV files that are played together. A TOML file of the same name gives it a title.

Examples:
  To everyone over QUIC, which is encrypted, and over RTSP on this machine alone:
    cantus-streamer serve media-samples

  Also over RTSP to a local network; its media is not encrypted:
    cantus-streamer serve media-samples --rtsp 192.168.1.10:8554

  At most 20 Mbit/s, and 100 listeners; the one too many is told what is possible:
    cantus-streamer serve talks --max-bitrate 20M --max-sessions 100

  Over RTSP only to those in a file, one NAME:PASSWORD a line; they play rtsp://NAME:PASSWORD@HOST:
    cantus-streamer serve talks --quic off --rtsp 192.168.1.10:8554 --users listeners.txt

  Under a certificate that others know:
    cantus-streamer serve talks --cert fullchain.pem --key privkey.pem

Without --cert and --key the streamer makes a certificate of its own, once, and keeps it in
$XDG_STATE_HOME/cantus or ~/.local/state/cantus. A player believes it when it first meets it, or
at once with the --trust that is printed at the start.

RUST_LOG=cantus_streamer=debug tells on standard error what happens.

Exit status: 1 failed, 2 wrong usage, 130 or 143 interrupted.";

/// The whole command line.
#[derive(Debug, Clone, Parser)]
#[command(name = "cantus-streamer", version, about = "Serves audio with subtitles over QUIC and RTSP", after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the streamer can do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve the presentations in a directory
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeOptions),

    /// Send one presentation to a host or a group, as RTP that any player can play
    #[command(after_help = push::EXAMPLES)]
    Push(PushOptions),
}

/// `cantus-streamer serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// The directory; files may come, change and go while it is served
    #[arg(value_name = "DIR", default_value = ".")]
    pub directory: PathBuf,

    /// Where to listen for QUIC, or off; the default is all addresses, of IPv6 and IPv4
    #[arg(long, value_name = "ADDR", default_value = "[::]:4433")]
    pub quic: Listen,

    /// Where to listen for RTSP, or off; its media goes over UDP or the same TCP, not encrypted
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8554")]
    pub rtsp: Listen,

    /// The certificate for QUIC, with those that vouch for it [default: one of our own]
    #[arg(long, value_name = "PEM", requires = "key")]
    pub cert: Option<PathBuf>,

    /// The private key of the certificate
    #[arg(long, value_name = "PEM", requires = "cert")]
    pub key: Option<PathBuf>,

    /// What all listeners together may take, such as 20M or 500k [default: no limit]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub max_bitrate: Option<Bitrate>,

    /// How many sessions there may be [default: no limit]
    #[arg(long, value_name = "N", value_parser = some)]
    pub max_sessions: Option<usize>,

    /// Who may listen, as lines NAME:PASSWORD of a file [default: everybody]
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,
}

/// Where to listen, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// There.
    On(SocketAddr),
}

impl Listen {
    /// The address, if there is one.
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Off => None,
            Self::On(address) => Some(address),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::On(address) => address.fmt(f),
        }
    }
}

impl FromStr for Listen {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::On).map_err(|_| OptionError::Address),
        }
    }
}

/// The value of an option that cannot be meant. What was given stands before it already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// `--quic` or `--rtsp`.
    #[error("an address is IP:PORT, such as 192.168.1.10:8554 or [::]:4433, or off")]
    Address,
    /// `--max-bitrate`.
    #[error("{0}")]
    Rate(String),
    /// A limit of nothing.
    #[error("nothing could be served")]
    Nothing,
    /// `--max-sessions`.
    #[error("a number of sessions is a number, such as 100")]
    Number,
}

fn positive(text: &str) -> Result<Bitrate, OptionError> {
    match text.parse() {
        Ok(Bitrate::ZERO) => Err(OptionError::Nothing),
        Ok(rate) => Ok(rate),
        Err(cause) => {
            let cause: cantus_qos::quantity::QuantityError = cause;
            Err(OptionError::Rate(cause.to_string()))
        }
    }
}

fn some(text: &str) -> Result<usize, OptionError> {
    match text.parse() {
        Ok(0) => Err(OptionError::Nothing),
        parsed => parsed.map_err(|_| OptionError::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(arguments: &[&str]) -> Result<ServeOptions, clap::Error> {
        let line = ["cantus-streamer", "serve"].iter().chain(arguments);
        Cli::try_parse_from(line).map(|cli| {
            let Command::Serve(options) = cli.command else { panic!("another command") };
            options
        })
    }

    #[test]
    fn quic_is_for_everyone_and_rtsp_for_this_machine() {
        let options = serve(&[]).unwrap();
        assert_eq!(options.directory, PathBuf::from("."));
        assert_eq!(options.quic.to_string(), "[::]:4433");
        assert_eq!(options.rtsp.to_string(), "127.0.0.1:8554");
        assert_eq!((options.max_bitrate, options.max_sessions), (None, None));
    }

    #[test]
    fn options_are_read() {
        let line = ["talks", "--quic", "off", "--rtsp", "[::1]:9000", "--max-bitrate", "20M"];
        let options = serve(&line).unwrap();
        assert_eq!(options.directory, PathBuf::from("talks"));
        assert_eq!((options.quic, options.quic.address()), (Listen::Off, None));
        assert_eq!(options.rtsp.address(), "[::1]:9000".parse().ok());
        assert_eq!(options.max_bitrate, Some(Bitrate::from_kbps(20_000)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_as_wrong_usage() {
        for line in [
            &["--quic", "4433"][..],
            &["--rtsp", "somewhere"],
            &["--max-bitrate", "0"],
            &["--max-bitrate", "fast"],
            &["--max-sessions", "0"],
            &["--max-sessions", "-1"],
            &["--cert", "a.pem"],
            &["--key", "a.pem"],
            &["a", "b"],
        ] {
            assert_eq!(serve(line).unwrap_err().exit_code(), 2, "{line:?}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
