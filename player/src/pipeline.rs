//! The chain of the player, pure, in the order in which a unit passes it.
//!
//! ```text
//! transport -> fec decoder -> playout buffer -> decoder / concealment -> mix -> time scale
//!           -> resampler, where a sink's clock drifts -> sink
//!           -> cues, held until the sound they belong to is heard
//! reception -> receiver reports
//! ```

mod bargain;
mod beginning;
mod drift;
mod ending;
mod handed;
mod lip_sync;
mod mix;
mod pace;
mod paths;
mod reception;
mod reports;
mod requests;
mod resampler;
mod sender;
mod sink_time;
mod stall;
mod tempo;
mod track;
mod words;

pub use track::Traffic;

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::delivery::Channel;
use cantus_qos::payload::AudioFormat;
use cantus_qos::payload::cue::Cue;
use cantus_qos::roq::FlowId;
use cantus_qos::spec::PromiseWatch;
use cantus_qos::stats::{Distribution, Outcome};
use cantus_qos::sync::PlayoutClock;
use cantus_qos::time::{MediaTime, MonoTime, TimeDelta};

use crate::client::{Playing, Role};
use crate::error::PlayError;
use crate::wish::{Carrier, Latency, SinkClock, Wish};
use bargain::Bargain;
use beginning::Beginning;
use drift::DriftCorrection;
use handed::{HandOver, Handed};
use mix::Mix;
use pace::Pace;
use reports::ReceiverReports;
use requests::Requests;
use resampler::Resampler;
use sender::SenderTime;
use sink_time::SinkTime;
use stall::Stall;
use track::IP_UDP_HEADERS;
pub(crate) use track::Track;
pub(crate) use words::Words;

/// A packet that leaves the chain.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The flow.
    pub flow: FlowId,
    /// RTP or RTCP.
    pub channel: Channel,
    /// The bytes.
    pub data: Bytes,
}

/// Samples that leave the chain.
#[derive(Clone, Debug)]
pub struct Block {
    /// Interleaved, between -1 and 1.
    pub samples: Vec<f32>,
    /// The media time of the first; `None` is silence before the beginning.
    pub position: Option<MediaTime>,
}

/// Everything that a player receives, from packets to samples and cues.
#[derive(Debug)]
pub struct Pipeline {
    pub(crate) tracks: Vec<Track>,
    pub(crate) words: Option<Words>,
    pub(crate) sender: SenderTime,
    pub(crate) pace: Pace,
    pub(crate) first_sound: Option<MonoTime>,
    /// How much was buffered whenever something was handed to the sink.
    pub(crate) depths: Distribution,
    /// The latency that playback aims at.
    pub(crate) aim: Option<Duration>,
    /// Whether what was promised is kept.
    pub(crate) watch: PromiseWatch,
    /// The promised delay, and the one in force.
    bargain: Option<Bargain>,
    /// Whether another than the promised one ever was: then time scaling brings it back.
    bargained: bool,
    /// Another delay than before, not yet told to the server.
    renewed: Option<Duration>,
    reports: ReceiverReports,
    requests: Requests,
    mix: Mix,
    sink_clock: SinkClock,
    sink: SinkTime,
    drift: DriftCorrection,
    resampler: Resampler,
    playout: Option<PlayoutClock>,
    beginning: Beginning,
    /// How long before they are due blocks leave for a sink without a clock.
    lead: Duration,
    /// How long before that they may, where all is there.
    ahead: Duration,
    /// What such a sink was handed last.
    handed: Handed,
    /// What was last handed to a sink with a clock: when it is heard, and what it is.
    sounded: Option<PlayoutClock>,
    from: MediaTime,
    position: MediaTime,
    stall: Stall,
    until: Option<MediaTime>,
    carrier: Carrier,
    /// Whether it comes unasked.
    pub(crate) pushed: bool,
    /// When something was last there to be played.
    last_fed: MonoTime,
    /// When something last came.
    last_heard: MonoTime,
    closed: bool,
    /// Why the server has ended the session, where it said so.
    farewell: Option<String>,
}

impl Pipeline {
    /// The chain for what the server agreed to play.
    ///
    /// # Errors
    ///
    /// If there is nothing to hear, or it cannot be decoded or mixed.
    pub fn new(now: MonoTime, wish: &Wish, playing: &Playing) -> Result<Self, PlayError> {
        let (start, until) = playing.range;
        let url = || wish.url.to_string();
        let mut tracks = Vec::new();
        for plan in &playing.flows {
            let repairs = |it: &&_| is_repair_of(it, plan.id);
            let repair = playing.flows.iter().find(repairs);
            tracks.extend(Track::new(plan, repair, playing)?);
        }
        let mix = Mix::new(&tracks).map_err(|mixed| match mixed {
            mix::MixError::Nothing => PlayError::NoAudio { url: url() },
            mix::MixError::Rates => PlayError::MixedRates { url: url() },
        })?;
        // Between two samples nothing can begin.
        let rate = mix.format().rate;
        let from = MediaTime::from_ticks(playing.from.ticks(rate), rate);
        let text = playing.flows.iter().find(|plan| plan.role == Role::Text);
        let reports = ReceiverReports::new(now, wish.seed);
        let lead = match wish.sink_clock {
            SinkClock::Sender => wish.lead,
            SinkClock::Sink => Duration::ZERO,
        };
        // The offer that was taken may be a longer one.
        let promised = match wish.latency {
            Latency::Fixed(delay) => Some(playing.terms.delay.unwrap_or(delay)),
            Latency::Auto | Latency::Stored => None,
        };
        let latency = promised.map_or(wish.latency, Latency::Fixed);
        let pace = Pace::new(latency, &playing.terms, lead, mix.format());
        Ok(Self {
            words: text.map(|plan| Words::new(plan, from)),
            sender: SenderTime::new(now, start, playing.clock, wish.shared_clock),
            pace: pace.of_tracks(if playing.clock.is_some() { 1 } else { tracks.len() }),
            tracks,
            first_sound: None,
            depths: Distribution::new(),
            aim: None,
            watch: PromiseWatch::new(&playing.terms).with_accuracy(match playing.clock {
                Some(_) => PromiseWatch::ACCURACY,
                None => PromiseWatch::ACCURACY_UNTOLD,
            }),
            bargain: promised.map(Bargain::new),
            bargained: false,
            renewed: None,
            requests: Requests::new(reports.ssrc()),
            reports,
            resampler: Resampler::new(mix.format()),
            mix,
            sink_clock: wish.sink_clock,
            sink: SinkTime::default(),
            drift: DriftCorrection::default(),
            playout: None,
            beginning: Beginning::default(),
            lead,
            ahead: wish.ahead,
            handed: Handed::default(),
            sounded: None,
            from,
            position: from,
            stall: Stall::default(),
            until,
            carrier: wish.carrier,
            pushed: playing.pushed,
            last_fed: now,
            last_heard: now,
            closed: false,
            farewell: None,
        })
    }

    /// What the samples are.
    pub fn format(&self) -> AudioFormat {
        self.mix.format()
    }

    /// Where playback stands: the media time of the next sample.
    pub fn position(&self) -> MediaTime {
        self.position
    }

    /// The range's end, where it is known.
    pub fn until(&self) -> Option<MediaTime> {
        self.until
    }

    /// How much is buffered.
    pub fn depth(&self) -> MediaTime {
        let depths = self.tracks.iter().map(|track| track.depth(self.position));
        depths.min().unwrap_or_default()
    }

    /// A packet came.
    pub fn on_packet(&mut self, now: MonoTime, flow: FlowId, channel: Channel, data: Bytes) {
        self.watch.on_bytes(now, data.len() + IP_UDP_HEADERS as usize);
        // Repair packets have no RTP header: where RTCP shares the flow, some look like it.
        let is_repair = self.tracks.iter().any(|track| track.repair_flow() == Some(flow));
        if channel == Channel::Rtcp && !is_repair {
            let round_trip = reports::on_report(now, flow, &data, &mut self.tracks);
            self.keep_together();
            return round_trip.into_iter().for_each(|it| self.on_round_trip(it));
        }
        if let Some(words) = self.words.as_mut().filter(|words| words.flow == flow) {
            return words.on_packet(data);
        }
        for (index, track) in self.tracks.iter_mut().enumerate() {
            let heard = if track.flow == flow {
                track.on_media(now, data.clone(), &mut self.sender)
            } else if track.repair_flow() == Some(flow) {
                track.on_repair(now, data.clone(), &mut self.sender)
            } else {
                continue;
            };
            if !heard.is_empty() {
                self.last_fed = self.last_fed.max(now);
                self.last_heard = now;
            }
            for it in heard {
                self.pace.path(index).expect(now, it.expected);
                let Some(delay) = it.delay else { continue };
                if it.by_itself {
                    self.pace.path(index).observe(now, delay);
                    self.watch.on_transit(now, delay);
                    self.bargain(now, delay);
                } else {
                    self.pace.path(index).observe_repaired(now, delay);
                }
            }
            self.keep_together();
            return self.note_beginning(now);
        }
    }

    /// A round trip was measured.
    pub fn on_round_trip(&mut self, round_trip: Duration) {
        self.sender.on_round_trip(round_trip);
        self.tracks.iter_mut().for_each(|track| track.intake.on_round_trip(round_trip));
    }

    /// The server is gone; what is buffered is still played.
    pub fn on_closed(&mut self) {
        self.closed = true;
    }

    /// The server has ended the session because of `reason`; what is buffered is still played.
    pub fn on_ended(&mut self, reason: String) {
        self.closed = true;
        self.farewell = Some(reason);
    }

    /// The next samples that are due by the sender's clock, [`Wish::lead`] before they are. They
    /// are heard when they are due, or as they leave at `now`, where that is later.
    pub fn pop_sound(&mut self, now: MonoTime) -> Option<Block> {
        if self.sink_clock == SinkClock::Sink || self.is_deserted(now) {
            return None;
        }
        let due = self.next_sound_at().filter(|due| *due <= now + self.leaves_before())?;
        let due = self.not_too_soon(now, due);
        self.playout.get_or_insert(PlayoutClock::new(due, self.position));
        self.render(now, HandOver { due, left: now })
    }

    /// How much later everything was heard for having been waited for, all told.
    pub fn waited(&self) -> MediaTime {
        self.stall.waited()
    }

    /// How often playback stood still for that.
    pub fn stalls(&self) -> u64 {
        self.stall.times()
    }

    /// Renders one unit.
    fn render(&mut self, now: MonoTime, when: HandOver) -> Option<Block> {
        if self.is_rendered() {
            return None;
        }
        let waited = self.stall.waited();
        if let Some(mut made_up) = self.stand(when) {
            self.keep_waiting(waited, &mut made_up.samples);
            return Some(made_up);
        }
        if self.has_more() {
            self.last_fed = self.last_fed.max(now);
        }
        self.skip_gap(when.due);
        self.drift.moved((self.stall.waited() - waited).to_delta());
        let position = self.position;
        let end = position + self.piece();
        // What left ahead waits in the sink.
        let ahead = (when.due - when.left - self.lead.into()).max_zero();
        self.depths.record(self.depth().to_delta() + ahead.into());
        self.aim = Some(self.pace.start_delay());
        let delay = self.delay(when.due);
        let mut samples = self.mix.render(&mut self.tracks, position, end, when);
        self.judge(when);
        self.position = end;
        self.first_sound.get_or_insert(when.heard_at(when.due));
        match self.sink_clock {
            SinkClock::Sender => self.handed.push(when, position, end),
            SinkClock::Sink => self.sounded = Some(PlayoutClock::new(when.due, position)),
        }
        self.keep_pace(delay, end - position, &mut samples);
        Some(Block { samples, position: Some(position) })
    }

    /// What became of the units whose turn came goes to the watch.
    fn judge(&mut self, when: HandOver) {
        for track in &mut self.tracks {
            for outcome in track.stock.ledger.outcomes() {
                match outcome {
                    Outcome::Heard { at, delay } => self.watch.on_unit(at, true, delay),
                    Outcome::Missed => self.watch.on_unit(when.due, false, None),
                }
            }
        }
    }

    /// What is heard at `now`, by what was handed to the sink and when; where it left late, what
    /// was to be heard.
    pub fn heard(&self, now: MonoTime) -> Option<MediaTime> {
        match self.sink_clock {
            SinkClock::Sender => self.handed.due(now),
            SinkClock::Sink => self.sounded.map(|sounded| sounded.position(now)),
        }
    }

    /// The next cue that is due, and by how much it comes after its sound was heard.
    pub fn pop_cue(&mut self, now: MonoTime) -> Option<(Cue, TimeDelta)> {
        let due = self.playout?.position(now);
        let heard = self.heard(now)?;
        let words = self.words.as_mut()?;
        let cue = words.pop(due)?;
        let handed = &self.handed;
        let skew = words.shown_at(heard, &cue, |sound| handed.late_by(sound));
        self.watch.on_skew(now, skew);
        Some((cue, skew))
    }

    /// The next report that is due, or request for what is missing.
    pub fn pop_report(&mut self, now: MonoTime) -> Option<Packet> {
        self.plan_playout();
        let (tracks, reports, pace) = (&mut self.tracks, &mut self.reports, &self.pace);
        let request = self.requests.pop(now, tracks, reports, pace);
        let packet = request.or_else(|| reports.pop(now, tracks, pace))?;
        self.watch.on_bytes(now, packet.data.len() + IP_UDP_HEADERS as usize);
        Some(packet)
    }

    /// Goodbye to the server.
    pub fn bye(&mut self, now: MonoTime) -> Vec<Packet> {
        self.reports.bye(now, &mut self.tracks, &self.pace)
    }

    /// When anything above has something to do.
    pub fn next_deadline(&self, now: MonoTime) -> Option<MonoTime> {
        let sound = match self.sink_clock {
            SinkClock::Sender if !self.is_rendered() && !self.is_deserted(now) => {
                self.next_sound_at().map(|due| due - self.leaves_before())
            }
            _ => None,
        };
        let over = self.over_at().filter(|_| self.is_rendered());
        let playout = self.playout;
        let cue = self.words.as_ref().zip(playout);
        let cue = cue.and_then(|(words, clock)| words.next_deadline(|at| clock.heard_at(at)));
        let watch = Some(self.starved_at()).filter(|at| now < *at);
        let request = self.requests.next_deadline(&self.tracks);
        let report = Some(self.reports.next_deadline(&self.tracks));
        [sound, over, cue, watch, request, report].into_iter().flatten().min()
    }
}

fn is_repair_of(plan: &crate::client::FlowPlan, audio: FlowId) -> bool {
    matches!(plan.role, Role::Repair { protects, .. } if protects == audio)
}
