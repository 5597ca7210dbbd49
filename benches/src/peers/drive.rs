//! The loop that owns the sockets and the clock of one trial: source of the frames, both ways of
//! the link, and sink, on one thread and one clock.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::quantity::duration_text;
use cantus_qos::rtp::Ssrc;
use cantus_qos::time::MonoTime;

use super::frame::Frame;
use super::lanes::{Lane, bind_row, ports};
use super::passage::{Passage, Traffic};
use super::process::{Ended, Process};
use super::roster::Foreign;
use super::trial::{PATIENCE, Step, Trial};
use super::wiring::{CommandLine, Terms};
use crate::duplex::{Direction, Duplex, Enter, Forward, Kind, SharedLog};
use crate::lateness::Lateness;
use crate::link::{LinkError, LinkSpec};
use crate::vigil::{self, Clock, Vigil};

/// The mark of the sink; lanes have two each after it.
const SINK: u64 = 0;
/// Datagrams read from one socket before the others have their turn.
const TURN: usize = 32;
/// The largest packet that is passed on.
const MAX_DATAGRAM: usize = 2048;
/// How often a peer is started that does not get going.
const STARTS: u32 = 3;

/// What is tried.
#[derive(Clone, Debug)]
pub struct Course {
    /// Who carries the frames.
    pub foreign: Foreign,
    /// What they carry them across.
    pub link: LinkSpec,
    /// What the luck of the link follows from.
    pub seed: u64,
    /// By when a frame must be handed over.
    pub latency: Duration,
    /// How many frames count.
    pub frames: u32,
}

/// Why a trial came to nothing. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// There is no such link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The system gives no sockets, or none of the ports that are needed.
    #[error("no sockets for a trial: {0}")]
    Sockets(#[from] io::Error),
    /// A program does not start.
    #[error("cannot start `{line}`: {cause}")]
    Start {
        /// What was typed.
        line: CommandLine,
        /// What the system says.
        cause: io::Error,
    },
    /// A program did not live to the end.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// It handed nothing over.
    #[error("no frame came through within {}{words}", duration_text(PATIENCE))]
    Stillborn {
        /// What the programs said last.
        words: String,
    },
    /// It handed frames over, but too late, on a link that only delays.
    #[error("frames come later than the latency even on a link that only delays")]
    TooSlow,
    /// It was called off.
    #[error("called off")]
    Halted,
}

/// Tries: as long as it takes, or until `halt`. A peer that does not get going is started again, as
/// its user would: a handshake that was held up on a busy machine makes a whole stream late.
///
/// The loop has a thread of its own, which is woken at once. The programs are started before it:
/// they would inherit its priority.
///
/// # Errors
///
/// [`TrialError`].
pub fn run(course: &Course, halt: &Arc<AtomicBool>) -> Result<Passage, TrialError> {
    let mut starts = 1;
    loop {
        match start_and_run(course, halt) {
            Err(TrialError::Stillborn { .. } | TrialError::TooSlow) if starts < STARTS => {
                starts += 1;
            }
            ended => return ended.map(|passage| Passage { starts, ..passage }),
        }
    }
}

fn start_and_run(course: &Course, halt: &Arc<AtomicBool>) -> Result<Passage, TrialError> {
    let rig = Rig::set(course)?;
    let (course, halt) = (course.clone(), halt.clone());
    let work = move || rig.run(&course, &halt);
    let ended = vigil::thread("trial", work)?.join();
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Everything that one trial needs.
struct Rig {
    clock: Clock,
    vigil: Vigil,
    trial: Trial,
    link: Crossing,
    lanes: Vec<Lane>,
    source: UdpSocket,
    sink: UdpSocket,
    ssrc: Ssrc,
    processes: [Process; 2],
}

impl Rig {
    fn set(course: &Course) -> Result<Self, TrialError> {
        let foreign = course.foreign;
        let opens = foreign.lanes();
        let near = bind_row(opens.len())?;
        let sink = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        // These are for the programs. One more comes first in the row: the input of the sender.
        let theirs = bind_row(opens.len() + 2)?;
        let their_ports = ports(&theirs)?;
        let (far, input) = (their_ports[..opens.len()].to_vec(), their_ports[opens.len() + 1]);
        let terms = Terms {
            hold: foreign.hold(course.latency, course.link.delay),
            delay: course.link.delay,
            input,
            output: sink.local_addr()?.port(),
            near: ports(&near)?,
            far: far.clone(),
        };
        let source = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        source.connect((Ipv4Addr::LOCALHOST, input))?;
        let lanes = near.into_iter().zip(far).zip(opens).map(|((near, port), &opens)| {
            let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            Ok(Lane { near, far, target, caller: None, opens })
        });
        let lanes = lanes.collect::<io::Result<Vec<_>>>()?;
        let clock = Clock::start();
        let vigil = watch(clock, &sink, &lanes)?;
        source.set_nonblocking(true)?;
        let link = Crossing::calm(&course.link, course.seed)?;
        drop(theirs);
        let wiring = foreign.wire(&terms);
        let receiver = start(&wiring.receiver)?;
        let processes = [receiver, start(&wiring.sender)?];
        let trial = Trial::new(clock.now(), course.frames, course.latency);
        let ssrc = foreign.ssrc();
        Ok(Self { clock, vigil, trial, link, lanes, source, sink, ssrc, processes })
    }

    fn run(mut self, course: &Course, halt: &AtomicBool) -> Result<Passage, TrialError> {
        let mut ready = Vec::new();
        loop {
            let now = self.clock.now();
            self.link.forward(now, &self.lanes);
            while let Some(step) = self.trial.poll(now) {
                match step {
                    // Nobody listens before the program has begun to.
                    Step::Send(frame) => _ = self.source.send(&frame.write(self.ssrc)),
                    Step::Impair => self.link.impair(now, course)?,
                    Step::End => return self.strike(),
                }
            }
            if halt.load(Ordering::Relaxed) {
                return Err(TrialError::Halted);
            }
            for process in &mut self.processes {
                process.check()?;
            }
            let deadlines = [self.trial.next_deadline(), self.link.next_deadline()];
            self.vigil.wait(deadlines.into_iter().flatten().min(), &mut ready)?;
            for &mark in &ready {
                self.receive(mark)?;
            }
        }
    }

    /// Reads what there is at one socket.
    fn receive(&mut self, mark: u64) -> io::Result<()> {
        let mut buffer = [0; MAX_DATAGRAM];
        for _ in 0..TURN {
            let place = (mark != SINK).then(|| (mark - 1) as usize);
            let lane = place.map(|place| (&self.lanes[place / 2], place % 2 == 0));
            let socket = match lane {
                None => &self.sink,
                Some((lane, true)) => &lane.near,
                Some((lane, false)) => &lane.far,
            };
            let (length, from) = match socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // ICMP tells that an earlier packet found nobody: not yet, or no longer.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(error) => return Err(error),
            };
            let now = self.clock.now();
            let data = Bytes::copy_from_slice(&buffer[..length]);
            match place {
                Some(place) => self.enter(now, place, from, data),
                None => {
                    if let Some(frame) = Frame::read(data) {
                        self.trial.on_handed(now, frame);
                    }
                }
            }
        }
        Ok(())
    }

    fn enter(&mut self, now: MonoTime, place: usize, from: SocketAddr, data: Bytes) {
        let lane = &mut self.lanes[place / 2];
        let (at_near_end, towards) = (place.is_multiple_of(2), lane.direction());
        if at_near_end {
            lane.caller = Some(from);
        }
        let direction = match (at_near_end, towards) {
            (true, towards) => towards,
            (false, Direction::ToClient) => Direction::ToServer,
            (false, Direction::ToServer) => Direction::ToClient,
        };
        let kind = Kind::of_datagram(&data);
        let route = (place / 2) as u32;
        self.link.push(now, Enter::udp(direction, route, kind, data, from.ip()));
    }

    fn strike(self) -> Result<Passage, TrialError> {
        if self.trial.is_stillborn() && self.trial.is_alive() {
            return Err(TrialError::TooSlow);
        }
        if self.trial.is_stillborn() {
            let words = self.processes.each_ref().map(Process::words);
            let words = words.iter().filter(|words| !words.is_empty());
            let words = words.map(|words| format!("; {words}")).collect();
            return Err(TrialError::Stillborn { words });
        }
        let (traffic, lateness) = self.link.measured(self.trial.measured());
        Ok(Passage { lateness, ..Passage::of(&self.trial.tally(), traffic) })
    }
}

fn watch(clock: Clock, sink: &UdpSocket, lanes: &[Lane]) -> io::Result<Vigil> {
    let vigil = Vigil::new(clock)?;
    let ends = lanes.iter().flat_map(|lane| [&lane.near, &lane.far]);
    for (mark, socket) in (SINK..).zip(std::iter::once(sink).chain(ends)) {
        socket.set_nonblocking(true)?;
        vigil.watch(socket, mark)?;
    }
    Ok(vigil)
}

fn start(line: &CommandLine) -> Result<Process, TrialError> {
    let failed = |cause| TrialError::Start { line: line.clone(), cause };
    Process::start(line).map_err(failed)
}

/// The link, calm at first and then as it is to be.
struct Crossing {
    calm: Duplex,
    rough: Option<(MonoTime, Duplex, SharedLog)>,
}

impl Crossing {
    /// A link that only delays, as `spec` does.
    fn calm(spec: &LinkSpec, seed: u64) -> Result<Self, LinkError> {
        let calm: LinkSpec = format!("delay {}", duration_text(spec.delay)).parse()?;
        Ok(Self { calm: Duplex::new(&calm, seed, SharedLog::default())?, rough: None })
    }

    /// From now on packets meet the link under test, whose own time begins here. What is under way
    /// comes through.
    fn impair(&mut self, now: MonoTime, course: &Course) -> Result<(), LinkError> {
        let log = SharedLog::default();
        let rough = Duplex::new(&course.link, course.seed, log.clone())?;
        self.rough = Some((now, rough, log));
        Ok(())
    }

    fn push(&mut self, now: MonoTime, enter: Enter) {
        match &mut self.rough {
            Some((from, rough, _)) => rough.push(since(now, *from), enter),
            None => self.calm.push(now, enter),
        }
    }

    /// Passes on what has come through.
    fn forward(&mut self, now: MonoTime, lanes: &[Lane]) {
        let deliver = |Forward { direction, route, data, .. }: Forward| {
            lanes[route as usize].forward(direction, &data)
        };
        while let Some(forward) = self.calm.pop(now) {
            deliver(forward);
        }
        if let Some((from, rough, log)) = &mut self.rough {
            while let Some(forward) = rough.pop(since(now, *from)) {
                if !deliver(forward) {
                    log.on_unsent();
                }
            }
        }
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        let rough = self.rough.as_ref().and_then(|(from, rough, _)| {
            Some(*from + rough.next_deadline()?.since(MonoTime::ZERO))
        });
        [self.calm.next_deadline(), rough].into_iter().flatten().min()
    }

    /// What crossed the link while frames counted, and by how much the loop was late for 99 of 100
    /// packets.
    fn measured(&self, span: Duration) -> (Traffic, Option<Duration>) {
        let Some((_, _, log)) = &self.rough else {
            return (Traffic::default(), None);
        };
        let log = log.snapshot();
        let mut lateness = Lateness::default();
        for (due, left) in log.entries().iter().filter_map(|entry| entry.due.zip(entry.left)) {
            lateness.record(due, left);
        }
        let late = lateness.quantiles().map(|late| late.p99);
        (Traffic::of(&log, MonoTime::ZERO + span), late)
    }
}

/// `now` on a clock that began at `from`.
fn since(now: MonoTime, from: MonoTime) -> MonoTime {
    MonoTime::ZERO + now.since(from)
}
