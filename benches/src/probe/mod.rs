//! Probes: what a session sounded like, measured without asking the player.
//!
//! A probe has the [`Reference`] (what the streamer encodes, decoded without a loss), and the
//! [`Evidence`] of a session: the sound that left for the sink with the instants at which it left,
//! the cues with the instants at which they appeared, and the log of the network between the two
//! ends. From these [`listen`] finds out by itself what was heard of the source, when and where;
//! [`compare`] holds it against what the player reports.
//!
//! # How
//!
//! The sink's sound is followed through the source unit by unit. A unit *was heard* if the sink has
//! its very samples at its place: to -40 dB, where sound made up in place of a lost unit is off by
//! -30 dB at best, and mostly by 0 dB. In Opus a unit that came after a loss sounds unlike the
//! source; it is compared with what a decoder that met the same losses makes of it. Where the
//! source does not go on at its place, the sound is looked for by correlation: 40 ms of it within
//! 25 ms either way (time scaling cuts and repeats so little), then 200 ms of it within 5 s. From
//! the places at which the sound goes on, gaps, insertions, skips and repeats follow.
//!
//! *Delay* is from the entry of a unit's packet into the link to the instant at which the first
//! sample of the unit, found in the sink's sound, was heard. *Skew* is from the instant at which
//! the sample was heard that a cue begins with, found in the same way, to that at which the cue
//! appeared: with `sync-test` it is the click of that very cue. A sink without a clock plays
//! steadily, and no sample before it has it. In virtual time a sample is heard as it leaves for
//! the sink; in real time such a sink plays 5 ms ([`SINK_LEAD`](cantus_player::drive::SINK_LEAD))
//! behind the promptest hand-over within 5 s, and what comes later than that as it comes. No
//! instant that the player planned is in either.
//!
//! # How exactly
//!
//! | measure | accuracy | why |
//! |---|---|---|
//! | units lost | one unit, and one in fifty | a concealed unit of steady sound may be the source's to -40 dB |
//! | | two units at each jump | one is cut, and one faded into the next: time scaling (`latency = "auto"`) makes many |
//! | | the undecided besides | silence in place of silence cannot be told from it: digital silence is between the sentences of `narration` |
//! | gaps | whole units | loss comes in units |
//! | insertions, skips, repeats | length 2 samples, place 1 ms | by correlation; the edge is looked for in steps of 32 frames. In silence the place is that of the next sound; in a steady tone nothing is found before it changes |
//! | drift | 5 ppm over 20 s, 2 over a minute | lags between two samples are found to a tenth of a sample |
//! | delay, skew in virtual time | 0.1 ms | the sample at 44.1 kHz and the 4 us steps of the sender's time stamps |
//! | the same in real time | 5 ms | both ends, the relay and the recorder each wait for the scheduler once; see [`Accuracy`] |
//! | units heard late | those from half to twice the ledger's tolerance of 1 ms are in doubt | the player reads its clock before it decodes a unit, the recorder after |
//!
//! How late the scheduler let samples be handed over is told besides (`handed_late_ms`): up to the
//! lead nothing of it is heard, and what exceeds it stands in the player's report too.
//!
//! What cannot be measured is `null`, and nothing is compared with it: the delay over QUIC in real
//! time, since what a QUIC packet carries cannot be seen from outside.

mod compare;
mod course;
mod drift;
mod echo;
mod entries;
mod faults;
mod follow;
mod instants;
mod recorder;
mod reference;
mod search;
mod session;
mod skew;
mod summary;
#[cfg(test)]
mod tests;
mod twin;
mod wave;

use std::borrow::Cow;
use std::time::Duration;

use cantus_qos::payload::cue::Cue;
use cantus_qos::stats::report::{Delay, QosReport, SubtitleSkew};
use cantus_qos::stats::{Distribution, Ledger};
use cantus_qos::time::{MediaTime, MonoTime};
use serde::{Deserialize, Serialize};

pub use compare::{Accuracy, Disagreement, compare};
pub use faults::{Fault, FaultKind};
pub use recorder::{Record, Recorder};
pub use reference::{Reference, ReferenceError};
pub use session::{Apart, NEEDED, ProbeError, agreed, probe_outcome, probe_record};
pub use twin::{SEEDS, Twin, TwinError, against_sim};

use crate::duplex::PacketLog;
use crate::sim::Sound;
use course::Course;
use echo::Verdict;
use entries::Entries;
use faults::Listing;
use instants::Instants;
use reference::Source;
use wave::Wave;

/// Version of the document's layout.
pub const VERSION: u32 = 1;

/// What came out of a session, and what went through its network, on one clock.
#[derive(Copy, Clone, Debug)]
pub struct Evidence<'a> {
    /// What left for the sink, and when.
    pub sound: &'a Sound,
    /// How long before it is due sound leaves for the sink, if it leaves promptly.
    pub lead: Duration,
    /// The cues, and when each appeared.
    pub cues: &'a [(MonoTime, Cue)],
    /// What became of every packet.
    pub packets: &'a PacketLog,
    /// The media time of the first unit that was sent.
    pub sent_from: MediaTime,
    /// Where the presentation was to end; `None`: at its end.
    pub until: Option<MediaTime>,
}

/// What a probe found. One JSON document; the units are in the names, as in the player's report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Version of this layout, [`VERSION`].
    pub version: u32,
    /// The audio tracks in their order.
    pub tracks: Vec<TrackProbe>,
    /// Cues against the sound they belong to.
    pub subtitle_skew_ms: SubtitleSkew,
    /// Cues that appeared while the sound they belong to was not heard.
    pub cues_without_sound: u64,
    /// By how much samples were handed over later than promptly, as delays.
    pub handed_late_ms: Delay,
}

/// What a probe found of one track.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrackProbe {
    /// Units that should have been heard.
    pub expected: u64,
    /// Units that were not.
    pub lost: u64,
    /// Units that were, but later than they were due: by more than twice the tolerance of the
    /// player's [`Ledger`].
    pub late: u64,
    /// Units that were late by half to twice that tolerance.
    pub late_in_doubt: u64,
    /// Units of silence, in place of which there was silence.
    pub undecided: u64,
    /// Units not heard / expected; with the undecided ones it may be as much more as they are.
    pub residual: Option<f64>,
    /// Parts in a million by which the source moves too fast through the sink's sound.
    pub drift_ppm: Option<f64>,
    /// From the entry of a unit into the link to its first sample's being heard.
    pub delay_ms: Delay,
    /// What is wrong with the sound, in the order in which it is heard.
    pub faults: Vec<Fault>,
}

impl TrackProbe {
    /// The sum of the lengths of all faults of a kind, in milliseconds.
    pub fn total_ms(&self, kind: FaultKind) -> f64 {
        self.of(kind).map(|fault| fault.length_ms).sum()
    }

    /// Faults at which the source does not go on with the sink's sound.
    pub fn jumps(&self) -> u64 {
        self.faults.iter().filter(|fault| fault.kind != FaultKind::Gap).count() as u64
    }

    /// All faults of a kind.
    pub fn of(&self, kind: FaultKind) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(move |fault| fault.kind == kind)
    }
}

impl Probe {
    /// The document: indented, with a newline at its end.
    pub fn to_json(&self) -> String {
        let mut json =
            serde_json::to_string_pretty(self).expect("text and numbers are always JSON");
        json.push('\n');
        json
    }

    /// The findings for people, in at most 80 columns, beside what the player reports.
    pub fn summary(&self, report: &QosReport) -> String {
        summary::write(self, report)
    }
}

/// Finds out what was heard of `reference`.
pub fn listen(evidence: &Evidence<'_>, reference: &Reference) -> Probe {
    let Sound { format, samples, from, handed } = evidence.sound;
    let instants = Instants::new(handed, format.rate, evidence.lead);
    let tracks = reference.tracks();
    let entries = match tracks.first() {
        Some(track) => {
            let hz = track.format.rate.hz();
            Entries::of(evidence.packets, tracks.len(), evidence.sent_from, hz)
        }
        None => Vec::new(),
    };
    let mut probe = Probe {
        version: VERSION,
        tracks: Vec::new(),
        subtitle_skew_ms: SubtitleSkew::default(),
        cues_without_sound: 0,
        handed_late_ms: (&instants.lateness()).into(),
    };
    for (index, source) in tracks.iter().enumerate() {
        let heard = side(samples, reference.channels(), source);
        let track = Track::follow(&heard, source, *from, evidence.until);
        probe.tracks.push(track.probe(entries.get(index), &instants));
        if index == 0 {
            let (skews, unheard) =
                skew::skew(evidence.cues, *from, source, &track.course, &instants);
            probe.subtitle_skew_ms = (&skews).into();
            probe.cues_without_sound = unheard;
        }
    }
    probe
}

/// The channels of `samples` that a track is heard on.
fn side<'a>(samples: &'a [f32], channels: usize, source: &Source) -> Cow<'a, [f32]> {
    if source.side.len() == channels {
        return Cow::Borrowed(samples);
    }
    let frames = samples.chunks_exact(channels);
    Cow::Owned(frames.flat_map(|frame| &frame[source.side.clone()]).copied().collect())
}

/// One track, as it was heard.
struct Track<'a> {
    source: &'a Source,
    sink: Wave<'a>,
    range: (i64, i64),
    course: Course,
}

impl<'a> Track<'a> {
    fn follow(
        heard: &'a [f32],
        source: &'a Source,
        from: MediaTime,
        until: Option<MediaTime>,
    ) -> Self {
        let (sink, wave) = (Wave::new(heard, source.side.len()), source.wave());
        let from = from.ticks(source.format.rate);
        let until = until.map_or(source.length, |until| until.ticks(source.format.rate));
        let range = (from, until.min(wave.frames()));
        Self { source, sink, range, course: follow::follow(sink, source, range.0, range.1) }
    }

    fn probe(&self, entries: Option<&Entries>, instants: &Instants) -> TrackProbe {
        let hz = self.source.format.rate.hz();
        let verdicts = &self.course.verdicts[self.course.first..];
        let count = |is: fn(&Verdict) -> bool| verdicts.iter().filter(|it| is(it)).count() as u64;
        let expected = verdicts.len() as u64;
        let lost = count(|it| *it == Verdict::Lost);
        let listing = Listing {
            course: &self.course,
            sink: self.sink,
            source: self.source.wave(),
            unit: self.source.unit,
            range: self.range,
            hz,
        };
        let delays = entries.map(|entries| self.delays(entries, instants));
        let (late, late_in_doubt) = self.late(instants);
        TrackProbe {
            expected,
            lost,
            late,
            late_in_doubt,
            undecided: count(|it| matches!(it, Verdict::Silence { .. })),
            residual: (expected > 0).then(|| lost as f64 / expected as f64),
            drift_ppm: drift::drift(&self.course, hz),
            delay_ms: delays.as_ref().map(Delay::from).unwrap_or_default(),
            faults: listing.faults(),
        }
    }

    /// From the link's entrance to the sink, for every unit that was heard.
    fn delays(&self, entries: &Entries, instants: &Instants) -> Distribution {
        let delay = |(frame, at)| Some(instants.at(at)? - entries.at(frame)?);
        self.heard().filter_map(delay).collect()
    }

    /// How many units were heard late, and of how many one cannot tell.
    fn late(&self, instants: &Instants) -> (u64, u64) {
        let late = self.heard().filter_map(|(_, at)| instants.late(at));
        late.fold((0, 0), |(late, in_doubt), by| match by {
            by if by > 2 * Ledger::TOLERANCE => (late + 1, in_doubt),
            by if by > Ledger::TOLERANCE / 2 => (late, in_doubt + 1),
            _ => (late, in_doubt),
        })
    }

    /// The first frame of each unit that was heard, in the source and in the sink's sound.
    fn heard(&self) -> impl Iterator<Item = (i64, f64)> {
        let units = self.course.verdicts.iter().enumerate().skip(self.course.first);
        let heard = units.filter(|(_, verdict)| **verdict == Verdict::Heard);
        heard.filter_map(|(unit, _)| {
            let frame = unit as i64 * self.source.unit;
            Some((frame, self.course.sink_frame(frame)?))
        })
    }
}
