//! What was measured in one session.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The figures of one session: a line of `results.csv`, an entry of `results.json`.
///
/// Names are stable; what is unknown is `null`, and empty in CSV. Shares are fractions from 0 to 1,
/// times milliseconds, sizes bytes. Audio tracks are counted together; cues are not among them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What the luck followed from.
    pub seed: u64,
    /// Whether everything was played to the end.
    pub completed: bool,
    /// Units that should have been heard.
    pub expected: u64,
    /// Units that came by themselves.
    pub received: u64,
    /// Units that did not.
    pub lost_network: u64,
    /// Lost units brought back by forward error correction.
    pub recovered_fec: u64,
    /// Lost units brought back by a retransmission.
    pub recovered_retransmission: u64,
    /// Units that came, but were not heard in time.
    pub late: u64,
    /// Further copies of units.
    pub duplicate: u64,
    /// Units that others had overtaken.
    pub reordered: u64,
    /// Units not heard in time / expected.
    pub residual: Option<f64>,
    /// Units that the network lost / expected.
    pub network_loss: Option<f64>,
    /// What an ideal sender would have left unheard at the same overhead ([`crate::bound::repair`]);
    /// where a latency was promised.
    pub repair_bound: Option<f64>,
    /// All bytes but cues and QUIC's framing, both ways, beyond the unprotected stream, as a share
    /// of it: [`PLAIN_FRAME`](super::PLAIN_FRAME) bytes a unit.
    pub overhead: Option<f64>,
    /// The part of it that is RTCP, both ways.
    pub feedback: Option<f64>,
    /// Audio packets, IP, UDP and RTP headers included.
    pub media_bytes: u64,
    /// Repair packets and retransmissions.
    pub repair_bytes: u64,
    /// RTCP, both ways.
    pub feedback_bytes: u64,
    /// Cues.
    pub cue_bytes: u64,
    /// What QUIC took beyond the same packets over UDP: its framing, handshake and
    /// acknowledgements, and the control that it carries; `null` over UDP.
    pub quic_framing_bytes: Option<i64>,
    /// The same for each packet that the ends gave to it, in bytes.
    pub quic_framing_per_packet: Option<f64>,
    /// How long the packets of the session stood in the queue of the bottleneck on their way to the
    /// player, behind others and without their own transmission: the median of those that came
    /// through; `null` where nothing limits the rate.
    pub queue_p50_ms: Option<f64>,
    /// The 95 % quantile.
    pub queue_p95_ms: Option<f64>,
    /// The longest.
    pub queue_max_ms: Option<f64>,
    /// Of what the bottleneck could have carried from the first audio packet to the last, the share
    /// that audio packets took, with their IP, UDP and RTP headers; over QUIC as they would be over
    /// UDP. `null` where the rate is not constant.
    pub pipe_media: Option<f64>,
    /// The share that everything took that the session sent to the player.
    pub pipe_used: Option<f64>,
    /// Audio packets that came through, with their IP, UDP and RTP headers, of what the session would
    /// have had if all who shared the bottleneck had had the same, or of what unprotected audio takes
    /// if that is less ([`PLAIN_FRAME`](super::PLAIN_FRAME)). Over the last two thirds of the time
    /// in which all were there; `null` where nobody else was.
    pub fair_share: Option<f64>,
    /// Jain's index of everybody's bytes that came through in that time: 1 where all had the same,
    /// 1/n where one had everything.
    pub jain: Option<f64>,
    /// What the others took of the pipe in that time.
    pub pipe_others: Option<f64>,
    /// From a unit's sending to its being heard, the mean of those heard in time.
    pub delay_mean_ms: Option<f64>,
    /// Median of it.
    pub delay_p50_ms: Option<f64>,
    /// 95 % quantile.
    pub delay_p95_ms: Option<f64>,
    /// 99 % quantile.
    pub delay_p99_ms: Option<f64>,
    /// The longest.
    pub delay_max_ms: Option<f64>,
    /// Of the units that came, the share that was late or was waited for.
    pub late_share: Option<f64>,
    /// Mean delay / the best constant delay in hindsight with as many units late.
    pub playout_to_constant: Option<f64>,
    /// Mean delay / the offline optimum that may change its delay (Moon, Kurose and Towsley).
    pub playout_to_optimum: Option<f64>,
    /// Mean delay / the best constant delay in hindsight that would have interrupted the sound for as
    /// long: what playback waited for counts as late.
    pub playout_to_interrupted: Option<f64>,
    /// Median of the delay variation on the way.
    pub jitter_p50_ms: Option<f64>,
    /// Its 95 % quantile.
    pub jitter_p95_ms: Option<f64>,
    /// Its 99 % quantile.
    pub jitter_p99_ms: Option<f64>,
    /// 99 % of the cues were at most this far from their sound; positive is after it.
    pub skew_p99_ms: Option<f64>,
    /// The cue farthest from its sound.
    pub skew_max_ms: Option<f64>,
    /// Cues that were measured.
    pub skew_count: u64,
    /// The least that lay in the playout buffer.
    pub buffer_min_ms: Option<f64>,
    /// The median.
    pub buffer_p50_ms: Option<f64>,
    /// The 95 % quantile.
    pub buffer_p95_ms: Option<f64>,
    /// The most.
    pub buffer_max_ms: Option<f64>,
    /// From the start to the answer to PLAY.
    pub setup_ms: Option<f64>,
    /// From the start to the first sound.
    pub first_sound_ms: Option<f64>,
    /// Sound made up in place of missing units.
    pub concealed_ms: Option<f64>,
    /// Sound added by time scaling.
    pub stretched_ms: Option<f64>,
    /// Sound removed by time scaling.
    pub shrunk_ms: Option<f64>,
    /// Concealment during which playback waited for what was late, and gave no unit up for it.
    pub waited_ms: Option<f64>,
    /// Estimated listening quality, 1 to 5.
    pub mos: Option<f64>,
    /// Length of a run of units lost on the network -> how many such runs.
    pub loss_runs: BTreeMap<u32, u64>,
    /// The same of units that were not heard, after all repair.
    pub residual_runs: BTreeMap<u32, u64>,
}
