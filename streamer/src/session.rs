//! One listener: the flows that were set up, and the chain that feeds them.

mod route;

pub use route::Route;

use std::sync::Arc;
use std::time::Duration;

use cantus_qos::fec::Scheme;
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp;
use cantus_qos::rtp::{RtpTimestamp, Sequence, Ssrc};
use cantus_qos::shaping::{BreakerTerms, CircuitBreaker, PathRate, Tripped};
use cantus_qos::spec::admission::Grant;
use cantus_qos::spec::{Mode, QosSpec};
use cantus_qos::time::{MediaTime, MonoTime};

use crate::pipeline::{
    Allowance, AudioChain, Feedback, LONGEST_PACKET, Packet, Pipeline, REPORT_INTERVAL, Schedule,
};
use crate::programme::Programme;
use crate::wire::{Carrier, ConnectionId, Source, Transmit};

/// A session that is silent for this long is over (RFC 2326, section 12.37).
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// A listener who says BYE and then nothing more is gone after this long. Not at once: BYE is also
/// what one says who changes its SSRC (RFC 3550, section 8.2), or who pretends to be another.
pub const FAREWELL: Duration = Duration::from_secs(10);

/// A session of best effort is not silenced altogether: its listener is to see that it is there.
const LEAST_RATE: Bitrate = Bitrate::from_kbps(8);

/// How far stored media runs ahead: so long, and so much in the memory of a player. One of ours
/// holds a third more, for while playback stands still the lead grows by as long.
const STORED_LEAD: Duration = Duration::from_secs(30);
const STORED_LEAD_BYTES: usize = 960 << 10;

/// What a player keeps of a unit beside its data.
const UNIT_OVERHEAD: u64 = 256;

/// No shorter trouble of the path ends a session. A mobile network may be silent for six seconds,
/// soon again, and reports that wait on their way back tell of it later still: so as long as the RFC
/// waits for reports, three intervals of RFC 3550's five seconds (five of them would be the RFC's
/// media timeout). A listener of stored media has thirty to go on with.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
const PATIENCE_AHEAD: Duration = Duration::from_secs(45);

/// What belongs to one control URL of a session.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum FlowKind {
    /// An audio track: its place in the presentation.
    Audio(usize),
    /// The repair of an audio track by one of the schemes on offer.
    Repair(usize, Scheme),
    /// A subtitle track: its language.
    Text(String),
}

/// One flow of a session.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its number.
    pub id: FlowId,
    /// What it carries.
    pub kind: FlowKind,
    /// Where it goes.
    pub route: Route,
    /// What it uses of the session's rate.
    pub rate: Bitrate,
}

/// Where PLAY begins on one flow (RFC 2326, section 12.33).
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct StartPoint {
    /// What the flow carries.
    pub kind: FlowKind,
    /// Its source.
    pub ssrc: Ssrc,
    /// The first sequence number.
    pub sequence: Sequence,
    /// The timestamp of the start of the range.
    pub timestamp: RtpTimestamp,
}

/// A session (RFC 2326, section 1.3): pure, one of many in [`Sessions`](crate::sessions::Sessions).
#[derive(Debug)]
pub struct Session {
    /// The control connection that it was set up on, or last spoken of.
    pub connection: ConnectionId,
    /// What is played.
    pub programme: Arc<Programme>,
    /// What was asked for.
    pub spec: QosSpec,
    /// The flows in the order of their SETUP.
    pub flows: Vec<Flow>,
    /// What feeds them.
    pub pipeline: Pipeline,
    /// What they may send together.
    pub grant: Grant,
    /// No less delay can be promised: the repair that was wished needs it.
    least_delay: Duration,
    carrier: Carrier,
    resume_at: MediaTime,
    expires_at: MonoTime,
}

impl Session {
    /// A session without flows, to be set up on a connection.
    pub fn new(
        now: MonoTime,
        (connection, carrier): (ConnectionId, Carrier),
        programme: Arc<Programme>,
        spec: QosSpec,
        pipeline: Pipeline,
        grant: Grant,
    ) -> Self {
        Self {
            connection,
            programme,
            spec,
            flows: Vec::new(),
            pipeline,
            grant,
            least_delay: Duration::ZERO,
            carrier,
            resume_at: MediaTime::ZERO,
            expires_at: now + TIMEOUT,
        }
    }

    /// Whether requests on this connection may speak of the session: over TCP those from the same
    /// address, for connections come and go (RFC 2326, section 1.1); over QUIC those on the same
    /// connection, for it carries the media too.
    pub fn belongs_to(&self, connection: ConnectionId, carrier: Carrier) -> bool {
        match carrier {
            Carrier::Tcp(_) => self.carrier == carrier,
            Carrier::Quic => self.connection == connection,
        }
    }

    /// The flow that carries `kind`.
    pub fn flow(&self, kind: &FlowKind) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.kind == *kind)
    }

    /// Adds a flow; its part of the chain is there already.
    pub fn add_flow(&mut self, now: MonoTime, flow: Flow) {
        self.flows.push(flow);
        self.pipeline.set_rate(now, self.shaped_rate());
        let wanted = self.full_rate();
        if let Some(allowance) = self.pipeline.allowance() {
            allowance.set_wanted(wanted);
        }
    }

    /// A listener who tells what arrives ([`CongestionFeedback`](cantus_qos::rtcp)), or whose
    /// connection knows, gets what its path can bear; `media` is what a track of sound takes.
    pub fn govern(&mut self, media: Bitrate) {
        if self.pipeline.allowance().is_none() {
            let wanted = self.full_rate();
            self.pipeline.govern(match self.carrier {
                Carrier::Tcp(_) => Allowance::told(media, wanted),
                Carrier::Quic => Allowance::over_quic(wanted),
            });
        }
    }

    /// From now on a track of sound is not sent any more when nobody hears it. Who `knows_us` sends
    /// reports as often as we do; others as RFC 3550 has it, or not at all. Where a connection
    /// carries it, that has a congestion control of its own.
    pub fn guard(&mut self, flow: FlowId, route: Route, knows_us: bool) {
        let patience = if self.runs_ahead() { PATIENCE_AHEAD } else { PATIENCE };
        let congestion = route.connection().is_none();
        let Some(chain) = self.pipeline.audio_on(flow) else { return };
        chain.guard(CircuitBreaker::new(BreakerTerms {
            framing: chain.unit_duration().to_duration(),
            interval: if knows_us { REPORT_INTERVAL } else { rtcp::DEFAULT_MINIMUM },
            reports: knows_us,
            patience,
            congestion,
        }));
    }

    /// Why it has ended, if circuit breakers have ended all of it.
    pub fn cut_short(&self) -> Option<Tripped> {
        self.pipeline.is_cut_short()
    }

    /// What the connection's path bears of this session.
    pub fn on_path(&mut self, path: PathRate) {
        if let Some(allowance) = self.pipeline.allowance() {
            allowance.on_path(path);
        }
    }

    /// What the session would send on a path that bears everything; twice that while it runs ahead.
    fn full_rate(&self) -> Bitrate {
        let rate = self.grant.rate();
        let full = if self.runs_ahead() { rate + rate } else { rate };
        // What is allowed is of everything: where little is, a tenth is left for reports.
        match self.spec.rate {
            Some(allowed) if self.is_narrow() => {
                full.min(Bitrate::from_bps(allowed.as_bps() / 10 * 9))
            }
            _ => full,
        }
    }

    /// Whether its listener allows so little that units are joined.
    fn is_narrow(&self) -> bool {
        self.programme.joined > 1
    }

    /// What its flows need together. A session of best effort may be granted less.
    pub fn wanted_rate(&self) -> Bitrate {
        self.flows.iter().map(|flow| flow.rate).sum()
    }

    /// The rate of the pacer. Live media needs its own rate and a little to catch up; or, where nobody
    /// tells what the path bears, as much again for what is asked for again, since some ask for every
    /// packet that is a little late. Stored media leaves more than twice as fast until it has its
    /// lead; and what has less than it needs keeps to that.
    /// None goes faster than its listener allows; where that is little, what runs ahead leaves a
    /// quarter of it for headers, reports and what is sent again.
    pub fn shaped_rate(&self) -> Bitrate {
        let granted = self.grant.rate();
        if granted < self.wanted_rate() {
            return granted.max(LEAST_RATE);
        }
        let factor = match self.pipeline.is_governed() {
            _ if self.runs_ahead() => 2.5,
            true => 1.5,
            false => 2.0,
        };
        let shaped = granted.mul_f64(factor).max(Bitrate::from_kbps(64));
        let part = if self.runs_ahead() && self.is_narrow() { 3 } else { 4 };
        let within = |allowed: Bitrate| Bitrate::from_bps(allowed.as_bps() / 4 * part).max(granted);
        self.spec.rate.map_or(shaped, |allowed| shaped.min(within(allowed)))
    }

    /// What the repair of a flow needs of the delay.
    pub fn needs(&mut self, delay: Duration) {
        self.least_delay = self.least_delay.max(delay);
    }

    /// Other terms are wished while it lasts. The delay is the listener's business, and the repair
    /// goes by it as far as it can still be changed; the rate stays as it was granted.
    pub fn renegotiate(&mut self, spec: &QosSpec) {
        self.spec = QosSpec { rate: self.spec.rate, mode: self.spec.mode, ..*spec };
    }

    /// What was wished, as far as it can be promised: at the rate that was granted; with the delay
    /// that the repair needs; and of losses nothing, unless there is repair. Of best effort nothing
    /// is promised but what it may take.
    pub fn granted_spec(&self) -> QosSpec {
        let rate = Some(self.grant.rate());
        let repaired = self.flows.iter().any(|flow| matches!(flow.kind, FlowKind::Repair(..)));
        match self.spec.mode {
            Some(mode @ Mode::BestEffort) => {
                QosSpec { rate, mode: Some(mode), ..Default::default() }
            }
            Some(Mode::Stored) => QosSpec { rate, ..self.spec },
            _ => QosSpec {
                rate,
                delay: self.spec.delay.map(|delay| delay.max(self.least_delay)),
                loss: self.spec.loss.filter(|_| repaired),
                ..self.spec
            },
        }
    }

    /// Whether units may run ahead of their time.
    pub fn runs_ahead(&self) -> bool {
        matches!(self.spec.mode, Some(Mode::Stored | Mode::BestEffort))
    }

    /// PLAY: from `from` or from where it stands, up to `until` or the end. The range that will be
    /// played; `None` where there is no such range, and nothing changes.
    pub fn play(
        &mut self,
        now: MonoTime,
        from: Option<MediaTime>,
        until: Option<MediaTime>,
    ) -> Option<(MediaTime, MediaTime)> {
        let duration = self.programme.presentation.duration;
        let from = from.unwrap_or_else(|| self.position(now));
        let until = until.unwrap_or(duration).min(duration);
        if from > duration || from > until {
            return None;
        }
        let from = self.pipeline.align(from);
        let schedule = if self.runs_ahead() {
            Schedule::stored(now, from, until, self.lead())
        } else {
            Schedule::live(now, from, until)
        };
        self.pipeline.play(now, schedule);
        Some((from, until))
    }

    fn lead(&self) -> Duration {
        let is_audio = |flow: &&Flow| matches!(flow.kind, FlowKind::Audio(_));
        let unit = self.programme.unit_duration().to_duration();
        let audio = self.flows.iter().filter(is_audio);
        let grows: Bitrate = audio.map(|flow| flow.rate + Bitrate::over(UNIT_OVERHEAD, unit)).sum();
        STORED_LEAD.min(grows.time_for(STORED_LEAD_BYTES))
    }

    /// Where PLAY without a range begins: where the nominal timeline stands; after its end, at the
    /// beginning (RFC 2326, section 10.5).
    fn position(&self, now: MonoTime) -> MediaTime {
        if self.pipeline.has_ended(now) {
            return MediaTime::ZERO;
        }
        self.pipeline.position(now).unwrap_or(self.resume_at)
    }

    /// Where each flow begins after PLAY at `from`, but for those that are not sent any more.
    pub fn start_points(&self, from: MediaTime) -> Vec<StartPoint> {
        let point = |flow: &Flow| {
            let packetizer = match flow.kind {
                FlowKind::Audio(_) => {
                    let mut sent = self.pipeline.audio().iter().filter(|it| it.ceased().is_none());
                    sent.find(|it| it.flow() == flow.id)?.packetizer()
                }
                FlowKind::Text(_) => {
                    self.pipeline.cues().iter().find(|it| it.flow() == flow.id)?.packetizer()
                }
                FlowKind::Repair(..) => return None,
            };
            Some(StartPoint {
                kind: flow.kind.clone(),
                ssrc: packetizer.ssrc(),
                sequence: packetizer.next_sequence(),
                timestamp: packetizer.timestamp(from),
            })
        };
        self.flows.iter().filter_map(point).collect()
    }

    /// Whether PLAY is in effect, and the range not over.
    pub fn is_playing(&self, now: MonoTime) -> bool {
        self.pipeline.position(now).is_some() && !self.pipeline.has_ended(now)
    }

    /// PAUSE: stops where the nominal timeline stands, which is told. A packet that has left holds
    /// more than what was due so far: that is not sent twice.
    pub fn pause(&mut self, now: MonoTime) -> MediaTime {
        let stands = self.position(now);
        let reached = self.pipeline.audio().iter().map(AudioChain::reached).max();
        let under_way = |reached: &MediaTime| {
            let ahead = *reached - stands;
            !self.pipeline.is_finished() && ahead > MediaTime::ZERO && ahead < LONGEST_PACKET
        };
        self.resume_at = reached.filter(under_way).unwrap_or(stands);
        self.pipeline.stop();
        self.resume_at
    }

    /// The listener is alive.
    pub fn touch(&mut self, now: MonoTime) {
        self.expires_at = now + TIMEOUT;
    }

    /// When the listener counts as gone, if it stays silent.
    pub fn expires_at(&self) -> MonoTime {
        self.expires_at
    }

    /// An RTCP packet from the listener. Noise is no sign of life.
    pub fn on_feedback(&mut self, now: MonoTime, data: &[u8]) {
        match self.pipeline.heard(now, data) {
            Feedback::Noise => {}
            Feedback::Report => self.touch(now),
            Feedback::Goodbye => self.expires_at = self.expires_at.min(now + FAREWELL),
        }
    }

    /// Where reports of this session's flows come from.
    pub fn sources(&self) -> impl Iterator<Item = Source> {
        self.flows.iter().map(|flow| flow.route.source(flow.id))
    }

    /// The next packet to leave at `now`.
    pub fn pop(&mut self, now: MonoTime) -> Option<Transmit> {
        loop {
            let Packet { flow, channel, class, data } = self.pipeline.pop(now)?;
            // A flow without a binding cannot be: both come from the same SETUP.
            if let Some(bound) = self.flows.iter().find(|it| it.id == flow) {
                let destination = bound.route.destination(flow, channel, class);
                return Some(Transmit { destination, channel, class, data });
            }
        }
    }

    /// When [`pop`](Self::pop) may have something again, or the session ends.
    pub fn next_deadline(&self, now: MonoTime) -> MonoTime {
        let packet = self.pipeline.next_deadline(now);
        packet.map_or(self.expires_at, |at| at.min(self.expires_at))
    }
}

#[cfg(test)]
mod tests;
