//! What came of it: the player's part of the report (design, section 7).

use std::time::Duration;

use cantus_qos::spec::{Breach, Mode, PromiseWatch, QosSpec};
use cantus_qos::stats::report::{
    Broken, Buffer, Bytes, LatencyMode, Mos, PromiseReport, QosReport, Renegotiation, StreamKind,
    StreamReport, SyncReport, Term, TracksSkew, millis,
};
use cantus_qos::stats::{Passage, UnitRecord};
use cantus_qos::time::{MonoTime, TimeDelta};

use crate::pipeline::{Pipeline, Track, Traffic, Words};
use crate::session::Player;
use crate::subtitles::Status;
use crate::wish::{Carrier, Latency};

impl Player {
    /// The report as far as things have come.
    pub fn report(&self) -> QosReport {
        let carrier = match self.wish.carrier {
            Carrier::Quic => "quic",
            Carrier::Udp => "udp",
        };
        let mut report = QosReport::new(self.wish.url.to_string(), carrier);
        (report.mode, report.latency_ms) = match self.wish.latency {
            Latency::Auto => (LatencyMode::Auto, None),
            Latency::Stored => (LatencyMode::Stored, None),
            Latency::Fixed(delay) => (LatencyMode::Fixed, Some(millis(delay.into()))),
        };
        let since_asked = |at: MonoTime| millis(at - self.asked_at);
        report.setup_ms = self.playing_at.map(since_asked);
        if let Some(pipeline) = &self.pipeline {
            report.first_sound_ms = pipeline.first_sound.map(since_asked);
            report.streams = streams(pipeline);
            report.sync = sync(pipeline);
            let buffer = Buffer::from(&pipeline.depths);
            report.buffer_ms = match pipeline.aim {
                Some(aim) => buffer.with_target(aim),
                None => buffer,
            };
        }
        report.mos = self.mos();
        let changes = self.renegotiated.0.iter().map(|(at, by, terms)| Renegotiation {
            at_ms: since_asked(*at),
            by: *by,
            terms: terms.to_string(),
        });
        report.renegotiated = changes.collect();
        let terms = self.playing.as_ref().map(|playing| playing.terms);
        let watch = self.pipeline.as_ref().map(|pipeline| &pipeline.watch);
        let accuracy = watch.map_or(PromiseWatch::ACCURACY, PromiseWatch::accuracy);
        let terms = terms.unwrap_or_else(|| self.wish.full_spec());
        report.promise = promises(&terms, &report, accuracy);
        if let Some(watch) = watch {
            let told = std::mem::take(&mut report.promise).into_iter();
            report.promise = told.map(|term| with_breaches(term, watch, self.asked_at)).collect();
        }
        report
    }

    /// How good it sounded, by the worst of the tracks. Whoever listens to what is stored talks to
    /// nobody, and does not mind the delay.
    fn mos(&self) -> Option<Mos> {
        let talks = !matches!(self.wish.full_spec().mode, Some(Mode::Stored | Mode::BestEffort));
        let of = |track: &Track| {
            let ledger = &track.stock.ledger;
            let (units, unheard) = (ledger.totals().expected, ledger.unheard());
            let delay = ledger.delays().quantile(0.5).map(TimeDelta::max_zero);
            let passage = Passage {
                encoding: track.voice.encoding()?,
                units,
                unheard: unheard.units,
                runs: unheard.runs,
                delay: delay.filter(|_| talks),
            };
            passage.mos()
        };
        let tracks = self.pipeline.iter().flat_map(|pipeline| &pipeline.tracks);
        tracks.filter_map(of).min_by(|one, other| one.value.total_cmp(&other.value))
    }

    /// How it is going, for a line on the screen.
    pub fn status(&self, now: MonoTime) -> Option<Status> {
        let pipeline = self.pipeline.as_ref()?;
        let track = pipeline.tracks.first()?;
        let totals = track.stock.ledger.totals();
        let position = pipeline.heard(now).unwrap_or_else(|| pipeline.position());
        let expected = totals.expected.max(1);
        Some(Status {
            position: pipeline.until().map_or(position, |until| position.min(until)),
            duration: self.playing.as_ref().and_then(|playing| playing.description.duration),
            buffer: pipeline.depth().to_duration(),
            loss: totals.lost_network as f64 / expected as f64,
            recovered: totals.recovered_fec + totals.recovered_retransmission,
            delay: track.stock.ledger.delays().quantile(0.5).map(TimeDelta::max_zero),
        })
    }

    /// The fates that were settled since the last call, each with the name of its stream.
    pub fn drain_fates(&mut self, mut take: impl FnMut(&str, UnitRecord)) {
        for track in self.pipeline.iter_mut().flat_map(|pipeline| &mut pipeline.tracks) {
            for record in track.stock.ledger.drain() {
                take(&track.name, record);
            }
        }
    }
}

fn streams(pipeline: &Pipeline) -> Vec<StreamReport> {
    let audio = pipeline.tracks.iter().map(|track| audio_report(track, pipeline));
    audio.chain(pipeline.words.iter().map(words_report)).collect()
}

fn audio_report(track: &Track, pipeline: &Pipeline) -> StreamReport {
    let (shrunk, stretched) = pipeline.pace.scaled();
    let mut report = StreamReport::new(&track.name, StreamKind::Continuous, &track.stock.ledger);
    report.concealed_ms = Some(millis(track.voice.concealed.to_delta()));
    report.played_ms = Some(millis(track.voice.played.to_delta()));
    report.stretched_ms = Some(millis(stretched.to_delta()));
    report.shrunk_ms = Some(millis(shrunk.to_delta()));
    report.waited_ms = Some(millis(pipeline.waited().to_delta()));
    report.stalls = Some(pipeline.stalls());
    if let Some(jitter) = track.jitter() {
        report.jitter_ms = report.jitter_ms.with_rfc3550(jitter.as_delta(), jitter.mean());
    }
    if let Some(uncertainty) = pipeline.sender.uncertainty() {
        report.delay_ms = report.delay_ms.with_uncertainty(uncertainty);
    }
    report.bytes = bytes(track.intake.traffic);
    report
}

fn words_report(words: &Words) -> StreamReport {
    let (received, expected) = words.received();
    StreamReport {
        name: words.name.clone(),
        kind: StreamKind::Discrete,
        expected,
        received,
        lost_network: expected - received,
        duplicate: words.duplicates,
        late: words.skipped,
        residual: (expected > 0)
            .then(|| (expected - received + words.skipped) as f64 / expected as f64),
        bytes: bytes(words.traffic),
        ..StreamReport::default()
    }
}

fn bytes(traffic: Traffic) -> Bytes {
    Bytes {
        media: traffic.media,
        repair: traffic.repair,
        retransmission: traffic.retransmission,
        feedback: traffic.feedback,
        headers: traffic.headers,
    }
}

fn sync(pipeline: &Pipeline) -> SyncReport {
    let skew = pipeline.words.as_ref().map(|words| (&words.skew).into());
    let several = pipeline.tracks.len() > 1;
    let largest = pipeline.tracks.iter().map(Track::largest_skew).max();
    SyncReport {
        subtitle_skew_ms: skew.unwrap_or_default(),
        tracks_skew_samples: TracksSkew { max: largest.filter(|_| several) },
    }
}

/// Since when the watch has seen a term broken, and for how long.
fn with_breaches(term: PromiseReport, watch: &PromiseWatch, asked_at: MonoTime) -> PromiseReport {
    let breaches = watch.breaches(term.term);
    let since_asked = |at: MonoTime| millis(at - asked_at);
    let broken =
        |it: &Breach| Broken { from_ms: since_asked(it.since), until_ms: since_asked(it.until) };
    // Broken on the whole and at no time more than its window allows: too short to say when.
    if term.kept == Some(false) && breaches.listed().is_empty() {
        return term;
    }
    let listed = breaches.listed().iter().map(broken).collect();
    term.with_broken_for(breaches.total()).with_broken(listed)
}

/// Each term of the promise against what was measured over the whole session.
fn promises(spec: &QosSpec, report: &QosReport, accuracy: TimeDelta) -> Vec<PromiseReport> {
    let audio = report.streams.iter().find(|stream| stream.kind == StreamKind::Continuous);
    let span = |span: Duration| millis(span.into());
    let mut promises = Vec::new();
    let mut promise = |term, promised: Option<f64>, measured: Option<f64>| {
        promises.extend(promised.map(|promised| PromiseReport::new(term, promised, measured)));
    };
    // Sending times are told in steps of 4 us (abs-send-time), or found out; less than that is not
    // later.
    let delay = audio.and_then(|it| it.delay_ms.p99).map(|ms| (ms * 100.0).round() / 100.0);
    let limit = spec.delay.map(span);
    let kept = delay.zip(limit).filter(|(ms, limit)| *ms <= limit + millis(accuracy));
    promise(Term::Delay, limit, kept.map(|(ms, limit)| ms.min(limit)).or(delay));
    promise(Term::Jitter, spec.jitter.map(span), audio.and_then(|it| it.jitter_ms.p99));
    promise(Term::Loss, spec.loss, audio.and_then(|it| it.residual));
    promise(Term::Skew, spec.skew.map(span), report.sync.subtitle_skew_ms.p99);
    promise(Term::Setup, spec.setup.map(span), report.setup_ms);
    let seconds = audio.and_then(|it| it.played_ms).map(|it| it / 1e3).filter(|it| *it > 0.0);
    let total: u64 = report.streams.iter().map(|stream| stream.bytes.total()).sum();
    let rate = seconds.map(|seconds| total as f64 * 8.0 / seconds);
    promise(Term::Rate, spec.rate.map(|rate| rate.as_bps() as f64), rate);
    promises
}
