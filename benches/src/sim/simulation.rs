//! The loop: from deadline to deadline until the player has ended.

use std::time::Duration;

use cantus_player::wire as player;
use cantus_qos::time::{MonoTime, NtpTime};
use cantus_streamer::server::{MAX_CONNECTIONS, Server, ServerConfig};
use cantus_streamer::wire as streamer;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bulk::Bulk;
use super::carriage::Arrival;
use super::media::Media;
use super::outcome::{Companion, Milestone, Outcome};
use super::party::Party;
use super::passage::{Passing, Verdict};
use super::path::Path;
use super::place::Place;
use super::quic::QuicError;
use super::scenario::{Scenario, ScenarioError};
use super::udp::MEDIA_PORTS;
use crate::duplex::{Direction, Duplex, Kind, PacketLog, SharedLog};
use crate::link::LinkError;
use crate::plan::{Flow, Neighbour};

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
    let ntp_at_zero = NtpTime::from_unix(WALL_CLOCK);
    let mut parties = vec![Party::new(Place::new(0), scenario, ntp_at_zero)?];
    let mut bulks = Vec::new();
    for (number, neighbour) in scenario.company.neighbours().iter().enumerate() {
        let place = Place::new(number + 1);
        match neighbour.flow {
            Flow::Session(carrier) => {
                let scenario = Scenario { carrier, ..scenario.clone() };
                let party = Party::new(place, &scenario, ntp_at_zero)?;
                parties.push(party.beginning(MonoTime::ZERO + neighbour.from));
            }
            Flow::Tcp(congestion) => {
                let begins = MonoTime::ZERO + neighbour.from;
                bulks.push(Bulk::new(place, congestion, begins, scenario.seed)?);
            }
        }
    }
    let server = server(scenario, ntp_at_zero);
    let simulation = Simulation { now: MonoTime::ZERO, media, path, server, parties, bulks };
    Ok(simulation.play(scenario, &log))
}

/// The one streamer.
fn server(scenario: &Scenario, ntp_at_zero: NtpTime) -> Server {
    let mut seed = [0; 32];
    ChaCha8Rng::seed_from_u64(scenario.seed).fill_bytes(&mut seed);
    let config = ServerConfig {
        max_bitrate: scenario.limits.rate,
        max_sessions: scenario.limits.sessions,
        max_connections: MAX_CONNECTIONS,
        users: None,
        media_ports: MEDIA_PORTS,
        ntp_at_zero,
        cname: "cantus@streamer.invalid".to_owned(),
    };
    let mut server = Server::new(config, seed);
    if let Some(beginning) = scenario.beginning {
        server.begin_streams_at(beginning);
    }
    server
}

struct Simulation<'a> {
    now: MonoTime,
    media: &'a Media,
    path: Path<'a>,
    server: Server,
    /// The session, and those beside it.
    parties: Vec<Party>,
    bulks: Vec<Bulk>,
}

impl Simulation<'_> {
    fn play(mut self, scenario: &Scenario, log: &SharedLog) -> Outcome {
        while let Some(next) = self.act() {
            let over = self.ended_at().map(|at| at + FAREWELL);
            if next > over.unwrap_or(MonoTime::ZERO + LONGEST) {
                break;
            }
            self.now = next.max(self.now + LEAST_STEP);
        }
        let packets = log.snapshot();
        let alone = scenario.company.is_empty();
        let counts = self.path.counts();
        let (now, left) = (self.now, self.server.session_count());
        let mut outcomes = self.parties.into_iter().map(|party| {
            let place = party.place;
            let of_it = || packets.only(|entry| Place::of_route(entry.route) == place);
            let packets = if alone { packets.clone() } else { of_it() };
            Outcome { packets, ..party.into_outcome(now, counts, left) }
        });
        let own = outcomes.next().expect("there is always a session");
        let neighbours = scenario.company.neighbours().iter().enumerate();
        let companions = neighbours.map(|(number, &Neighbour { flow, from })| {
            let place = Place::new(number + 1);
            let outcome = match flow {
                Flow::Session(_) => outcomes.next(),
                Flow::Tcp(_) => None,
            };
            let packets = packets.only(|entry| Place::of_route(entry.route) == place);
            Companion { flow, from, packets, outcome }
        });
        Outcome { companions: companions.collect(), ..own }
    }

    /// When the last player's end was told; `None` while one still plays.
    fn ended_at(&self) -> Option<MonoTime> {
        let ends = self.parties.iter().map(|party| party.listener.ended_at());
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Lets everything happen that happens now; the next instant at which something does.
    fn act(&mut self) -> Option<MonoTime> {
        self.parties.iter_mut().for_each(|party| party.begin(self.now));
        loop {
            let mut moved = self.take_arrivals();
            let server = self.poll_server(&mut moved);
            let mut players = Vec::new();
            for index in 0..self.parties.len() {
                players.extend(self.poll_player(index, &mut moved));
            }
            for party in &mut self.parties {
                party.carriage.flush(self.now, &mut self.path);
            }
            for bulk in &mut self.bulks {
                bulk.flush(self.now, &mut self.path);
            }
            if !moved {
                let parties = self.parties.iter().filter_map(Party::next_deadline);
                let bulks = self.bulks.iter().filter_map(Bulk::next_deadline);
                let network = self.path.next_deadline();
                let ends = server.into_iter().chain(players).chain(network);
                return ends.chain(parties).chain(bulks).min();
            }
        }
    }

    /// Hands over what has come through the links and the pipes beside them; whether anything has.
    fn take_arrivals(&mut self) -> bool {
        let mut moved = false;
        loop {
            for index in 0..self.parties.len() {
                while let Some(arrival) = self.parties[index].carriage.pop(self.now) {
                    self.deliver(index, arrival);
                    moved = true;
                }
            }
            let Some(arrived) = self.path.pop(self.now) else { return moved };
            let place = Place::of_route(arrived.route);
            if let Some(party) = self.parties.iter_mut().find(|party| party.place == place) {
                party.carriage.receive(self.now, arrived);
            } else if let Some(bulk) = self.bulks.iter_mut().find(|bulk| bulk.place() == place) {
                bulk.receive(self.now, &arrived);
            }
        }
    }

    fn deliver(&mut self, index: usize, arrival: Arrival) {
        let now = self.now;
        let Party { place, begins, listener, .. } = &mut self.parties[index];
        let connection = place.connection();
        match arrival {
            Arrival::Accepted(carrier) => {
                self.server.handle(now, streamer::Input::Connected { connection, carrier });
            }
            Arrival::Connected => {
                listener.note(now, Milestone::Connected);
                listener.player.start(now, *begins);
            }
            Arrival::Request(data) => {
                self.server.handle(now, streamer::Input::Control { connection, data: &data });
            }
            Arrival::Answer(data) => listener.handle(now, player::Input::Control(&data)),
            Arrival::Feedback(source, data) => {
                self.server.handle(now, streamer::Input::Feedback { source, data: &data });
            }
            Arrival::Path(path) => {
                self.server.handle(now, streamer::Input::Path { connection, path });
            }
            Arrival::Packet { flow, channel, data } => {
                listener.handle(now, player::Input::Packet { flow, channel, data });
            }
            Arrival::Lost => {
                listener.note(now, Milestone::Lost);
                self.server.handle(now, streamer::Input::Disconnected { connection });
                listener.handle(now, player::Input::Closed);
            }
        }
    }

    fn poll_server(&mut self, moved: &mut bool) -> Option<MonoTime> {
        loop {
            let now = self.now;
            match self.server.poll(now) {
                streamer::Output::Wait(deadline) => return deadline,
                streamer::Output::Control { connection, data } => {
                    if let Some(party) = self.party(Place::of_connection(connection)) {
                        party.carriage.answer(now, data);
                    }
                }
                streamer::Output::Transmit(transmit) => self.transmit(transmit),
                streamer::Output::Fetch { connection, fetch } => {
                    let fetched = self.media.fetch(&fetch);
                    let input = streamer::Input::Fetched { connection, fetched };
                    self.server.handle(now, input);
                }
                streamer::Output::Encode(job) => job.run(),
                streamer::Output::Granted { connection, rate } => {
                    if let Some(party) = self.party(Place::of_connection(connection)) {
                        party.carriage.granted(rate);
                    }
                }
                // Only after what cannot be understood, which our own player does not say.
                streamer::Output::Close { .. } | streamer::Output::Cut { .. } => {}
            }
            *moved = true;
        }
    }

    fn party(&mut self, place: Option<Place>) -> Option<&mut Party> {
        self.parties.iter_mut().find(|party| Some(party.place) == place)
    }

    fn transmit(&mut self, transmit: streamer::Transmit) {
        let place = Place::of_destination(&transmit.destination);
        let Some(party) = self.parties.iter_mut().find(|party| Some(party.place) == place) else {
            return;
        };
        let kind = Kind::of_delivery(transmit.channel, transmit.class);
        party.offer(Direction::ToClient, kind, &transmit.data);
        party.carriage.to_player(self.now, &mut self.path, transmit);
    }

    fn poll_player(&mut self, index: usize, moved: &mut bool) -> Option<MonoTime> {
        let party = &mut self.parties[index];
        loop {
            match party.listener.poll(self.now) {
                player::Output::Wait(deadline) => return deadline,
                player::Output::Control(data) => party.carriage.request(self.now, data),
                player::Output::Bind(flow) => {
                    if let Some(bound) = party.carriage.bind(flow) {
                        party.listener.handle(self.now, bound);
                    }
                }
                player::Output::Transmit { flow, channel, data, .. } => {
                    party.offer(Direction::ToServer, Kind::Rtcp, &data);
                    party.carriage.to_streamer(self.now, &mut self.path, flow, channel, data);
                }
                // The streamer's ports are known here; events stay with the listener.
                player::Output::Peer { .. } | player::Output::Event(_) => {}
            }
            *moved = true;
        }
    }
}
