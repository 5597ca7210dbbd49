//! Where the timeline of a track lies on that of the presentation.

use cantus_qos::rtcp::SenderReport;
use cantus_qos::rtp::Ssrc;
use cantus_qos::sync::{LipSync, Reported, StreamTimeline};
use cantus_qos::time::{ClockRate, MediaTime, NtpTime};

/// A track has a timeline of its own, from its timestamps. It begins with the range where the server
/// says so, or nobody says anything; what is pushed begins when it comes. Sender reports know better
/// (RFC 3550, section 6.4.1), where they tell of the same clock.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// What is at zero on the timeline of the track is here on that of the presentation.
    begin: MediaTime,
    /// Whether the first packet tells when it begins by when it comes.
    by_arrival: bool,
    /// The latest report; that of a source whose packets are still to come is kept for then.
    report: Option<SenderReport>,
    /// Which clock that is: of whom, and the canonical name.
    name: Option<(Ssrc, String)>,
    /// Whose reports were compared: of the track that leads, and of this one.
    compared: (Option<Ssrc>, Option<Ssrc>),
    sync: LipSync,
}

/// What a source has reported of a track, and what is known of the source.
#[derive(Debug)]
pub(crate) struct Told {
    pub source: Ssrc,
    pub name: Option<String>,
    /// `None` where nothing was reported since the last time.
    pub report: Option<Reported>,
}

impl Standing {
    /// Of a track that begins with the range, or else `by_arrival`.
    pub(super) fn new(by_arrival: bool) -> Self {
        Self { by_arrival, ..Self::default() }
    }

    /// The place on the track's own timeline.
    pub(super) fn own(&self, position: MediaTime) -> MediaTime {
        position - self.begin
    }

    /// The place on the timeline of the presentation.
    pub(super) fn placed(&self, own: MediaTime) -> MediaTime {
        own + self.begin
    }

    /// The first packet came, which is at `own` on the track's own timeline, when the presentation was
    /// at `presented`, if it had begun. Whether that tells where the track begins.
    pub(super) fn settle(
        &mut self,
        own: MediaTime,
        presented: Option<MediaTime>,
        rate: ClockRate,
    ) -> bool {
        let by_arrival = std::mem::take(&mut self.by_arrival);
        let later = presented.filter(|_| by_arrival).map(|presented| presented - own);
        later.into_iter().for_each(|later| self.move_by(later, rate));
        later.is_some()
    }

    /// Whether it begins when something comes, and nothing has.
    pub(super) fn is_open(&self) -> bool {
        self.by_arrival
    }

    /// The track begins so much `later` from now on; no sample lies between two others.
    pub(super) fn move_by(&mut self, later: MediaTime, rate: ClockRate) {
        self.begin = MediaTime::from_ticks((self.begin + later).ticks(rate), rate);
    }

    /// Its sender has reported. One that knows no wall clock tells zero (RFC 3550, section 6.4.1).
    pub(super) fn on_report(&mut self, report: &SenderReport) {
        if report.ntp != NtpTime::from_bits(0) {
            self.report = Some(report.clone());
        }
    }

    /// A source has said what it is called.
    pub(super) fn on_name(&mut self, source: Ssrc, name: &str) {
        self.name = Some((source, name.to_owned()));
    }

    /// What `source` has told, whose packets are placed by `timeline`.
    pub(super) fn take_told(&mut self, source: Ssrc, timeline: &StreamTimeline) -> Told {
        let name = self.name.as_ref().filter(|(of, _)| *of == source);
        let report = self.report.take_if(|report| report.ssrc == source);
        let report = report.and_then(|SenderReport { ntp, rtp, .. }| {
            let media_time = timeline.media_time_of(rtp)?;
            Some(Reported { ntp, media_time })
        });
        Told { source, name: name.map(|(_, name)| name.clone()), report }
    }

    /// By how much later the track belongs than it stands, by what the source of the track that leads
    /// has told, on the timeline of the presentation, and its `own` source; `None` where nothing new is
    /// known.
    ///
    /// Sources of different names may go by different clocks (RFC 3550, section 6.5.1).
    pub(super) fn follow(&mut self, leader: &Told, own: Option<Told>) -> Option<MediaTime> {
        let (of_leader, of_own) = &mut self.compared;
        let is_new = |before: &mut Option<Ssrc>, source| {
            before.replace(source).is_some_and(|before| before != source)
        };
        let restarted = is_new(of_leader, leader.source);
        if restarted || own.as_ref().is_some_and(|own| is_new(of_own, own.source)) {
            self.sync.restart();
        }
        leader.report.into_iter().for_each(|report| self.sync.on_leader(report));
        let own = own?;
        let names = leader.name.as_ref().zip(own.name.as_ref());
        if names.is_some_and(|(leader, own)| leader != own) {
            return None;
        }
        own.report.into_iter().for_each(|report| self.sync.on_follower(report));
        Some(self.sync.pop(self.begin)? - self.begin)
    }
}
