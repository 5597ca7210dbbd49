use super::*;
use crate::stats::{Distribution, Recovery};
use crate::time::{MediaTime, MonoTime, TimeDelta};
use proptest::prelude::*;
use std::time::Duration;

fn ledger() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.start_at(100);
    for unit in (0..50).filter(|unit| ![7, 8, 20].contains(unit)) {
        let sent = MonoTime::from_millis(20 * unit);
        let arrived = sent + Duration::from_millis(30 + unit % 5);
        let recovery = if unit == 30 { Recovery::Fec } else { Recovery::None };
        let media_time = MediaTime::from_millis(20 * unit as i64);
        ledger.on_arrival(arrived, 100 + unit, media_time, Some(sent), recovery);
        if recovery == Recovery::None {
            ledger.on_transit(arrived - sent);
        }
        let heard = sent + Duration::from_millis(200);
        ledger.on_played(100 + unit, heard, heard);
    }
    ledger.end_at(149);
    ledger.finish();
    ledger
}

fn report() -> QosReport {
    let ledger = ledger();
    let mut audio = StreamReport::new("audio", StreamKind::Continuous, &ledger);
    audio.jitter_ms =
        audio.jitter_ms.with_rfc3550(TimeDelta::from_micros(1_250), TimeDelta::from_micros(900));
    audio.delay_ms = audio.delay_ms.with_uncertainty(Duration::from_millis(4));
    audio.played_ms = Some(1_000.0);
    audio.concealed_ms = Some(60.0);
    audio.bytes = Bytes { media: 12_000, repair: 4_000, headers: 2_400, ..Bytes::default() };
    let text = StreamReport::new("en", StreamKind::Discrete, &Ledger::new());
    let skews: Distribution = [-12, 3, 55].into_iter().map(TimeDelta::from_millis).collect();
    let depths: Distribution = [100, 160, 180].into_iter().map(TimeDelta::from_millis).collect();
    QosReport {
        mode: LatencyMode::Fixed,
        latency_ms: Some(200.0),
        setup_ms: Some(41.2),
        first_sound_ms: Some(243.0),
        mos: Some(Mos { value: 4.21, model: "E-model (G.107), Opus".to_owned() }),
        streams: vec![audio, text],
        sync: SyncReport { subtitle_skew_ms: (&skews).into(), ..SyncReport::default() },
        buffer_ms: (&depths).into(),
        promise: vec![
            PromiseReport::new(Term::Delay, 200.0, Some(200.0)),
            PromiseReport::new(Term::Loss, 0.01, Some(0.06))
                .with_broken_for(Duration::from_millis(1_240))
                .with_broken(vec![Broken { from_ms: 2_400.0, until_ms: 3_640.0 }]),
            PromiseReport::new(Term::Skew, 40.0, Some(-55.0)),
            PromiseReport::new(Term::Rate, 160_000.0, None),
        ],
        ..QosReport::new("quic://localhost/narration", "quic")
    }
}

const SUMMARY: &str = "\
quic://localhost/narration
Promise broken: 94.00 % of the sound heard in time, 200.0 ms after sending.

Session
  transport                    quic
  latency                  200.0 ms
  set-up                    41.2 ms
  first sound after        243.0 ms
  buffer, median           160.0 ms
  quality, 1 to 5              4.21  E-model (G.107), Opus

Streams                       audio             en
  units expected                 50              0
  received                       46              0
  lost on the way                 4              0
  share lost                 8.00 %              -
  longest run                     2              -
  recovered by FEC                1              0
  recovered, resent               0              0
  never arrived                   3              0
  came too late                   0              0
  not heard in time          6.00 %              -
  duplicates                      0              0
  reordered                       0              0
  delay, median            200.0 ms              -
  delay, 99 %              200.0 ms              -
  delay, longest           200.0 ms              -
  known to within            4.0 ms              -
  jitter, RFC 3550           1.2 ms              -
  jitter, 99 %               4.0 ms              -
  played                      1.0 s              -
  concealed                   60 ms              -
  stretched                       -              -
  shrunk                          -              -
  media                     12.0 kB            0 B
  repair                     4.0 kB            0 B
  retransmissions               0 B            0 B
  feedback                      0 B            0 B
  headers                    2.4 kB            0 B

Sync                         median           99 %       farthest       measured
  subtitle skew             +3.0 ms       +55.0 ms       +55.0 ms         3 cues
  tracks apart                    -              -              -

Promise                     at most       measured
  delay                    200.0 ms       200.0 ms  ✓ kept
  loss                       1.00 %         6.00 %  ✗ BROKEN, for 1.2 s
  skew                      40.0 ms       -55.0 ms  ✗ BROKEN
  rate                 160.0 kbit/s              -  ? not measured
";

#[test]
fn the_summary_reads_like_this() {
    let summary = report().summary();
    assert_eq!(summary, SUMMARY, "\n{summary}");
}

#[test]
fn the_document_has_the_promised_names_in_the_promised_order() {
    let json = report().to_json();
    assert!(json.ends_with("}\n"));
    let names = [
        "version",
        "url",
        "transport",
        "mode",
        "latency_ms",
        "setup_ms",
        "first_sound_ms",
        "mos",
        "value",
        "model",
        "streams",
        "name",
        "kind",
        "expected",
        "received",
        "lost_network",
        "recovered_fec",
        "recovered_retransmission",
        "duplicate",
        "reordered",
        "late",
        "residual",
        "concealed_ms",
        "played_ms",
        "stretched_ms",
        "shrunk_ms",
        "jitter_ms",
        "rfc3550",
        "rfc3550_mean",
        "p50",
        "p95",
        "p99",
        "delay_ms",
        "p50",
        "p95",
        "p99",
        "max",
        "uncertainty",
        "loss_runs",
        "1",
        "2",
        "bytes",
        "media",
        "repair",
        "retransmission",
        "feedback",
        "headers",
    ];
    let found: Vec<_> = json.split('"').skip(1).step_by(2).collect();
    let mut found = found.iter();
    for name in names {
        assert!(found.any(|found| *found == name), "{name} is missing or out of place");
    }
    let tail = [
        "sync",
        "subtitle_skew_ms",
        "p50",
        "p99",
        "max",
        "count",
        "tracks_skew_samples",
        "max",
        "buffer_ms",
        "promise",
        "term",
        "promised",
        "measured",
        "kept",
        "broken_for_ms",
        "broken",
        "from_ms",
        "until_ms",
    ];
    for name in tail {
        assert!(found.any(|found| *found == name), "{name} is missing or out of place");
    }
}

#[test]
fn what_is_unknown_is_null() {
    let report = QosReport::new("rtsp://localhost/narration", "udp");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    for name in ["latency_ms", "setup_ms", "first_sound_ms", "mos"] {
        assert!(json[name].is_null(), "{name}");
    }
    assert!(json["sync"]["tracks_skew_samples"]["max"].is_null());
    assert_eq!(json["mode"], "auto");
    assert_eq!(report.summary().lines().nth(1), Some("No promise."));
}

#[test]
fn a_document_survives_the_way_through_json() {
    let report = report();
    let again: QosReport = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(again, report);
}

#[test]
fn jitter_is_taken_above_the_smallest_transit_whatever_the_clocks_say() {
    let transits: Distribution =
        [-200, -190, -180].into_iter().map(TimeDelta::from_millis).collect();
    let jitter = Jitter::from(&transits);
    assert_eq!((jitter.p50, jitter.p99), (Some(10.0), Some(20.0)));
}

#[test]
fn a_limit_is_kept_when_reached_and_broken_beyond() {
    let kept = |term, measured| PromiseReport::new(term, 200.0, measured).kept;
    assert_eq!(kept(Term::Delay, Some(200.0)), Some(true));
    assert_eq!(kept(Term::Delay, Some(200.001)), Some(false));
    assert_eq!(kept(Term::Skew, Some(-200.0)), Some(true));
    assert_eq!(kept(Term::Skew, Some(-200.001)), Some(false));
    assert_eq!(kept(Term::Delay, None), None);
    assert_eq!(kept(Term::Delay, Some(f64::NAN)), None);
}

#[test]
fn a_promise_is_kept_only_if_every_term_was_measured_and_kept() {
    let report = |measured: &[Option<f64>]| QosReport {
        promise: measured.iter().map(|m| PromiseReport::new(Term::Delay, 1.0, *m)).collect(),
        ..QosReport::new("", "")
    };
    assert_eq!(report(&[]).kept(), None);
    assert_eq!(report(&[Some(1.0), Some(0.5)]).kept(), Some(true));
    assert_eq!(report(&[Some(1.0), None]).kept(), None);
    assert_eq!(report(&[Some(2.0), None]).kept(), Some(false));
}

proptest! {
    #[test]
    fn no_line_of_a_summary_is_longer_than_80_columns(
        url in ".{0,200}",
        names in prop::collection::vec(".{0,40}", 0..9),
        numbers in any::<[u32; 4]>(),
        amounts in prop::array::uniform4(0.0..1e9f64),
        residual in proptest::option::of(0.0..=1.0f64),
    ) {
        let streams = names.into_iter().map(|name| StreamReport {
            name,
            expected: numbers[0].into(),
            lost_network: numbers[1].into(),
            residual,
            played_ms: Some(amounts[0]),
            delay_ms: Delay { p50: Some(amounts[1]), ..Delay::default() },
            bytes: Bytes { media: u64::from(numbers[2]) << 16, ..Bytes::default() },
            ..StreamReport::default()
        });
        let report = QosReport {
            streams: streams.collect(),
            mos: Some(Mos { value: 3.3, model: url.clone() }),
            promise: vec![
                PromiseReport::new(Term::Rate, amounts[2], Some(amounts[3])),
                PromiseReport::new(Term::Delay, amounts[2], Some(amounts[3]))
                    .with_broken_for(Duration::from_secs(numbers[3].into())),
            ],
            ..QosReport::new(url, "quic")
        };
        for line in report.summary().lines() {
            prop_assert!(line.chars().count() <= 80, "{}", line);
            prop_assert!(!line.contains(char::is_control), "{:?}", line);
        }
    }
}
