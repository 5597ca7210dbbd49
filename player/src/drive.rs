//! The only loop of the player that owns the clock, the sockets, the sink and the screen.

mod clock;
mod feed;
mod link;
mod packets;
mod query;
mod quic;
mod session;
mod show;
mod signals;
mod stamps;
mod udp;

pub use feed::Interface;
pub use link::ConnectError;
pub use query::{QueryError, describe, list};
pub use show::{Outputs, ShowError};

use std::fs::File;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cantus_qos::spec::sdp::MAX_SDP;
use cantus_qos::stats::report::QosReport;

use crate::cli::{ListenOptions, PlayOptions};
use crate::error::PlayError;
use crate::feed::{Feed, FeedError, Place};
use crate::session::Player;
use crate::trust::Trust;
use crate::url::{Source, StreamUrl};
use crate::wish::Wish;
use clock::Clock;
use feed::FeedLink;
use link::Link;
use session::Session;
use show::Show;
use signals::Signals;

/// How long before they are due samples leave for a file or for nowhere. A timer wakes this loop
/// one to five milliseconds late even on an idle machine; a sound card with as much in its buffer
/// would not let that be heard either.
pub const SINK_LEAD: Duration = Duration::from_millis(5);

/// How long goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// Why playing did not succeed. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server refused, or the stream broke off.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The sound or the subtitles could not be put where they were wanted.
    #[error(transparent)]
    Show(#[from] ShowError),
    /// What was to be heard is not described so that it can be.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The description could not be read.
    #[error("cannot read {}: {cause}", file.display())]
    Description {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The report could not be written.
    #[error("cannot write the report to {}: {cause}", file.display())]
    Report {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// How playing ended, where it did not fail.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Finish {
    /// Everything was played.
    Completed,
    /// A signal ended it, by its number.
    Interrupted(i32),
}

/// Plays a presentation to its end, into sinks of the user's choice. The report is there however
/// it ended, and was written where the user wanted it.
pub async fn play(options: &PlayOptions, trust: Trust) -> (QosReport, Result<Finish, Failure>) {
    play_to(options, trust, options).await
}

/// The same into `outputs` instead of the user's choice, which still tells by whose clock the sound
/// is played: a sink with a clock takes the place of a speaker, one without that of a file.
pub async fn play_to(
    options: &PlayOptions,
    trust: Trust,
    outputs: &dyn Outputs,
) -> (QosReport, Result<Finish, Failure>) {
    let clock = Clock::start();
    let mut wish = options.wish(clock.seed());
    let (report, trace) = (options.report.as_ref(), options.trace.as_ref());
    let to = Places { report, trace, outputs };
    match &options.url {
        Source::Server(url) => {
            if names_this_machine(url.host()) {
                wish.shared_clock = Some(clock.ntp_at_zero);
            }
            perform(clock, wish, Way::Server(url, trust), to).await
        }
        Source::Described(file) => match described(file, &wish) {
            Ok(feed) => perform(clock, wish, Way::Feed(&feed, None), to).await,
            Err(failure) => (Player::new(wish).report(), Err(failure)),
        },
    }
}

/// Plays what comes to a port or a group unasked, until it ends.
pub async fn listen(options: &ListenOptions) -> (QosReport, Result<Finish, Failure>) {
    let clock = Clock::start();
    let wish = options.wish(clock.seed());
    let (report, trace) = (options.report.as_ref(), options.trace.as_ref());
    let to = Places { report, trace, outputs: options };
    let feed = match options.roc() {
        Some(ports) => Feed::of_roc(&options.url, ports, &wish),
        None => Feed::at(&options.url, &wish),
    };
    match feed {
        Ok(feed) => perform(clock, wish, Way::Feed(&feed, options.interface.as_ref()), to).await,
        Err(error) => (Player::new(wish).report(), Err(error.into())),
    }
}

/// The feed that an SDP file describes.
fn described(file: &Path, wish: &Wish) -> Result<Feed, Failure> {
    let read = File::open(file).and_then(|opened| {
        let mut sdp = Vec::new();
        // What is longer is refused for it.
        opened.take(MAX_SDP as u64 + 1).read_to_end(&mut sdp)?;
        Ok(sdp)
    });
    let sdp = read.map_err(|cause| Failure::Description { file: file.to_owned(), cause })?;
    Ok(Feed::described(&file.display().to_string(), &sdp, wish)?)
}

/// Where what comes of it goes.
struct Places<'a> {
    report: Option<&'a PathBuf>,
    trace: Option<&'a PathBuf>,
    outputs: &'a dyn Outputs,
}

/// How media comes.
enum Way<'a> {
    /// It is asked for.
    Server(&'a StreamUrl, Trust),
    /// Unasked, to these ports, and groups joined on an interface.
    Feed(&'a Feed, Option<&'a Interface>),
}

async fn perform(
    clock: Clock,
    mut wish: Wish,
    way: Way<'_>,
    to: Places<'_>,
) -> (QosReport, Result<Finish, Failure>) {
    (wish.lead, wish.ahead) = (SINK_LEAD, to.outputs.ahead());
    let mut player = match &way {
        Way::Server(..) => Player::new(wish),
        Way::Feed(feed, _) => Player::receiving(wish, feed.playing.clone()),
    };
    // What cannot be written is better known before anything is played.
    let opened = ReportFile::create(to.report)
        .and_then(|file| Ok((file, Show::new(to.trace, to.outputs).map_err(Failure::from)?)));
    let (file, mut show) = match opened {
        Ok(opened) => opened,
        Err(failure) => return (player.report(), Err(failure)),
    };
    let result = run(&clock, &mut player, &mut show, way).await;
    let report = player.report();
    let finished = show.finish(&mut player).map_err(Failure::from);
    let written = file.map_or(Ok(()), |file| file.write(&report));
    let result = result.and_then(|finish| finished.and(written).map(|()| finish));
    (report, result)
}

/// Where the report goes.
struct ReportFile {
    file: PathBuf,
    output: File,
}

impl ReportFile {
    fn create(file: Option<&PathBuf>) -> Result<Option<Self>, Failure> {
        let Some(file) = file.cloned() else { return Ok(None) };
        match File::create(&file) {
            Ok(output) => Ok(Some(Self { file, output })),
            Err(cause) => Err(Failure::Report { file, cause }),
        }
    }

    fn write(mut self, report: &QosReport) -> Result<(), Failure> {
        let written = self.output.write_all(report.to_json().as_bytes());
        written.map_err(|cause| Failure::Report { file: self.file, cause })
    }
}

async fn run(
    clock: &Clock,
    player: &mut Player,
    show: &mut Show<'_>,
    way: Way<'_>,
) -> Result<Finish, Failure> {
    let mut signals = Signals::new();
    let asked_at = clock.now();
    let mut link = match way {
        Way::Server(url, trust) => {
            let link = tokio::select! {
                link = Link::connect(url, trust) => link?,
                signal = signals.next() => return Ok(Finish::Interrupted(signal)),
            };
            if let Some(fingerprint) = link.pinned() {
                show.note(&format!("{} is new: pinned {fingerprint}", url.authority()));
            }
            link
        }
        Way::Feed(feed, interface) => {
            let link = Link::Feed(FeedLink::open(&feed.flows, interface)?);
            let sound = feed.flows.iter().filter_map(|(_, place)| match place {
                Place::Media(at) => Some(at.rtp.to_string()),
                Place::Repair(_) => None,
            });
            let places: Vec<_> = sound.collect();
            show.note(&format!("listening at {}", places.join(" and ")));
            link
        }
    };
    player.start(clock.now(), asked_at);
    let mut session = Session::new(clock, player, show, &mut link);
    let finish = session.run(&mut signals).await;
    if finish.is_err() {
        session.take_leave();
    }
    link.close(GOODBYE).await;
    finish
}

/// On one machine both ends go by the same wall clock, and delays are exact.
fn names_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
