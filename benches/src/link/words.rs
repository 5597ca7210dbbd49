//! Reading and writing a [`LinkSpec`] in the words of tc-netem(8).

use std::fmt;
use std::iter::Peekable;
use std::path::PathBuf;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

use cantus_qos::quantity::{Bitrate, QuantityError, duration_text, parse_duration, parse_share};

use super::named;
use super::{Carrier, Distribution, Jitter, LinkError, LinkSpec, Loss, Reorder, Step, TraceSource};

/// Words of netem that change packets in ways that we do not.
const NOT_EMULATED: [&str; 5] = ["corrupt", "slot", "ecn", "seed", "paretonormal"];

impl FromStr for LinkSpec {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let mut words = Words(text.split_whitespace().peekable());
        let mut spec = LinkSpec::default();
        if let Some(standing) = words.0.peek().and_then(|name| named::find(name)) {
            words.0.next();
            spec = standing;
        }
        while let Some(word) = words.0.next() {
            clause(word, &mut words, &mut spec)?;
        }
        spec.check()?;
        Ok(spec)
    }
}

fn clause(word: &str, words: &mut Words<'_>, spec: &mut LinkSpec) -> Result<(), LinkError> {
    match word {
        "delay" | "latency" => delay(words, spec)?,
        "distribution" => {
            let distribution = distribution(words.value("distribution", "a shape")?)?;
            let orphan = LinkError::Orphan { word: "distribution", needs: "delay TIME JITTER" };
            spec.jitter.as_mut().ok_or(orphan)?.distribution = distribution;
        }
        "keep-order" => spec.keep_order = true,
        "loss" | "drop" => spec.loss = loss(words)?,
        "step" => {
            let span = words.duration("step")?;
            let Loss::GilbertElliott { step, .. } = &mut spec.loss else {
                return Err(LinkError::Orphan { word: "step", needs: "loss gemodel" });
            };
            *step = Step::Every(span);
        }
        "duplicate" => spec.duplicate = words.share("duplicate")?,
        "reorder" => {
            let share = words.share("reorder")?;
            let correlation = words.further_share("reorder")?.unwrap_or(0.0);
            spec.reorder = Some(Reorder { share, correlation, gap: 1 });
        }
        "gap" => {
            let gap = words.number("gap")?;
            let orphan = LinkError::Orphan { word: "gap", needs: "reorder" };
            spec.reorder.as_mut().ok_or(orphan)?.gap = gap;
        }
        "rate" => spec.rate = Some(rate(words.value("rate", "a rate such as 160kbit")?)?),
        "limit" => spec.limit = words.number("limit")? as usize,
        "trace" => spec.trace = Some(trace(words.value("trace", "umts, lte or a file")?)),
        word if NOT_EMULATED.contains(&word) => {
            return Err(LinkError::NotEmulated { word: word.to_owned() });
        }
        word => {
            return Err(LinkError::UnknownWord { word: word.to_owned() });
        }
    }
    Ok(())
}

fn delay(words: &mut Words<'_>, spec: &mut LinkSpec) -> Result<(), LinkError> {
    spec.delay = words.duration("delay")?;
    spec.jitter = None;
    if words.number_follows() {
        let deviation = words.duration("delay")?;
        spec.jitter = Some(Jitter { deviation, distribution: Distribution::Uniform });
    }
    if words.number_follows() {
        return Err(LinkError::NotEmulated { word: "correlation of delay".to_owned() });
    }
    Ok(())
}

fn distribution(word: &str) -> Result<Distribution, LinkError> {
    match word {
        "uniform" => Ok(Distribution::Uniform),
        "normal" => Ok(Distribution::Normal),
        "pareto" => Ok(Distribution::Pareto),
        _ => Err(LinkError::NotEmulated { word: format!("distribution {word}") }),
    }
}

fn loss(words: &mut Words<'_>) -> Result<Loss, LinkError> {
    match words.0.peek().copied() {
        Some("gemodel") => {
            words.0.next();
            let p = words.share("gemodel")?;
            let r = words.further_share("gemodel")?.unwrap_or(1.0 - p);
            let bad = words.further_share("gemodel")?.unwrap_or(1.0);
            let good = words.further_share("gemodel")?.unwrap_or(0.0);
            return Ok(Loss::GilbertElliott { p, r, bad, good, step: Step::PerPacket });
        }
        Some("state") => {
            return Err(LinkError::NotEmulated { word: "loss state".to_owned() });
        }
        Some("random") => _ = words.0.next(),
        _ => {}
    }
    let share = words.share("loss")?;
    let correlation = words.further_share("loss")?.unwrap_or(0.0);
    Ok(Loss::Random { share, correlation })
}

/// `tc` takes `mbit` in any case, and `bps` for bytes per second: the latter is refused, because
/// everybody else means bits.
fn rate(word: &str) -> Result<Bitrate, LinkError> {
    let lower = word.to_ascii_lowercase();
    if lower.ends_with("bps") {
        return Err(LinkError::NotEmulated { word: format!("rate {word} (write kbit or mbit)") });
    }
    let proper = lower.replace('m', "M").replace('g', "G");
    proper.parse().map_err(|source| LinkError::Quantity { word: "rate", source })
}

fn trace(word: &str) -> TraceSource {
    match Carrier::named(word) {
        Some(carrier) => TraceSource::Generated(carrier),
        None => TraceSource::File(PathBuf::from(word)),
    }
}

/// What is left to read.
struct Words<'a>(Peekable<SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    fn value(&mut self, word: &'static str, what: &'static str) -> Result<&'a str, LinkError> {
        self.0.next().ok_or(LinkError::MissingValue { word, what })
    }

    fn duration(&mut self, word: &'static str) -> Result<Duration, LinkError> {
        let value = self.value(word, "a time such as 20ms")?;
        parse_duration(value).map_err(|source| LinkError::Quantity { word, source })
    }

    fn share(&mut self, word: &'static str) -> Result<f64, LinkError> {
        let value = self.value(word, "a share such as 1%")?;
        let quantity = |source| LinkError::Quantity { word, source };
        if !value.ends_with('%') {
            return Err(quantity(QuantityError::NoUnit {
                text: value.chars().take(20).collect(),
                quantity: "share",
                example: "1%",
            }));
        }
        parse_share(value).map_err(quantity)
    }

    /// The share that may follow, if a number does.
    fn further_share(&mut self, word: &'static str) -> Result<Option<f64>, LinkError> {
        self.number_follows().then(|| self.share(word)).transpose()
    }

    fn number(&mut self, word: &'static str) -> Result<u32, LinkError> {
        let value = self.value(word, "a number of packets")?;
        let wrong = |_| LinkError::OutOfRange { what: word, value: value.to_owned() };
        value.parse().map_err(wrong)
    }

    fn number_follows(&mut self) -> bool {
        self.0.peek().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    }
}

impl fmt::Display for LinkSpec {
    /// The words that make this link, without the name of a standing one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delay {}", duration_text(self.delay))?;
        if let Some(Jitter { deviation, distribution }) = self.jitter {
            write!(f, " {} distribution {distribution}", duration_text(deviation))?;
        }
        if self.keep_order {
            f.write_str(" keep-order")?;
        }
        write!(f, "{}", self.loss)?;
        if self.duplicate > 0.0 {
            write!(f, " duplicate {}", Percent(self.duplicate))?;
        }
        if let Some(Reorder { share, correlation, gap }) = self.reorder {
            write!(f, " reorder {} {} gap {gap}", Percent(share), Percent(correlation))?;
        }
        if let Some(rate) = self.rate {
            write!(f, " rate {}bit", rate.as_bps())?;
        }
        match &self.trace {
            Some(TraceSource::Generated(carrier)) => write!(f, " trace {}", carrier.name())?,
            Some(TraceSource::File(path)) => write!(f, " trace {}", path.display())?,
            None => {}
        }
        write!(f, " limit {}", self.limit)
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => Ok(()),
            Self::Random { share, correlation } => {
                write!(f, " loss {} {}", Percent(share), Percent(correlation))
            }
            Self::GilbertElliott { p, r, bad, good, step } => {
                write!(f, " loss gemodel")?;
                for share in [p, r, bad, good] {
                    write!(f, " {}", Percent(share))?;
                }
                match step {
                    Step::PerPacket => Ok(()),
                    Step::Every(span) => write!(f, " step {}", duration_text(span)),
                }
            }
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::Pareto => "pareto",
        })
    }
}

/// A share in percent, to a millionth of a percent.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.6}", self.0 * 100.0);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl From<LinkSpec> for String {
    fn from(spec: LinkSpec) -> Self {
        spec.to_string()
    }
}

impl TryFrom<String> for LinkSpec {
    type Error = LinkError;

    fn try_from(text: String) -> Result<Self, LinkError> {
        text.parse()
    }
}
