//! Senders and sound cards whose clocks part, for a day.

use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::delivery::Channel;
use cantus_qos::payload::{AudioFormat, l16};
use cantus_qos::roq::FlowId;
use cantus_qos::rtp::{RtpPacket, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::rtsp::Profile;
use cantus_qos::spec::QosSpec;
use cantus_qos::spec::sdp::{AudioCodec, Description};
use cantus_qos::time::{ClockRate, MediaTime, MonoTime, NtpTime, TimeDelta};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::client::{FlowPlan, Playing, Role};
use crate::pipeline::Pipeline;
use crate::stand_in;
use crate::wish::{Latency, SinkClock};

/// Coarse, so that a day takes seconds: 200 frames a second, in units of a second.
const HZ: u32 = 200;
const UNIT: MediaTime = MediaTime::from_millis(1_000);
const AUDIO: u64 = 1;
const TEXT: u64 = 2;
const LATENCY: Duration = Duration::from_secs(4);
/// The sink is asked so often, and takes units whenever it has less than it is to hold.
const PERIOD: Duration = Duration::from_millis(500);
const HOLDS: f64 = 1.2;
/// A cue a minute.
const CUES: u64 = 60;
/// A wave of a second tells of every sample where it belongs, and has a corner where one is
/// dropped or doubled. All units are the same.
const WAVE: f64 = TAU / 200.0;
/// The drift is known and what it has done is made up for.
const SETTLED: MediaTime = MediaTime::from_millis(900_000);
const AMPLITUDE: f64 = 16_000.0;

fn format() -> AudioFormat {
    AudioFormat { rate: ClockRate::new(HZ).unwrap(), channels: 1 }
}

/// A session between a sender and a sink, both of which are off against the player's clock.
struct Parting {
    /// How much faster than the player's clock they run.
    sender: f64,
    sink: f64,
    pipeline: Pipeline,
    end: MediaTime,
    unit: Bytes,
    random: ChaCha8Rng,
    now: f64,
    /// What was handed to the sink, in frames.
    handed: u64,
    /// The last blocks: the frame at which they begin, by the sink's count, and its media time in
    /// seconds, by the wave.
    blocks: VecDeque<(u64, f64)>,
    /// The last two samples that were heard.
    last: Option<[f32; 2]>,
    came: Came,
}

/// What came of it.
#[derive(Debug)]
struct Came {
    sharpest_bend: f32,
    underruns: u64,
    most_held: f64,
    shallowest: f64,
    deepest: f64,
    /// The shortest and the longest in seconds, until it has settled and after that.
    first_delays: (f64, f64),
    delays: (f64, f64),
    farthest_skew: f64,
    shown: u64,
    scaled: MediaTime,
}

fn zero() -> NtpTime {
    NtpTime::from_unix(Duration::from_secs(1_700_000_000))
}

fn plan(id: u64, role: Role, payload_type: u8) -> FlowPlan {
    FlowPlan {
        id: FlowId::new(id).unwrap(),
        name: String::new(),
        url: String::new(),
        role,
        payload_type: Some(stand_in::payload_type(payload_type)),
        send_time_id: stand_in::send_time_id(),
        ports: None,
        accepted: true,
        ssrc: None,
        protection: None,
        first_sequence: Some(Sequence(0)),
        first_timestamp: Some(RtpTimestamp(0)),
        congestion_feedback: false,
        feedback_at_once: false,
        profile: Profile::Avp,
        retransmission: None,
    }
}

impl Parting {
    fn new(sender: f64, sink: f64, hours: i64) -> Self {
        let mut wish = stand_in::wish();
        wish.latency = Latency::Fixed(LATENCY);
        wish.sink_clock = SinkClock::Sink;
        let audio = Role::Audio { codec: AudioCodec::L16, format: format(), packet_time: UNIT };
        let end = MediaTime::from_millis(hours * 3_600_000);
        let playing = Playing {
            description: Description::default(),
            flows: vec![plan(AUDIO, audio, 97), plan(TEXT, Role::Text, 98)],
            range: (MediaTime::ZERO, Some(end)),
            from: MediaTime::ZERO,
            clock: Some(zero()),
            terms: QosSpec::default(),
            pushed: false,
        };
        let pipeline = Pipeline::new(MonoTime::ZERO, &wish, &playing).unwrap();
        let wave = |frame: u32| (AMPLITUDE * (WAVE * f64::from(frame)).sin()).round() as i16;
        let unit = l16::encode(&(0..HZ).map(wave).collect::<Vec<_>>());
        let random = ChaCha8Rng::seed_from_u64(7);
        let came = Came {
            sharpest_bend: 0.0,
            underruns: 0,
            most_held: 0.0,
            shallowest: f64::MAX,
            deepest: 0.0,
            first_delays: (f64::MAX, 0.0),
            delays: (f64::MAX, 0.0),
            farthest_skew: 0.0,
            shown: 0,
            scaled: MediaTime::ZERO,
        };
        let (blocks, last) = (VecDeque::new(), None);
        Self { sender, sink, pipeline, end, unit, random, now: 0.0, handed: 0, blocks, last, came }
    }

    fn mono(&self) -> MonoTime {
        MonoTime::from_nanos((self.now * 1e9) as u64)
    }

    /// Frames that the sink has played, or would have.
    fn consumed(&self) -> f64 {
        self.now * f64::from(HZ) * (1.0 + self.sink)
    }

    /// Until everything was heard.
    fn run(mut self) -> Came {
        let (mut units, mut arrival) = (0, self.arrival(0));
        let mut tick = 0.0;
        while let Some(deadline) = self.poll() {
            self.now = arrival.min(tick).min(deadline.max(self.now));
            if self.now == tick {
                tick += PERIOD.as_secs_f64();
                self.ask_sink();
            } else if self.now == arrival {
                self.receive(units);
                units += 1;
                arrival = self.arrival(units);
            }
        }
        let (removed, added) = self.pipeline.pace.scaled();
        self.came.scaled = removed + added;
        self.came
    }

    /// When unit `index` arrives: 40 ms after it was sent, and up to 20 ms more.
    fn arrival(&mut self, index: u64) -> f64 {
        let jitter: f64 = self.random.random_range(0.0..0.02);
        index as f64 / (1.0 + self.sender) + 0.04 + jitter
    }

    fn receive(&mut self, index: u64) {
        let packet = RtpPacket {
            payload_type: stand_in::payload_type(97),
            marker: false,
            sequence: Sequence(index as u16),
            timestamp: RtpTimestamp((index * u64::from(HZ)) as u32),
            ssrc: Ssrc(7),
            send_time: None,
            payload: self.unit.clone(),
        };
        let sent = zero().offset(TimeDelta::from_millis(1_000 * index as i64));
        let data = stand_in::stamped(packet, sent);
        self.deliver(AUDIO, data);
        if index.is_multiple_of(CUES) {
            let id = (index / CUES) as u32;
            self.deliver(TEXT, stand_in::words(id, 1_000 * (index as i64 + 10), 1_000));
        }
    }

    fn deliver(&mut self, flow: u64, data: Bytes) {
        let flow = FlowId::new(flow).unwrap();
        self.pipeline.on_packet(self.mono(), flow, Channel::Rtp, data);
    }

    fn ask_sink(&mut self) {
        let begun = self.handed > 0;
        let holds = (self.handed as f64 - self.consumed()) / f64::from(HZ);
        if !begun {
            self.handed = self.consumed().ceil() as u64;
        } else if holds < 0.0 {
            self.came.underruns += 1;
            self.handed = self.consumed().ceil() as u64;
        }
        let pending = holds.max(0.0);
        self.came.most_held = self.came.most_held.max(pending);
        let frames = ((HOLDS - pending).max(0.0) * f64::from(HZ)) as usize;
        let pending = Duration::from_secs_f64(pending);
        self.pipeline.on_sink(self.mono(), pending);
        let before = self.handed;
        while (self.handed - before) < frames as u64 {
            let wanted = frames - (self.handed - before) as usize;
            let Some(block) = self.pipeline.pull_sound(self.mono(), wanted) else { break };
            self.hear(&block.samples, block.position);
        }
        let depth = self.pipeline.depth().to_delta().as_secs_f64();
        if self.now > 60.0 {
            self.came.shallowest = self.came.shallowest.min(depth);
            self.came.deepest = self.came.deepest.max(depth);
        }
    }

    /// Does everything that is due; when there is more, `None` at the end.
    fn poll(&mut self) -> Option<f64> {
        let now = self.mono();
        while let Some((cue, _)) = self.pipeline.pop_cue(now) {
            self.show(cue.start.as_secs_f64());
        }
        while self.pipeline.pop_report(now).is_some() {}
        assert!(self.pipeline.broken(now).is_none(), "at {}", self.now);
        let next = self.pipeline.next_deadline(now).expect("reports go on");
        (!self.pipeline.is_over(now)).then(|| next.as_secs_f64() + 1e-9)
    }

    fn hear(&mut self, samples: &[f32], position: Option<MediaTime>) {
        if let Some(position) = position.filter(|_| samples.len() > 1) {
            let media = media_time(samples, position.as_secs_f64());
            self.blocks.push_back((self.handed, media));
            if self.blocks.len() > 8 {
                self.blocks.pop_front();
            }
            let heard_at = self.handed as f64 / f64::from(HZ) / (1.0 + self.sink);
            let delay = heard_at - media / (1.0 + self.sender);
            let settled = position > SETTLED;
            let delays = if settled { &mut self.came.delays } else { &mut self.came.first_delays };
            *delays = (delays.0.min(delay), delays.1.max(delay));
            // The wave was under way before its first sample.
            let step = samples[1] - samples[0];
            let before = [samples[0] - 2.0 * step, samples[0] - step];
            let mut last = self.last.unwrap_or(before);
            // The wave ends with the last unit, and the filter rounds its end off.
            let checked = if position < self.end - UNIT { samples } else { &[] };
            for &sample in checked {
                let bend = (sample - 2.0 * last[1] + last[0]).abs();
                self.came.sharpest_bend = self.came.sharpest_bend.max(bend);
                last = [last[1], sample];
            }
            self.last = Some(last);
        }
        self.handed += samples.len() as u64;
    }

    /// A cue is shown, which belongs to what is heard at `start`.
    fn show(&mut self, start: f64) {
        let consumed = self.consumed();
        let heard = self.blocks.iter().rev().find(|(first, _)| *first as f64 <= consumed);
        let (first, media) = heard.expect("a cue is shown while its sound is heard");
        let skew = media + (consumed - *first as f64) / f64::from(HZ) - start;
        self.came.shown += 1;
        self.came.farthest_skew = self.came.farthest_skew.max(skew.abs());
    }
}

/// The media time of the first of `samples`, near `about`, by the wave.
fn media_time(samples: &[f32], about: f64) -> f64 {
    let [first, second] = [samples[0], samples[1]].map(f64::from);
    let phase = (first * WAVE.sin()).atan2(second - first * WAVE.cos());
    let place = phase / TAU;
    place + (about - place).round()
}

/// A day, in which sender and sink run so much faster than the player's clock.
#[track_caller]
fn assert_a_day_is_kept(sender: f64, sink: f64) {
    let came = Parting::new(sender, sink, 24).run();
    assert_eq!(came.underruns, 0);
    // What it wants, and a unit.
    assert!(came.most_held <= HOLDS + 1.0, "the sink overflows: {came:?}");
    assert_eq!(came.scaled, MediaTime::ZERO);
    // The wave's own, twice; a frame that is dropped or doubled makes it 16 times as sharp.
    let own = (AMPLITUDE / 32_768.0 * WAVE * WAVE) as f32;
    assert!(came.sharpest_bend < 2.0 * own, "{} {came:?}", own);
    // The sink holds what is not in the buffer.
    assert!(came.shallowest >= 1.0 && came.deepest <= 4.0, "{came:?}");
    let spread = |(least, most): (f64, f64)| most - least;
    assert!(spread(came.first_delays) < 0.015, "{came:?}");
    assert!(spread(came.delays) < 0.002, "{came:?}");
    assert_eq!(came.shown, 24 * 60);
    // Half of it is a frame of 5 ms.
    assert!(came.farthest_skew < 0.010, "{came:?}");
}

/// In 24 hours 26 s are made up for.
#[test]
fn a_day_at_300_ppm_drops_doubles_and_misses_no_sample_and_keeps_delay_and_subtitles() {
    assert_a_day_is_kept(200e-6, -100e-6);
}

#[test]
fn a_day_at_minus_300_ppm_drops_doubles_and_misses_no_sample_and_keeps_delay_and_subtitles() {
    assert_a_day_is_kept(-200e-6, 100e-6);
}
