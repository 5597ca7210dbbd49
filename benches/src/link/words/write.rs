//! Writing a [`LinkSpec`] in words that are read back as the same.

use std::fmt;
use std::time::Duration;

use cantus_qos::quantity::duration_text;

use super::super::{
    Chance, Distribution, Jitter, LinkError, LinkSpec, Loss, Pause, Rate, Reorder, Share, Slot,
    Step, TraceSource,
};

impl fmt::Display for LinkSpec {
    /// The words that make this link, without the name of a standing one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit {} delay {}", self.limit, Time(self.delay))?;
        if let Some(Jitter { deviation, correlation, distribution }) = &self.jitter {
            write!(f, " {}{}", Time(*deviation), Further(*correlation))?;
            // `tc` knows the uniform distribution only by not being told another.
            if *distribution != Distribution::Uniform {
                write!(f, " distribution {distribution}")?;
            }
        }
        write!(f, "{}", self.loss)?;
        if self.ecn {
            f.write_str(" ecn")?;
        }
        for (word, chance) in [("duplicate", self.duplicate), ("corrupt", self.corrupt)] {
            chance.map_or(Ok(()), |chance| write!(f, " {word} {chance}"))?;
        }
        if let Some(Reorder { chance, gap }) = self.reorder {
            write!(f, " reorder {chance} gap {gap}")?;
        }
        self.rate.map_or(Ok(()), |rate| write!(f, " {rate}"))?;
        self.slot.as_ref().map_or(Ok(()), |slot| write!(f, " {slot}"))?;
        self.seed.map_or(Ok(()), |seed| write!(f, " seed {seed}"))?;
        self.fmt_own(f)
    }
}

impl LinkSpec {
    /// What netem has no words for.
    fn fmt_own(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keep_order {
            f.write_str(" keep-order")?;
        }
        match &self.trace {
            Some(TraceSource::Generated(carrier)) => write!(f, " trace {}", carrier.name())?,
            Some(TraceSource::File(path)) => write!(f, " trace {}", path.display())?,
            None => {}
        }
        self.queue.map_or(Ok(()), |packets| write!(f, " queue {packets}"))?;
        self.replay.as_ref().map_or(Ok(()), |path| write!(f, " replay {}", path.display()))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => Ok(()),
            Self::Random(chance) => write!(f, " loss random {chance}"),
            Self::State { p13, p31, p32, p23, p14 } => {
                write!(f, " loss state {p13} {p31} {p32} {p23} {p14}")
            }
            Self::GilbertElliott { p, r, bad, good, step } => {
                write!(f, " loss gemodel {p} {r} {bad} {good}")?;
                match step {
                    Step::PerPacket => Ok(()),
                    Step::Every(span) => write!(f, " step {}", Time(span)),
                }
            }
        }
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.share, Further(self.correlation))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bitrate, packet_overhead, cell_size, cell_overhead } = *self;
        write!(f, "rate {}bit", bitrate.as_bps())?;
        if self == &Self::from(bitrate) {
            return Ok(());
        }
        write!(f, " {packet_overhead} {cell_size} {cell_overhead}")
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pause {
            Pause::Between(least, most) => {
                write!(f, "slot {} {}", Time(*least), Time(*most))?;
            }
            Pause::Drawn { delay, deviation, distribution } => {
                write!(f, "slot distribution {distribution}")?;
                write!(f, " {} {}", Time(*delay), Time(*deviation))?;
            }
        }
        self.packets.map_or(Ok(()), |packets| write!(f, " packets {packets}"))?;
        self.bytes.map_or(Ok(()), |bytes| write!(f, " bytes {bytes}"))
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Normal => f.write_str("normal"),
            Self::Pareto => f.write_str("pareto"),
            Self::ParetoNormal => f.write_str("paretonormal"),
            Self::Installed(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A time in units that every `tc` reads: older ones know no nanoseconds.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_nanos() % 1_000 {
            0 => f.write_str(&duration_text(self.0)),
            nanos => write!(f, "{}.{nanos:03}us", self.0.as_micros()),
        }
    }
}

/// A correlation, if there is one.
struct Further(Share);

impl fmt::Display for Further {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_none() { Ok(()) } else { write!(f, " {}", self.0) }
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
