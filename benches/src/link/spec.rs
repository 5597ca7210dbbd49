//! What a link does: [`LinkSpec`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use cantus_qos::quantity::{Bitrate, duration_text};
use serde::{Deserialize, Serialize};

use super::trace::{Carrier, DeliveryTrace};
use super::{Chance, Distribution, LinkError, Share, named};

/// What one direction of a path does to packets.
///
/// It is read from, and written as, the words of tc-netem(8), with or without the command line
/// before them, and beginning with the name of a standing link where it starts from one. The
/// [room's documentation](super) has the table of words.
///
/// ```
/// use cantus_bench::link::LinkSpec;
///
/// let spec: LinkSpec = "delay 40ms 15ms distribution normal loss gemodel 1% 25%".parse()?;
/// assert_eq!(spec.delay.as_millis(), 40);
/// let copied: LinkSpec = "tc qdisc add dev eth0 root netem rate 5kbit 20 100 5".parse()?;
/// assert_eq!(copied.rate.map(|rate| rate.cell_size), Some(100));
/// let thinner: LinkSpec = "thin rate 96kbit".parse()?;
/// assert_eq!(thinner.queue, Some(50));
/// # Ok::<(), cantus_bench::link::LinkError>(())
/// ```
///
/// What netem can do is written so that `tc` reads it back too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LinkSpec {
    /// The one-way delay.
    pub delay: Duration,
    /// How the delay varies from packet to packet.
    pub jitter: Option<Jitter>,
    /// No packet leaves the delay before one that entered it earlier: its departure is the later
    /// of arrival + delay and the previous departure. Not in netem.
    pub keep_order: bool,
    /// What is lost on the way.
    pub loss: Loss,
    /// Packets that the loss model takes are marked instead, where they can be.
    pub ecn: bool,
    /// The delay and loss of each packet, from a file. Not in netem.
    pub replay: Option<PathBuf>,
    /// Packets that come twice.
    pub duplicate: Option<Chance>,
    /// Packets of which one bit is flipped.
    pub corrupt: Option<Chance>,
    /// Packets that skip the delay.
    pub reorder: Option<Reorder>,
    /// A bottleneck of constant rate.
    pub rate: Option<Rate>,
    /// When the link delivers at all.
    pub slot: Option<Slot>,
    /// Packets that are on the link at most, those being delayed included.
    pub limit: usize,
    /// Packets that wait before `rate` or `trace` at most, the one being sent included, when that
    /// is a bottleneck of its own behind the delay. Not in netem.
    pub queue: Option<usize>,
    /// A bottleneck whose rate varies. Not in netem.
    pub trace: Option<TraceSource>,
    /// What the luck follows from, whatever seed the link is built with.
    pub seed: Option<u64>,
}

/// How a delay varies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Jitter {
    /// The standard deviation; for [`Distribution::Uniform`] the greatest deviation. Beyond
    /// 2.147 s (2^31 ns) netem takes that.
    pub deviation: Duration,
    /// How much the number drawn for a packet resembles the one before.
    pub correlation: Share,
    /// The shape.
    pub distribution: Distribution,
}

/// What is lost.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Loss {
    /// Nothing.
    #[default]
    None,
    /// Each packet on its own, or with luck that resembles that of the one before.
    Random(Chance),
    /// By the four-state chain of Salsano, Ludovici and Ordine ("GI model"): within gaps packets
    /// get through (state 1) but for single losses (4), within bursts some are lost (3) and some
    /// get through (2).
    ///
    /// With x = p13 p23 + p31 p23 + p32 p13 + p14 p31 p23 the share lost is
    /// (p13 p23 + p14 p31 p23) / x; see the tests for the length of a run.
    State {
        /// From a gap into a burst.
        p13: Share,
        /// From a loss in a burst back to the gap.
        p31: Share,
        /// From a loss to a packet that gets through, in a burst.
        p32: Share,
        /// And back.
        p23: Share,
        /// A single loss in a gap.
        p14: Share,
    },
    /// In bursts, by the two-state chain of Gilbert and Elliott.
    ///
    /// While `bad` is 1 and `good` is 0, the share lost is p / (p + r), and a burst lasts 1 / r
    /// steps in the mean.
    GilbertElliott {
        /// Probability that a step leads from the good state to the bad one.
        p: Share,
        /// Probability that a step leads from the bad state to the good one.
        r: Share,
        /// Share lost in the bad state (netem's 1-h).
        bad: Share,
        /// Share lost in the good state (netem's 1-k).
        good: Share,
        /// When the chain steps.
        step: Step,
    },
}

/// When a loss chain steps.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// After each packet, as in netem: who sends more sees shorter bursts.
    PerPacket,
    /// At each whole multiple of this time: bursts last as long whoever sends.
    Every(Duration),
}

/// Packets that skip the delay.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Reorder {
    /// The candidates that do.
    pub chance: Chance,
    /// Every how many packets there is a candidate, at least 1.
    pub gap: u32,
}

/// A bottleneck of constant rate, in whole bytes per second.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Rate {
    /// The rate, headers and cells included.
    pub bitrate: Bitrate,
    /// Bytes that travel with each packet; negative where fewer do than the packet counts.
    pub packet_overhead: i32,
    /// Bytes of payload in a cell, of which a packet takes whole ones; 0: there are no cells.
    pub cell_size: u32,
    /// Bytes that travel with each cell.
    pub cell_overhead: i32,
}

impl From<Bitrate> for Rate {
    /// Nothing but the packet itself takes time.
    fn from(bitrate: Bitrate) -> Self {
        Self { bitrate, packet_overhead: 0, cell_size: 0, cell_overhead: 0 }
    }
}

/// Packets are delivered in slots only: those that wait leave together when one comes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Slot {
    /// How long until the next slot.
    pub pause: Pause,
    /// Packets that a slot holds; `None`: all that wait.
    pub packets: Option<u32>,
    /// Bytes after which a slot ends; `None`: there is no end.
    pub bytes: Option<u32>,
}

/// The time from one slot to the next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pause {
    /// Every value from the first to the second is as likely.
    Between(Duration, Duration),
    /// Drawn as a delay is.
    Drawn {
        /// The mean.
        delay: Duration,
        /// As [`Jitter::deviation`].
        deviation: Duration,
        /// The shape.
        distribution: Distribution,
    },
}

/// Where a delivery trace comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TraceSource {
    /// A file in the format of [`DeliveryTrace::parse`].
    File(PathBuf),
    /// A stand-in with the statistics of a real drive, generated from the link's seed.
    Generated(Carrier),
}

impl TraceSource {
    pub(super) fn load(&self, seed: u64) -> Result<DeliveryTrace, LinkError> {
        match self {
            Self::File(path) => DeliveryTrace::read(path),
            Self::Generated(carrier) => Ok(carrier.generate(seed)),
        }
    }
}

/// The limit that netem has when nothing is said.
const DEFAULT_LIMIT: usize = 1000;
/// The shortest step of a loss chain, so that catching up after a pause stays cheap.
const MIN_STEP: Duration = Duration::from_millis(1);
/// The longest delay, jitter and pause between slots.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(3600);

impl Default for LinkSpec {
    /// A link that does nothing.
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: None,
            keep_order: false,
            loss: Loss::None,
            ecn: false,
            replay: None,
            duplicate: None,
            corrupt: None,
            reorder: None,
            rate: None,
            slot: None,
            limit: DEFAULT_LIMIT,
            queue: None,
            trace: None,
            seed: None,
        }
    }
}

impl LinkSpec {
    /// The standing link of this name, one of [`STANDING_LINKS`](super::STANDING_LINKS).
    ///
    /// # Errors
    ///
    /// [`LinkError::UnknownName`].
    pub fn named(name: &str) -> Result<Self, LinkError> {
        named::find(name).ok_or_else(|| LinkError::UnknownName { name: name.to_owned() })
    }

    /// The same link, driven by the real delivery trace where `directory` has it in place of the
    /// generated one.
    #[must_use]
    pub fn with_traces_from(mut self, directory: &Path) -> Self {
        if let Some(TraceSource::Generated(carrier)) = self.trace {
            let path = directory.join(carrier.file_name());
            if path.is_file() {
                self.trace = Some(TraceSource::File(path));
            }
        }
        self
    }

    /// Refuses what no link can be.
    pub(super) fn check(&self) -> Result<(), LinkError> {
        at_most("the delay", self.delay)?;
        if let Some(jitter) = &self.jitter {
            at_most("the jitter", jitter.deviation)?;
        }
        refuse("the limit", self.limit, self.limit == 0)?;
        refuse("the queue", 0, self.queue == Some(0))?;
        if let Some(reorder) = self.reorder {
            refuse("the gap", reorder.gap, reorder.gap == 0)?;
        }
        self.loss.check()?;
        self.rate.map_or(Ok(()), Rate::check)?;
        self.slot.as_ref().map_or(Ok(()), Slot::check)
    }
}

impl Loss {
    fn check(self) -> Result<(), LinkError> {
        match self {
            Self::None | Self::Random(_) => Ok(()),
            Self::State { p13, p31, p32, p14, .. } => {
                whole("p13 and p14 together", p13, p14)?;
                whole("p31 and p32 together", p31, p32)
            }
            Self::GilbertElliott { step: Step::PerPacket, .. } => Ok(()),
            Self::GilbertElliott { step: Step::Every(span), .. } => {
                refuse("the step", duration_text(span), span < MIN_STEP)
            }
        }
    }
}

impl Rate {
    fn check(self) -> Result<(), LinkError> {
        let Self { bitrate, cell_size, cell_overhead, .. } = self;
        refuse("the rate", bitrate, bitrate.as_bps() < 8)?;
        let cell = i64::from(cell_size) + i64::from(cell_overhead);
        refuse("the overhead of a cell", cell_overhead, cell_size > 0 && cell <= 0)
    }
}

impl Slot {
    fn check(&self) -> Result<(), LinkError> {
        match self.pause {
            Pause::Between(least, most) => {
                at_most("the pause between slots", most)?;
                refuse("the longest pause between slots", duration_text(most), most < least)
            }
            Pause::Drawn { delay, deviation, .. } => {
                at_most("the pause between slots", delay)?;
                at_most("the jitter of slots", deviation)?;
                refuse("the jitter of slots", duration_text(deviation), deviation.is_zero())
            }
        }
    }
}

fn at_most(what: &'static str, span: Duration) -> Result<(), LinkError> {
    refuse(what, duration_text(span), span > MAX_DELAY)
}

/// Rounding apart: two halves may be a step more than the whole.
fn whole(what: &'static str, a: Share, b: Share) -> Result<(), LinkError> {
    let sum = u64::from(a.steps()) + u64::from(b.steps());
    let percent = format!("{:.1}%", sum as f64 / f64::from(u32::MAX) * 100.0);
    refuse(what, percent, sum > u64::from(u32::MAX) + 1)
}

fn refuse(what: &'static str, value: impl ToString, wrong: bool) -> Result<(), LinkError> {
    if wrong { Err(LinkError::OutOfRange { what, value: value.to_string() }) } else { Ok(()) }
}
