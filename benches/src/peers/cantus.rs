//! Cantus itself beside its peers: streamer and player through the relay.
//!
//! Its figures are of the player's own making: units of the sound that were not played in time,
//! out of those that were expected. The cost is by the relay's log, set-up, subtitles and all.

use std::path::Path;
use std::time::Duration;

use cantus_player::cli::{Codec, Out, PlayOptions, Subtitles, TrustOptions};
use cantus_player::drive::Failure;
use cantus_player::wish::{Latency, Less};
use cantus_qos::stats::report::{QosReport, StreamKind, StreamReport};
use cantus_qos::time::MonoTime;

use super::frame::BARE;
use super::passage::{Passage, Traffic};
use crate::link::LinkSpec;
use crate::plan::Transport;
use crate::stage::{Stage, StageError};

/// The headers of a packet of the bare stream: IP, UDP and RTP.
const HEADERS: u64 = 40;

/// Why Cantus was not measured.
#[derive(Debug, thiserror::Error)]
pub enum CantusError {
    /// Streamer or relay did not start.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The session broke off.
    #[error(transparent)]
    Play(#[from] Failure),
    /// There was no sound.
    #[error("the player's report tells of no sound")]
    Silent,
}

/// Plays `length` of the presentation `media` across `link`.
///
/// # Errors
///
/// [`CantusError`].
pub async fn run(
    media: &Path,
    transport: Transport,
    link: &LinkSpec,
    seed: u64,
    latency: Duration,
    length: Duration,
) -> Result<Passage, CantusError> {
    let directory = media.parent().unwrap_or(Path::new("."));
    let name = media.file_name().unwrap_or_default().to_string_lossy();
    let stage = Stage::set(directory, &name, transport, link, seed).await?;
    let options = PlayOptions {
        url: stage.url.clone().into(),
        out: Out::Null,
        subtitles: Subtitles::None,
        lang: None,
        codec: Codec::default(),
        latency: Latency::Fixed(latency),
        qos: None,
        less: Less::Ignore,
        report: None,
        trace: None,
        from: None,
        length: Some(length),
        fec: Default::default(),
        trust: TrustOptions { trust: None, ca: None },
    };
    let (report, result) = stage.play(&options).await;
    let record = stage.strike().await;
    result?;
    let traffic = Traffic::of(&record.log, MonoTime::from_nanos(u64::MAX));
    let stream = sound(&report).ok_or(CantusError::Silent)?;
    let lateness = record.lateness.quantiles().map(|late| late.p99);
    Ok(Passage { lateness, ..of_stream(stream, traffic) })
}

fn sound(report: &QosReport) -> Option<&StreamReport> {
    report.streams.iter().find(|stream| stream.kind == StreamKind::Continuous)
}

/// The bare stream is what the sound itself takes, whatever its rate; shares are of that of the
/// peers, so that all cost is in the same coin.
fn of_stream(stream: &StreamReport, traffic: Traffic) -> Passage {
    let not_played = (stream.residual.unwrap_or(0.0) * stream.expected as f64).round() as u64;
    let late = stream.late.min(not_played);
    let unit = stream.bytes.media.checked_div(stream.received).unwrap_or_default() + HEADERS;
    let bare = (stream.expected * BARE as u64).max(1) as f64;
    Passage {
        frames: stream.expected,
        missing: not_played - late,
        late,
        overhead: (traffic.there as f64 - (stream.expected * unit) as f64) / bare,
        feedback: traffic.back as f64 / bare,
        delay_p50_ms: stream.delay_ms.p50,
        delay_p95_ms: stream.delay_ms.p95,
        delay_max_ms: stream.delay_ms.max,
        lateness: None,
        starts: 1,
    }
}
