//! Whole sessions in virtual time, against a stand-in for the server.

use cantus_qos::rtp::RtpPacket;
use cantus_qos::stats::report::{QosReport, StreamReport};
use cantus_qos::time::{MediaTime, NtpTime, TimeDelta};

use super::*;
use crate::stand_in::{self, FRAMES, StandIn, unit, wish};
use crate::wish::{Latency, SinkClock};

mod allocator;
mod ending;
mod handing;
mod hearing;
mod hostile;
mod lengths;
mod pushed;
mod reporting;
mod roc;
mod starting;
mod terms;
mod together;

const AUDIO: u64 = 1;
const TEXT: u64 = 3;
const LATENCY: Duration = Duration::from_millis(200);

fn ms(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

fn media(millis: i64) -> MediaTime {
    MediaTime::from_millis(millis)
}

/// What was shown: when, which, and by how much it came after its sound.
type Shown = (MonoTime, u32, TimeDelta);

/// A sink with a clock: it holds up to 50 ms and is asked every ten.
struct Sink {
    /// When all that was written has been heard.
    heard_at: MonoTime,
}

impl Sink {
    const PERIOD: Duration = Duration::from_millis(10);
    const HOLDS: Duration = Duration::from_millis(50);

    fn wants(&self, now: MonoTime) -> (usize, Duration) {
        let pending = self.heard_at.since(now);
        let room = MediaTime::from_duration(Self::HOLDS.saturating_sub(pending));
        (room.ticks(stand_in::format().rate) as usize, pending)
    }

    /// When the first of `frames` frames is heard.
    fn write(&mut self, now: MonoTime, frames: usize) -> MonoTime {
        let heard_at = self.heard_at.max(now);
        let span = MediaTime::from_ticks(frames as i64, stand_in::format().rate);
        self.heard_at = heard_at + span.to_delta();
        heard_at
    }
}

/// A player, its server, and everything that came of it.
struct House {
    player: Player,
    server: StandIn,
    now: MonoTime,
    /// When the server is to receive, and answer, what the player asks.
    answers: bool,
    unanswered: Vec<Bytes>,
    arrivals: Vec<(MonoTime, u64, Channel, Bytes)>,
    sink: Option<Sink>,
    /// While the player's thread is not let run.
    stalls: Vec<std::ops::Range<MonoTime>>,
    /// When it is heard, what it is, and the samples.
    sound: Vec<(MonoTime, Option<MediaTime>, Vec<f32>)>,
    shown: Vec<Shown>,
    reports: Vec<Bytes>,
    range: Option<(MediaTime, Option<MediaTime>)>,
    ending: Option<Ending>,
}

impl House {
    fn new(wish: Wish, server: StandIn) -> Self {
        let sink = (wish.sink_clock == SinkClock::Sink).then_some(Sink { heard_at: ms(0) });
        let mut player = Player::new(wish);
        player.start(MonoTime::ZERO, MonoTime::ZERO);
        Self {
            player,
            server,
            now: MonoTime::ZERO,
            answers: true,
            unanswered: Vec::new(),
            arrivals: Vec::new(),
            sink,
            stalls: Vec::new(),
            sound: Vec::new(),
            shown: Vec::new(),
            reports: Vec::new(),
            range: None,
            ending: None,
        }
    }

    /// Unit `index` of the audio track arrives at `at`.
    fn send(&mut self, at: MonoTime, packet: &RtpPacket) {
        self.arrive(at, AUDIO, Channel::Rtp, packet.write(None));
    }

    fn arrive(&mut self, at: MonoTime, flow: u64, channel: Channel, data: Bytes) {
        self.arrivals.push((at, flow, channel, data));
    }

    /// The units of `range` arrive 10 ms after they are presented.
    fn stream(&mut self, range: std::ops::Range<usize>) {
        range.for_each(|index| self.send(ms(10 + index as u64 * 20), &unit(index)));
    }

    /// Lives until `until`, or the end.
    fn run(&mut self, until: MonoTime) {
        self.arrivals.sort_by_key(|(at, ..)| *at);
        while self.ending.is_none() {
            let deadline = self.poll();
            if self.ending.is_some() {
                return;
            }
            let arrival = self.arrivals.first().map(|(at, ..)| *at);
            let tick = self.sink.as_ref().map(|_| self.now + Sink::PERIOD);
            let next = [deadline, arrival, tick].into_iter().flatten().min();
            let next = next.map(|at| self.awake(at)).filter(|at| *at <= until);
            let Some(next) = next else {
                self.now = until;
                return;
            };
            self.now = self.now.max(next);
            while self.arrivals.first().is_some_and(|(at, ..)| *at <= self.now) {
                // The system knows when it came, however late it is handed over.
                let (came, flow, channel, data) = self.arrivals.remove(0);
                let flow = FlowId::new(flow).unwrap();
                self.player.handle(came, Input::Packet { flow, channel, data });
            }
            if let Some((frames, pending)) = self.sink.as_ref().map(|sink| sink.wants(self.now)) {
                self.player.handle(self.now, Input::SinkWants { frames, pending });
            }
        }
    }

    /// When a player that is to wake at `at` does.
    fn awake(&self, at: MonoTime) -> MonoTime {
        self.stalls.iter().find(|stall| stall.contains(&at)).map_or(at, |stall| stall.end)
    }

    fn poll(&mut self) -> Option<MonoTime> {
        loop {
            match self.player.poll(self.now) {
                Output::Wait(deadline) => return deadline,
                Output::Control(data) if self.answers => self.ask(&data),
                Output::Control(data) => self.unanswered.push(data),
                Output::Transmit { data, .. } => self.reports.push(data),
                Output::Event(event) => self.take(event),
                Output::Bind(_) | Output::Peer { .. } => {}
            }
        }
    }

    fn ask(&mut self, data: &[u8]) {
        for answer in self.server.answer(data) {
            self.player.handle(self.now, Input::Control(answer.as_bytes()));
        }
    }

    fn answer_all(&mut self) {
        self.answers = true;
        for data in std::mem::take(&mut self.unanswered) {
            self.ask(&data);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Ready { range, .. } => self.range = Some(range),
            Event::Sound { samples, position } => {
                let sink = self.sink.as_mut();
                let heard_at = sink.map_or(self.now, |sink| sink.write(self.now, samples.len()));
                self.sound.push((heard_at, position, samples));
            }
            Event::Show { cue, skew } => self.shown.push((self.now, cue.id, skew)),
            Event::Ended(ending) => self.ending = Some(ending),
        }
    }

    /// All that was heard of the presentation, as the integers that were sent.
    fn heard(&self) -> Vec<i16> {
        let media = self.sound.iter().filter(|(_, position, _)| position.is_some());
        media.flat_map(|(.., samples)| samples).map(|it| (it * 32_768.0) as i16).collect()
    }

    /// Panics unless these samples were heard, and no others.
    fn assert_heard(&self, expected: &[i16]) {
        let heard = self.heard();
        let off = heard.iter().zip(expected).position(|(heard, expected)| heard != expected);
        assert_eq!((heard.len(), off), (expected.len(), None), "how many, and where it goes wrong");
    }

    /// When the first sample of the presentation was heard, and its position.
    fn first(&self) -> (MonoTime, MediaTime) {
        let first = self.sound.iter().find_map(|(at, position, _)| Some((*at, (*position)?)));
        first.expect("something was heard")
    }

    fn report(&self) -> QosReport {
        self.player.report()
    }

    fn audio(&self) -> StreamReport {
        self.report().streams.remove(0)
    }

    fn failure(&self) -> String {
        match &self.ending {
            Some(Ending::Failed(error)) => error.to_string(),
            other => panic!("it has not failed: {other:?}"),
        }
    }
}

fn fixed() -> Wish {
    let mut wish = wish();
    wish.latency = Latency::Fixed(LATENCY);
    wish
}

/// The samples that were sent, from `first` up to `end`.
fn sent(range: std::ops::Range<usize>) -> Vec<i16> {
    range.map(|n| n as i16).collect()
}
