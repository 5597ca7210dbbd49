//! Reading a [`LinkSpec`] from the words of tc-netem(8), as `tc/q_netem.c` of iproute2 reads them.
//!
//! Words may stand in any order and may be cut short (`dist`, `dup`), and numbers that follow each
//! other belong to the word before. What a word needs may come later in the line.

mod reader;
mod units;
mod write;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::{
    Carrier, Chance, Distribution, Jitter, LinkError, LinkSpec, Loss, Pause, Rate, Reorder, Share,
    Slot, Step, TraceSource,
};
use super::{named, near};
use reader::Reader;

/// The words of netem, in the order in which `tc` tries them: one cut short means the first that
/// begins with it.
const NETEM_WORDS: [&str; 14] = [
    "limit",
    "latency",
    "delay",
    "loss",
    "drop",
    "seed",
    "ecn",
    "reorder",
    "corrupt",
    "gap",
    "duplicate",
    "distribution",
    "rate",
    "slot",
];

/// Our own words: these are never cut short.
const OWN_WORDS: [&str; 5] = ["keep-order", "step", "queue", "trace", "replay"];

/// What a command line that sets up netem may begin with; `#` and `$` are prompts.
const COMMANDS: [&str; 5] = ["tc", "sudo", "qdisc", "#", "$"];

impl FromStr for LinkSpec {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let mut words = Reader::new(text);
        let mut spec = Self::default();
        if let Some(standing) = words.peek().and_then(named::find) {
            words.next();
            spec = standing;
        }
        skip_command(&mut words)?;
        let mut reading = Reading { words, spec, ..Reading::default() };
        let mut word = None;
        while let Some(next) = reading.words.next() {
            word = Some(reading.word(next, word)?);
        }
        let spec = reading.finish()?;
        spec.check()?;
        Ok(spec)
    }
}

/// Leaves out what stands before the words of netem in a line of `tc`.
fn skip_command(words: &mut Reader<'_>) -> Result<(), LinkError> {
    let Some(first) = words.peek() else {
        return Ok(());
    };
    let is_command = COMMANDS.contains(&first) || first.ends_with("/tc");
    if words.take("netem") || !is_command || words.skip_to("netem") {
        return Ok(());
    }
    Err(LinkError::NoNetem { at: words.at() + 1 })
}

/// A spec while it is read, and the words that refine others, which may be still to come.
#[derive(Debug, Default)]
struct Reading<'a> {
    words: Reader<'a>,
    spec: LinkSpec,
    loss_said: bool,
    reorder: Option<(usize, Option<Chance>)>,
    distribution: Option<(usize, Distribution)>,
    ecn: Option<usize>,
    gap: Option<(usize, u32)>,
    step: Option<(usize, Duration)>,
    queue: Option<(usize, usize)>,
}

impl Reading<'_> {
    /// Reads what belongs to the word that was read last; `before` is the one before it.
    fn word(
        &mut self,
        word: &str,
        before: Option<&'static str>,
    ) -> Result<&'static str, LinkError> {
        let at = self.words.at();
        let known = known(word).ok_or_else(|| unknown(at, word, before))?;
        match known {
            "limit" => self.spec.limit = self.words.size(known, PACKETS)? as usize,
            "latency" | "delay" => self.delay()?,
            "loss" | "drop" => self.loss()?,
            "seed" => self.spec.seed = Some(self.words.seed()?),
            "ecn" => self.ecn = Some(at),
            "reorder" => self.reorder = Some((at, self.words.chance(known)?)),
            "corrupt" => self.spec.corrupt = self.words.chance(known)?,
            "gap" => self.gap = Some((at, self.words.integer(known, PACKETS)?)),
            "duplicate" => self.spec.duplicate = self.words.chance(known)?,
            "distribution" => self.distribution = Some((at, distribution(&mut self.words)?)),
            "rate" => self.spec.rate = Some(rate(&mut self.words)?),
            "slot" => self.spec.slot = slot(&mut self.words)?,
            "keep-order" => self.spec.keep_order = true,
            "step" => self.step = Some((at, self.words.time(known)?)),
            "queue" => self.queue = Some((at, self.words.size(known, PACKETS)? as usize)),
            "trace" => self.spec.trace = Some(trace(&mut self.words)?),
            _ => self.spec.replay = Some(PathBuf::from(self.words.value(known, "a file")?)),
        }
        Ok(known)
    }

    fn delay(&mut self) -> Result<(), LinkError> {
        let words = &mut self.words;
        self.spec.delay = words.time("delay")?;
        self.spec.jitter = None;
        if !words.number_follows() {
            return Ok(());
        }
        if let Some(percent) = words.peek().filter(|word| word.ends_with('%')) {
            return Err(LinkError::NoJitter { at: words.at() + 1, value: reader::shown(percent) });
        }
        let deviation = words.time("delay")?;
        let correlation = words.further_share("delay")?.unwrap_or_default();
        let jitter = Jitter { deviation, correlation, distribution: Distribution::Uniform };
        self.spec.jitter = (!deviation.is_zero()).then_some(jitter);
        Ok(())
    }

    fn loss(&mut self) -> Result<(), LinkError> {
        if std::mem::replace(&mut self.loss_said, true) {
            return Err(LinkError::LossTwice { at: self.words.at() });
        }
        self.spec.loss = loss(&mut self.words)?;
        Ok(())
    }

    /// Puts the words that refine others where they belong.
    fn finish(self) -> Result<LinkSpec, LinkError> {
        let Self { mut spec, .. } = self;
        let orphan = |at, word, needs| LinkError::Orphan { at, word, needs };
        if let Some((at, distribution)) = self.distribution {
            let jitter = spec.jitter.as_mut().filter(|_| !spec.delay.is_zero());
            let orphan = orphan(at, "distribution", "delay TIME JITTER");
            jitter.ok_or(orphan)?.distribution = distribution;
        }
        if let Some((at, chance)) = self.reorder {
            spec.reorder = chance.map(|chance| Reorder { chance, gap: 1 });
            if chance.is_some() && spec.delay.is_zero() {
                return Err(orphan(at, "reorder", "delay TIME"));
            }
        }
        // A gap of 0 is what netem takes for none said.
        if let Some((at, gap)) = self.gap.filter(|&(_, gap)| gap > 0) {
            let reorder = spec.reorder.as_mut();
            reorder.ok_or(orphan(at, "gap", "reorder PERCENT"))?.gap = gap;
        }
        if let Some(at) = self.ecn {
            let lossless = spec.loss == Loss::None && spec.replay.is_none();
            spec.ecn = true;
            if lossless {
                return Err(orphan(at, "ecn", "loss"));
            }
        }
        if let Some((at, span)) = self.step {
            let Loss::GilbertElliott { step, .. } = &mut spec.loss else {
                return Err(orphan(at, "step", "loss gemodel"));
            };
            *step = Step::Every(span);
        }
        if let Some((at, packets)) = self.queue {
            spec.queue = Some(packets);
            if spec.rate.is_none() && spec.trace.is_none() {
                return Err(orphan(at, "queue", "rate RATE"));
            }
        }
        Ok(spec)
    }
}

const PACKETS: &str = "a number of packets";

/// The word that is meant.
fn known(word: &str) -> Option<&'static str> {
    let own = OWN_WORDS.into_iter().find(|own| *own == word);
    own.or_else(|| NETEM_WORDS.into_iter().find(|netem| netem.starts_with(word)))
}

fn unknown(at: usize, word: &str, before: Option<&'static str>) -> LinkError {
    let is_number = word.trim_start_matches(['-', '.']).starts_with(|c: char| c.is_ascii_digit());
    if let Some(before) = before.filter(|_| is_number) {
        let value = reader::shown(word);
        return match word.starts_with('-') {
            true => LinkError::Negative { at, word: before, value },
            false => LinkError::OneTooMany { at, word: before, value },
        };
    }
    let names = super::STANDING_LINKS.map(|(name, _)| name);
    let names = names.into_iter().filter(|_| at == 1);
    let near = near::nearest(word, NETEM_WORDS.into_iter().chain(OWN_WORDS).chain(names));
    LinkError::UnknownWord { at, word: reader::shown(word), near }
}

fn loss(words: &mut Reader<'_>) -> Result<Loss, LinkError> {
    const MODEL: &str = "a percentage, or `random`, `state` or `gemodel`";
    if words.take("state") {
        let p13 = words.share("loss state")?;
        let [p31, p32, p23, p14] = words
            .further_shares("loss state", [p13.rest(), Share::NONE, Share::WHOLE, Share::NONE])?;
        return Ok(Loss::State { p13, p31, p32, p23, p14 });
    }
    if words.take("gemodel") {
        let p = words.share("loss gemodel")?;
        let [r, bad, good] =
            words.further_shares("loss gemodel", [p.rest(), Share::WHOLE, Share::NONE])?;
        return Ok(Loss::GilbertElliott { p, r, bad, good, step: Step::PerPacket });
    }
    if !words.take("random") && !words.signed_number_follows() {
        let word = words.value("loss", MODEL)?;
        let value = reader::shown(word);
        return Err(LinkError::BadValue { at: words.at(), word: "loss", value, what: MODEL });
    }
    Ok(words.chance("loss")?.map_or(Loss::None, Loss::Random))
}

/// `FILE` is a path, or else the name of a table that `tc` has.
fn distribution(words: &mut Reader<'_>) -> Result<Distribution, LinkError> {
    let what = "uniform, normal, pareto, paretonormal, or the name or path of a table";
    words.value("distribution", what).map(Distribution::named)
}

fn rate(words: &mut Reader<'_>) -> Result<Rate, LinkError> {
    let mut rate = Rate::from(words.rate()?);
    if words.signed_number_follows() {
        rate.packet_overhead = words.integer("rate", "an overhead in bytes")?;
    }
    if words.number_follows() {
        rate.cell_size = words.integer("rate", "the size of a cell in bytes")?;
    }
    if words.signed_number_follows() {
        rate.cell_overhead = words.integer("rate", "an overhead in bytes")?;
    }
    Ok(rate)
}

fn slot(words: &mut Reader<'_>) -> Result<Option<Slot>, LinkError> {
    const BYTES: &str = "a number of bytes";
    let pause = if words.take("distribution") {
        let distribution = distribution(words)?;
        let (delay, deviation) = (words.slot_time()?, words.slot_time()?);
        Pause::Drawn { delay, deviation, distribution }
    } else {
        let least = words.slot_time()?;
        let most = if words.number_follows() { words.slot_time()? } else { least };
        Pause::Between(least, most)
    };
    let (mut packets, mut bytes) = (None, None);
    loop {
        if words.take("packets") {
            packets = Some(words.integer("packets", PACKETS)?).filter(|&packets| packets > 0);
        } else if words.take("bytes") {
            bytes = Some(words.size("bytes", BYTES)?).filter(|&bytes| bytes > 0);
        } else {
            break;
        }
    }
    let none = pause == Pause::Between(Duration::ZERO, Duration::ZERO);
    Ok((!none).then_some(Slot { pause, packets, bytes }))
}

fn trace(words: &mut Reader<'_>) -> Result<TraceSource, LinkError> {
    let word = words.value("trace", "umts, lte or a file")?;
    Ok(match Carrier::named(word) {
        Some(carrier) => TraceSource::Generated(carrier),
        None => TraceSource::File(PathBuf::from(word)),
    })
}
