//! What can go wrong between a player and a server.

use std::time::Duration;

use cantus_qos::quantity::Bitrate;
use cantus_qos::rtsp::FramingError;
use cantus_qos::spec::QosSpec;
use cantus_qos::spec::sdp::SdpError;

use crate::wish::Carrier;

/// Why a presentation cannot be played, or not to its end. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The server has nothing under this name.
    #[error("{url}: no such presentation on this server (cantus-player list shows what it has)")]
    Unknown {
        /// What was asked for.
        url: String,
    },
    /// The server has not enough left.
    #[error("{url}: the server is full: {}", possible.map_or(reason.clone(), |rate| format!("at most {rate} would be possible")))]
    Full {
        /// What was asked for.
        url: String,
        /// The server's words.
        reason: String,
        /// What would be possible.
        possible: Option<Bitrate>,
    },
    /// The server promises less than was asked for.
    #[error(
        "{url}: the server offers {offered} and not {short}: ask for less with --qos, or play all the same with --less take"
    )]
    Less {
        /// What was asked for.
        url: String,
        /// What the server offers.
        offered: Box<QosSpec>,
        /// The terms in which that falls short of what was asked for, as they were asked for.
        short: Box<QosSpec>,
    },
    /// Nobody has said who listens, or it was not believed.
    #[error(
        "{url}: {}; who listens stands in the URL, as in rtsp://name:password@host/talk",
        if *shown { "the server knows no such name and password" } else { "the server wants a name and a password" }
    )]
    LogIn {
        /// What was asked for.
        url: String,
        /// Whether a name was there to be shown.
        shown: bool,
    },
    /// Any other refusal.
    #[error("{url}: the server answers {request} with {status}: {reason}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The request.
        request: &'static str,
        /// The status code.
        status: u16,
        /// The server's words.
        reason: String,
    },
    /// No answer.
    #[error("the server has not answered {request} for {} s", after.as_secs())]
    NoAnswer {
        /// The request.
        request: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// What answers does not speak RTSP.
    #[error("the server does not speak RTSP: {0}")]
    NotRtsp(#[from] FramingError),
    /// The description cannot be understood.
    #[error("the description of the presentation cannot be read: {0}")]
    Description(#[from] SdpError),
    /// There is nothing to hear.
    #[error("{url} has no audio track that can be played")]
    NoAudio {
        /// What was asked for.
        url: String,
    },
    /// Tracks that cannot be played together.
    #[error("the tracks of {url} have different sample rates")]
    MixedRates {
        /// What was asked for.
        url: String,
    },
    /// A decoder could not be made.
    #[error(transparent)]
    Decoder(#[from] crate::decode::DecodeError),
    /// An answer lacks what it must have.
    #[error("the answer to {request} has no usable {header} header")]
    Header {
        /// The request.
        request: &'static str,
        /// The header.
        header: &'static str,
    },
    /// The range that is played holds nothing.
    #[error("{url}: there is nothing to play from {from:.1} s on")]
    Nothing {
        /// What was asked for.
        url: String,
        /// Where it was to begin, in seconds.
        from: f64,
    },
    /// The server said yes, and then nothing came that could be played.
    #[error("the server has agreed to play, but no media has come for {} s{}", after.as_secs(), match carrier { Carrier::Udp => ": is UDP blocked on the way?", Carrier::Quic => "" })]
    NoMedia {
        /// How long was waited.
        after: Duration,
        /// What should have brought it.
        carrier: Carrier,
    },
    /// The server went away before it had agreed to play.
    #[error("the server has closed the connection before anything was played")]
    Closed,
    /// The server has ended the session before its time.
    #[error("the server has ended the session, because {reason}: {played:.1} s of {} were played", wanted.map_or("an endless presentation".to_owned(), |it| format!("{it:.1} s")))]
    Ended {
        /// The server's words.
        reason: String,
        /// Seconds that were played.
        played: f64,
        /// Seconds that were wanted.
        wanted: Option<f64>,
    },
    /// The server went away.
    #[error("the server is gone: {played:.1} s of {} were played", wanted.map_or("an endless presentation".to_owned(), |it| format!("{it:.1} s")))]
    ServerGone {
        /// Seconds that were played.
        played: f64,
        /// Seconds that were wanted.
        wanted: Option<f64>,
    },
}

/// So much of a server's words is shown, in characters.
const LONGEST_LINE: usize = 200;

/// The words of a server as one line of a terminal.
pub(crate) fn in_one_line(words: &str) -> String {
    words.chars().filter(|it| !it.is_control()).take(LONGEST_LINE).collect()
}
