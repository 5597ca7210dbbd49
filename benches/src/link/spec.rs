//! What a link does: [`LinkSpec`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use cantus_qos::quantity::Bitrate;
use serde::{Deserialize, Serialize};

use super::trace::{Carrier, DeliveryTrace};
use super::{LinkError, named};

/// What one direction of a path does to packets.
///
/// It is read from, and written as, the words of tc-netem(8), beginning with the name of a
/// standing link where it starts from one:
///
/// ```
/// use cantus_bench::link::LinkSpec;
///
/// let spec: LinkSpec = "delay 40ms 15ms distribution normal loss gemodel 1% 25%".parse()?;
/// assert_eq!(spec.delay.as_millis(), 40);
/// let thinner: LinkSpec = "thin rate 96kbit".parse()?;
/// assert_eq!(thinner.limit, 50);
/// # Ok::<(), cantus_bench::link::LinkError>(())
/// ```
///
/// | words | meaning |
/// |---|---|
/// | `delay TIME [JITTER]` | each packet is delayed by this much |
/// | `distribution uniform\|normal\|pareto` | of the jitter (uniform if not said) |
/// | `keep-order` | no packet leaves before one that came earlier (not in netem) |
/// | `loss [random] SHARE [CORRELATION]` | independent losses |
/// | `loss gemodel P [R [1-H [1-K]]]` | losses in bursts |
/// | `step TIME` | the chain of `gemodel` steps every TIME, not per packet (not in netem) |
/// | `duplicate SHARE` | packets let through twice |
/// | `reorder SHARE [CORRELATION]` | packets that skip the delay |
/// | `gap N` | only every Nth packet can |
/// | `rate RATE` | a bottleneck; `kbit`, `mbit`, `gbit` |
/// | `limit PACKETS` | length of the queue before `rate` or `trace` |
/// | `trace umts\|lte\|FILE` | a bottleneck that follows a delivery trace (not in netem) |
///
/// Times carry their unit and shares their percent sign: where netem would take a bare number for
/// microseconds, a reader would not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LinkSpec {
    /// The one-way delay.
    pub delay: Duration,
    /// How the delay varies from packet to packet.
    pub jitter: Option<Jitter>,
    /// No packet leaves the delay before one that entered it earlier: its departure is the later
    /// of arrival + delay and the previous departure.
    pub keep_order: bool,
    /// What is lost on the way.
    pub loss: Loss,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
    /// Packets that skip the delay.
    pub reorder: Option<Reorder>,
    /// The rate of the bottleneck; `None`: as fast as it comes.
    pub rate: Option<Bitrate>,
    /// Packets that the queue of the bottleneck holds, the one being sent included.
    pub limit: usize,
    /// A bottleneck whose rate varies.
    pub trace: Option<TraceSource>,
}

/// How a delay varies.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Jitter {
    /// The standard deviation; for [`Distribution::Uniform`] the greatest deviation.
    pub deviation: Duration,
    /// The shape.
    pub distribution: Distribution,
}

/// The shape of the jitter. A delay that would be negative is zero.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Distribution {
    /// Every value between the two ends is as likely.
    #[default]
    Uniform,
    /// The bell.
    Normal,
    /// Mostly a little early, seldom very late.
    Pareto,
}

/// What is lost.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub enum Loss {
    /// Nothing.
    #[default]
    None,
    /// Each packet on its own.
    Random {
        /// Share lost.
        share: f64,
        /// How much the luck of a packet resembles that of the one before, 0 to 1.
        correlation: f64,
    },
    /// In bursts, by the two-state chain of Gilbert and Elliott.
    ///
    /// While `bad` is 1 and `good` is 0, the share lost is p / (p + r), and a burst lasts 1 / r
    /// steps in the mean.
    GilbertElliott {
        /// Probability that a step leads from the good state to the bad one.
        p: f64,
        /// Probability that a step leads from the bad state to the good one.
        r: f64,
        /// Share lost in the bad state (netem's 1-h).
        bad: f64,
        /// Share lost in the good state (netem's 1-k).
        good: f64,
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
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Reorder {
    /// Share of the candidates that do.
    pub share: f64,
    /// How much the luck of a candidate resembles that of the one before, 0 to 1.
    pub correlation: f64,
    /// Every how many packets there is a candidate, at least 1.
    pub gap: u32,
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

/// The queue that netem has when nothing is said.
const DEFAULT_LIMIT: usize = 1000;
/// The longest queue, and the furthest gap between candidates for reordering.
const MAX_LIMIT: usize = 1 << 20;
/// The shortest step of a loss chain, so that catching up after a pause stays cheap.
const MIN_STEP: Duration = Duration::from_millis(1);
/// The longest delay and jitter.
const MAX_DELAY: Duration = Duration::from_secs(3600);

impl Default for LinkSpec {
    /// A link that does nothing.
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: None,
            keep_order: false,
            loss: Loss::None,
            duplicate: 0.0,
            reorder: None,
            rate: None,
            limit: DEFAULT_LIMIT,
            trace: None,
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
        let jitter = self.jitter.map_or(Duration::ZERO, |jitter| jitter.deviation);
        refuse("the delay", format!("{:?}", self.delay), self.delay > MAX_DELAY)?;
        refuse("the jitter", format!("{jitter:?}"), jitter > MAX_DELAY)?;
        let limited = (1..=MAX_LIMIT).contains(&self.limit);
        refuse("the limit", self.limit.to_string(), !limited)?;
        refuse("the rate", "0".to_owned(), self.rate == Some(Bitrate::ZERO))?;
        share("the share of duplicates", self.duplicate)?;
        self.check_loss()?;
        let Some(Reorder { share: reordered, correlation, gap }) = self.reorder else {
            return Ok(());
        };
        share("the share of reordered packets", reordered)?;
        share("the correlation of reordering", correlation)?;
        refuse("the gap", gap.to_string(), gap == 0)
    }

    fn check_loss(&self) -> Result<(), LinkError> {
        match self.loss {
            Loss::None => Ok(()),
            Loss::Random { share: lost, correlation } => {
                share("the loss", lost)?;
                share("the correlation of losses", correlation)
            }
            Loss::GilbertElliott { p, r, bad, good, step } => {
                for (what, value) in [("p", p), ("r", r), ("1-h", bad), ("1-k", good)] {
                    share(what, value)?;
                }
                match step {
                    Step::PerPacket => Ok(()),
                    Step::Every(span) => refuse("the step", format!("{span:?}"), span < MIN_STEP),
                }
            }
        }
    }
}

fn share(what: &'static str, value: f64) -> Result<(), LinkError> {
    refuse(what, value.to_string(), !(0.0..=1.0).contains(&value))
}

fn refuse(what: &'static str, value: String, wrong: bool) -> Result<(), LinkError> {
    if wrong { Err(LinkError::OutOfRange { what, value }) } else { Ok(()) }
}
