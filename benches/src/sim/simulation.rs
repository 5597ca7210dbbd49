//! The loop: from deadline to deadline until the player has ended.

use std::time::Duration;

use cantus_player::wire as player;
use cantus_player::wish::Carrier;
use cantus_qos::time::{MonoTime, NtpTime};
use cantus_streamer::server::{Server, ServerConfig};
use cantus_streamer::wire as streamer;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::carriage::{Arrival, CONNECTION, Carriage};
use super::listener::Listener;
use super::media::Media;
use super::outcome::{Milestone, Offered, Outcome};
use super::passage::{Passing, Verdict};
use super::path::{IPV4, Path};
use super::quic::{Quic, QuicError};
use super::scenario::{Scenario, ScenarioError};
use super::udp::{MEDIA_PORTS, Udp};
use crate::duplex::{Direction, Duplex, Kind, PacketLog, SharedLog, udp_overhead};
use crate::link::LinkError;

/// Packets of which the story is kept where it is asked for: several hours of them.
const PACKETS_KEPT: usize = 1 << 22;

/// After the player's end the farewells are still delivered.
const FAREWELL: Duration = Duration::from_secs(2);

/// No presentation lasts as long: whatever is not over by then hangs.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Time moves at least so much from step to step: a deadline that has passed and yet does not act
/// must not hold it.
const LEAST_STEP: Duration = Duration::from_nanos(1);

/// What the wall clock of the streamer shows at the beginning, since the UNIX epoch.
const WALL_CLOCK: Duration = Duration::from_secs(1_700_000_000);

/// Why a scenario cannot be played at all. What goes wrong while it is played is an outcome.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The scenario makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The link cannot be.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// QUIC cannot be set up.
    #[error(transparent)]
    Quic(#[from] QuicError),
}

/// Plays a scenario from `media`.
///
/// # Errors
///
/// If it cannot be played at all. A refusal, a broken promise or a session that breaks off is an
/// [`Outcome`].
pub fn run(media: &Media, scenario: &Scenario) -> Result<Outcome, SimError> {
    run_with(media, scenario, |_| Verdict::Pass)
}

/// The same with hands on every UDP packet that is about to enter its link.
///
/// # Errors
///
/// As [`run`].
pub fn run_with(
    media: &Media,
    scenario: &Scenario,
    mut hook: impl FnMut(&Passing) -> Verdict,
) -> Result<Outcome, SimError> {
    let kept = if scenario.capture.packets { PACKETS_KEPT } else { 0 };
    let log = SharedLog::from(PacketLog::with_limit(kept));
    let path = Path::new(Duplex::of(scenario.path.links(scenario.seed)?, log.clone()), &mut hook);
    let carriage: Box<dyn Carriage> = match scenario.carrier {
        Carrier::Udp => {
            let (there, back) = scenario.path.delays();
            Box::new(Udp::new(there, back))
        }
        Carrier::Quic => Box::new(Quic::new(scenario.seed)?),
    };
    let mut seed = [0; 32];
    ChaCha8Rng::seed_from_u64(scenario.seed).fill_bytes(&mut seed);
    let ntp_at_zero = NtpTime::from_unix(WALL_CLOCK);
    let config = ServerConfig {
        max_bitrate: scenario.limits.rate,
        max_sessions: scenario.limits.sessions,
        media_ports: MEDIA_PORTS,
        ntp_at_zero,
        cname: "cantus@streamer.invalid".to_owned(),
    };
    let mut server = Server::new(config, seed);
    if let Some(beginning) = scenario.beginning {
        server.begin_streams_at(beginning);
    }
    let listener = Listener::new(scenario, ntp_at_zero)?;
    let simulation = Simulation {
        now: MonoTime::ZERO,
        media,
        path,
        carriage,
        server,
        listener,
        offered: Offered::default(),
    };
    let outcome = simulation.play();
    Ok(Outcome { packets: log.snapshot(), ..outcome })
}

struct Simulation<'a> {
    now: MonoTime,
    media: &'a Media,
    path: Path<'a>,
    carriage: Box<dyn Carriage>,
    server: Server,
    listener: Listener,
    offered: Offered,
}

impl Simulation<'_> {
    fn play(mut self) -> Outcome {
        self.listener.note(self.now, Milestone::Asked);
        self.carriage.connect(self.now);
        while let Some(next) = self.act() {
            let over = self.listener.ended_at().map(|at| at + FAREWELL);
            if next > over.unwrap_or(MonoTime::ZERO + LONGEST) {
                break;
            }
            self.now = next.max(self.now + LEAST_STEP);
        }
        let outcome = self.listener.into_outcome(self.now, &self.path, self.server.session_count());
        Outcome { offered: self.offered, ..outcome }
    }

    fn offer(&mut self, direction: Direction, kind: Kind, data: &[u8]) {
        let amount = self.offered.entry((direction, kind)).or_default();
        amount.packets += 1;
        amount.bytes += (data.len() + udp_overhead(IPV4)) as u64;
    }

    /// Lets everything happen that happens now; the next instant at which something does.
    fn act(&mut self) -> Option<MonoTime> {
        loop {
            let mut moved = false;
            while let Some(arrival) = self.carriage.pop(self.now, &mut self.path) {
                self.deliver(arrival);
                moved = true;
            }
            let server = self.poll_server(&mut moved);
            let player = self.poll_player(&mut moved);
            self.carriage.flush(self.now, &mut self.path);
            if !moved {
                let network = [self.carriage.next_deadline(), self.path.next_deadline()];
                return [server, player].into_iter().chain(network).flatten().min();
            }
        }
    }

    fn deliver(&mut self, arrival: Arrival) {
        let now = self.now;
        let connection = CONNECTION;
        match arrival {
            Arrival::Accepted(carrier) => {
                self.server.handle(now, streamer::Input::Connected { connection, carrier });
            }
            Arrival::Connected => {
                self.listener.note(now, Milestone::Connected);
                self.listener.player.start(now, MonoTime::ZERO);
            }
            Arrival::Request(data) => {
                self.server.handle(now, streamer::Input::Control { connection, data: &data });
            }
            Arrival::Answer(data) => self.listener.handle(now, player::Input::Control(&data)),
            Arrival::Feedback(source, data) => {
                self.server.handle(now, streamer::Input::Feedback { source, data: &data });
            }
            Arrival::Path(path) => {
                self.server.handle(now, streamer::Input::Path { connection, path });
            }
            Arrival::Packet { flow, channel, data } => {
                self.listener.handle(now, player::Input::Packet { flow, channel, data });
            }
            Arrival::Lost => {
                self.listener.note(now, Milestone::Lost);
                self.server.handle(now, streamer::Input::Disconnected { connection });
                self.listener.handle(now, player::Input::Closed);
            }
        }
    }

    fn poll_server(&mut self, moved: &mut bool) -> Option<MonoTime> {
        loop {
            match self.server.poll(self.now) {
                streamer::Output::Wait(deadline) => return deadline,
                streamer::Output::Control { data, .. } => self.carriage.answer(self.now, data),
                streamer::Output::Transmit(transmit) => {
                    let kind = Kind::of_delivery(transmit.channel, transmit.class);
                    self.offer(Direction::ToClient, kind, &transmit.data);
                    self.carriage.to_player(self.now, &mut self.path, transmit);
                }
                streamer::Output::Fetch { connection, fetch } => {
                    let fetched = self.media.fetch(&fetch);
                    let input = streamer::Input::Fetched { connection, fetched };
                    self.server.handle(self.now, input);
                }
                streamer::Output::Encode(job) => job.run(),
                streamer::Output::Granted { rate, .. } => self.carriage.granted(rate),
                // Only after what cannot be understood, which our own player does not say.
                streamer::Output::Close { .. } => {}
            }
            *moved = true;
        }
    }

    fn poll_player(&mut self, moved: &mut bool) -> Option<MonoTime> {
        loop {
            match self.listener.poll(self.now) {
                player::Output::Wait(deadline) => return deadline,
                player::Output::Control(data) => self.carriage.request(self.now, data),
                player::Output::Bind(flow) => {
                    if let Some(bound) = self.carriage.bind(flow) {
                        self.listener.handle(self.now, bound);
                    }
                }
                player::Output::Transmit { flow, channel, data, .. } => {
                    self.offer(Direction::ToServer, Kind::Rtcp, &data);
                    self.carriage.to_streamer(self.now, &mut self.path, flow, channel, data);
                }
                // The streamer's ports are known here; events stay with the listener.
                player::Output::Peer { .. } | player::Output::Event(_) => {}
            }
            *moved = true;
        }
    }
}
