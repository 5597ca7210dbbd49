//! The only loop of the player that owns the clock, the sockets, the sink and the screen.

mod feed;
mod link;
mod query;
mod quic;
mod show;
mod signals;
mod udp;

pub use feed::Interface;
pub use link::ConnectError;
pub use query::{QueryError, describe, list};
pub use show::{Outputs, ShowError};

use std::fs::File;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cantus_qos::roq::FlowId;
use cantus_qos::spec::sdp::MAX_SDP;
use cantus_qos::stats::report::QosReport;
use cantus_qos::time::{MonoTime, NtpTime};
use tokio::time::{Instant as TimerInstant, sleep_until};

use crate::cli::{ListenOptions, PlayOptions};
use crate::error::PlayError;
use crate::feed::{Feed, FeedError, Place};
use crate::session::Player;
use crate::trust::Trust;
use crate::url::{Source, StreamUrl};
use crate::wire::{Ending, Event, Input, Output};
use crate::wish::Wish;
use feed::FeedLink;
use link::{Arrival, Link};
use show::Show;
use signals::Signals;

/// How often a sound card is asked whether it wants samples.
const SINK_PERIOD: Duration = Duration::from_millis(5);

/// How long before they are due samples leave for a file or for nowhere. A timer wakes this loop
/// one to five milliseconds late even on an idle machine; a sound card with as much in its buffer
/// would not let that be heard either.
pub const SINK_LEAD: Duration = Duration::from_millis(5);

/// How often the status line is drawn.
const STATUS_PERIOD: Duration = Duration::from_millis(200);

/// How long goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// A sound card that has stopped does not hold up the end for longer than this.
const DRAIN: Duration = Duration::from_secs(3);

/// Sound servers hold a little more than they say: one of PipeWire's steps, 21 ms, through ALSA.
const TAIL: Duration = Duration::from_millis(50);

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
            wish.lead = SINK_LEAD;
            perform(clock, Player::new(wish), Way::Server(url, trust), to).await
        }
        Source::Described(file) => match described(file, &wish) {
            Ok(feed) => receive(clock, wish, feed, None, to).await,
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
        Ok(mut feed) => {
            if options.latency.is_none() {
                // What nobody has asked for is no promise.
                feed.playing.terms.delay = wish.spec.delay;
            }
            receive(clock, wish, feed, options.interface, to).await
        }
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

async fn receive(
    clock: Clock,
    mut wish: Wish,
    feed: Feed,
    interface: Option<Interface>,
    to: Places<'_>,
) -> (QosReport, Result<Finish, Failure>) {
    wish.lead = SINK_LEAD;
    let player = Player::receiving(wish, feed.playing);
    perform(clock, player, Way::Feed(&feed.flows, interface), to).await
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
    Feed(&'a [(FlowId, Place)], Option<Interface>),
}

async fn perform(
    clock: Clock,
    mut player: Player,
    way: Way<'_>,
    to: Places<'_>,
) -> (QosReport, Result<Finish, Failure>) {
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
        Way::Feed(flows, interface) => {
            let link = Link::Feed(FeedLink::open(flows, interface)?);
            let sound = flows.iter().filter_map(|(_, place)| match place {
                Place::Media(at) => Some(at.rtp.to_string()),
                Place::Repair(_) => None,
            });
            let places: Vec<_> = sound.collect();
            show.note(&format!("listening at {}", places.join(" and ")));
            link
        }
    };
    player.start(clock.now(), asked_at);
    let mut session = Session { clock, player, show, link: &mut link, ending: None };
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

struct Session<'a, 'b> {
    clock: &'a Clock,
    player: &'a mut Player,
    show: &'a mut Show<'b>,
    link: &'a mut Link,
    ending: Option<Ending>,
}

impl Session<'_, '_> {
    async fn run(&mut self, signals: &mut Signals) -> Result<Finish, Failure> {
        let mut interrupted = None;
        let mut status_at = MonoTime::ZERO;
        while self.ending.is_none() {
            self.feed_sink();
            let deadline = self.poll()?;
            if self.ending.is_some() {
                break;
            }
            let now = self.clock.now();
            if status_at <= now {
                status_at = now + STATUS_PERIOD;
                self.show.status(now, self.player);
            }
            let sink = self.show.wanted().map(|_| now + SINK_PERIOD);
            let wake = deadline.into_iter().chain(sink).min().unwrap_or(status_at).min(status_at);
            tokio::select! {
                arrival = self.link.arrival() => self.take(arrival),
                () = sleep_until(self.clock.timer(wake)) => {}
                signal = signals.next() => {
                    interrupted = Some(signal);
                    self.player.handle(self.clock.now(), Input::Stop);
                }
            }
        }
        self.poll()?;
        if let (Some(Ending::Stopped), Some(signal)) = (&self.ending, interrupted) {
            return Ok(Finish::Interrupted(signal));
        }
        let interrupted = tokio::select! {
            () = self.drain() => None,
            signal = signals.next() => Some(signal),
        };
        match &self.ending {
            Some(Ending::Silent { after }) => {
                let after = after.as_secs();
                self.show.note(&format!(
                    "nothing has come for {after} s, and the sender has not said goodbye"
                ));
            }
            Some(Ending::Completed) if self.player.is_endless() => {
                self.show.note("the sender has said goodbye");
            }
            _ => {}
        }
        match (self.ending.take(), interrupted) {
            (Some(Ending::Failed(error)), _) => Err(error.into()),
            (_, Some(signal)) => Ok(Finish::Interrupted(signal)),
            (_, None) => Ok(Finish::Completed),
        }
    }

    /// What is written to a sound card is to be heard.
    async fn drain(&mut self) {
        let until = self.clock.now() + DRAIN;
        while self.show.pending() > Duration::ZERO && self.clock.now() < until {
            sleep_until(self.clock.timer(self.clock.now() + SINK_PERIOD)).await;
        }
        if self.show.wanted().is_some() {
            sleep_until(self.clock.timer(self.clock.now() + TAIL)).await;
        }
    }

    /// Something of ours has failed: the server is told that we leave, and nothing is shown any
    /// more.
    fn take_leave(&mut self) {
        let now = self.clock.now();
        self.player.handle(now, Input::Stop);
        loop {
            match self.player.poll(now) {
                Output::Wait(_) => return,
                Output::Control(data) => self.link.control(data),
                Output::Transmit { flow, channel, class, data } => {
                    self.link.transmit(flow, channel, class, &data);
                }
                Output::Bind(_) | Output::Peer { .. } | Output::Event(_) => {}
            }
        }
    }

    fn take(&mut self, arrival: Arrival) {
        let now = self.clock.now();
        match arrival {
            Arrival::Control(data) => self.player.handle(now, Input::Control(&data)),
            Arrival::Packet { flow, channel, data } => {
                self.player.handle(now, Input::Packet { flow, channel, data });
            }
            Arrival::Closed => self.player.handle(now, Input::Closed),
        }
    }

    fn feed_sink(&mut self) {
        if let Some(round_trip) = self.link.round_trip() {
            self.player.handle(self.clock.now(), Input::RoundTrip(round_trip));
        }
        if let Some(frames) = self.show.wanted() {
            let pending = self.show.pending();
            self.player.handle(self.clock.now(), Input::SinkWants { frames, pending });
        }
    }

    /// Does everything that is due; the instant of the next.
    fn poll(&mut self) -> Result<Option<MonoTime>, Failure> {
        loop {
            let now = self.clock.now();
            match self.player.poll(now) {
                Output::Wait(deadline) => return Ok(deadline),
                Output::Control(data) => self.link.control(data),
                Output::Bind(flow) => {
                    let ports = self.link.bind(flow)?;
                    self.player.handle(now, Input::Bound { flow, ports });
                }
                Output::Peer { flow, ports } => self.link.peer(flow, ports),
                Output::Transmit { flow, channel, class, data } => {
                    self.link.transmit(flow, channel, class, &data);
                }
                Output::Event(Event::Ended(ending)) => self.ending = Some(ending),
                Output::Event(event) => self.show.event(event)?,
            }
        }
    }
}

/// The one clock.
#[derive(Copy, Clone, Debug)]
struct Clock {
    zero: Instant,
    ntp_at_zero: NtpTime,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this loop owns the clock")]
    fn start() -> Self {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { zero: Instant::now(), ntp_at_zero: NtpTime::from_unix(unix) }
    }

    #[expect(clippy::disallowed_methods, reason = "this loop owns the clock")]
    fn now(&self) -> MonoTime {
        MonoTime::ZERO + Instant::now().duration_since(self.zero)
    }

    fn timer(&self, at: MonoTime) -> TimerInstant {
        TimerInstant::from_std(self.zero + at.since(MonoTime::ZERO))
    }

    /// Something that differs from player to player: its identifiers need not be secret.
    fn seed(&self) -> u64 {
        self.ntp_at_zero.to_bits() ^ (u64::from(std::process::id()) << 40)
    }
}
