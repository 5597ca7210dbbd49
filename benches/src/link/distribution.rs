//! [`Distribution`]s, and the tables from which netem draws them.
//!
//! A table holds the quantiles of a distribution at equal steps of rank, in 1/8192 of the
//! deviation, and a value is drawn by a random place in it (`tabledist` of `sch_netem.c`). The
//! tables of tc-netem(8) that follow a formula are computed here, as the generators in `netem/` of
//! iproute2 compute them, so that they need not be installed; others are read from where `tc` has
//! them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cantus_qos::time::TimeDelta;

use super::stored::Stored;
use super::{LinkError, near};

/// The shape of a jitter. A delay that would be negative is zero.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Distribution {
    /// Every value between the two ends is as likely.
    #[default]
    Uniform,
    /// The bell. No value is further than 4 deviations out.
    Normal,
    /// Mostly a little early, seldom very late: (x - 3/2) · 4/3 where x is Pareto with scale 1 and
    /// shape 3, which has mean 3/2 and variance 3/4. The mean is 0, the least value -2/3, and
    /// since netem divides by the variance, the deviation is 2/√3, but for what lies beyond 4 and
    /// is cut off.
    Pareto,
    /// A quarter of the bell and three quarters of Pareto, of the same rank.
    ParetoNormal,
    /// The table of this name that is installed with `tc`, such as `experimental`.
    Installed(String),
    /// A table file of one's own.
    File(PathBuf),
}

/// What netem divides the values of a table by.
const SCALE: i64 = 8192;
/// The longest table that `tc` reads.
const LONGEST: usize = 16 * 1024;
/// Where a table is the work of a formula, it has this many values.
const STEPS: u32 = 4096;
const WHAT: &str = "distribution table";
const BUILT_IN: [&str; 4] = ["uniform", "normal", "pareto", "paretonormal"];

impl Distribution {
    /// What `distribution WORD` means: a built-in shape, a path if it looks like one, or else the
    /// name of a table that is installed.
    pub(super) fn named(word: &str) -> Self {
        match word {
            "uniform" => Self::Uniform,
            "normal" => Self::Normal,
            "pareto" => Self::Pareto,
            "paretonormal" => Self::ParetoNormal,
            path if path.contains('/') || path.ends_with(".dist") => Self::File(path.into()),
            name => Self::Installed(name.to_owned()),
        }
    }

    /// Its table; `None` for the uniform one, which has none.
    pub(super) fn table(&self) -> Result<Option<Table>, LinkError> {
        static TABLES: LazyLock<[Table; 3]> = LazyLock::new(Table::computed);
        let [normal, pareto, paretonormal] = &*TABLES;
        Ok(Some(match self {
            Self::Uniform => return Ok(None),
            Self::Normal => normal.clone(),
            Self::Pareto => pareto.clone(),
            Self::ParetoNormal => paretonormal.clone(),
            Self::Installed(name) => Table::read(&installed(name)?)?,
            Self::File(path) => Table::read(path)?,
        }))
    }
}

/// The file of the table called `name`.
fn installed(name: &str) -> Result<PathBuf, LinkError> {
    let directories = directories();
    let paths = directories.iter().map(|directory| directory.join(format!("{name}.dist")));
    paths.into_iter().find(|path| path.is_file()).ok_or_else(|| LinkError::NoTable {
        name: name.to_owned(),
        near: near::nearest(name, BUILT_IN),
        directories: directories.iter().map(|path| path.display().to_string()).collect(),
    })
}

/// Where `tc` has its tables: where it is told, or else where distributions put them.
fn directories() -> Vec<PathBuf> {
    if let Some(told) = std::env::var_os("TC_LIB_DIR") {
        return vec![told.into()];
    }
    let multiarch = format!("/usr/lib/{}-linux-gnu/tc", std::env::consts::ARCH);
    let usual = ["/usr/lib/tc", "/usr/lib64/tc", &multiarch, "/usr/share/tc", "/usr/local/lib/tc"];
    usual.map(PathBuf::from).to_vec()
}

/// Quantiles in 1/8192 of the deviation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Table(Arc<[i16]>);

impl Table {
    /// Normal, Pareto and the mixture of both, as `normal.c`, `pareto.c` and `paretonormal.c` of
    /// iproute2 make them.
    fn computed() -> [Self; 3] {
        let bell = bell();
        let pareto = (0..STEPS).map(|step| {
            let left = f64::from(STEPS - step) / f64::from(STEPS);
            let value = (left.powf(-1.0 / 3.0) - 1.5) * 4.0 / 3.0 * SCALE as f64;
            value.min(f64::from(i16::MAX)).round() as i64
        });
        let pareto: Vec<i64> = pareto.collect();
        let mixture = bell.iter().zip(&pareto).map(|(bell, pareto)| (bell + 3 * pareto) / 4);
        let mixture = mixture.collect();
        [bell, pareto, mixture].map(|values| {
            let limited = |value: i64| value.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            Self(values.into_iter().map(limited).collect())
        })
    }

    /// Reads a table: whole numbers of 16 bits between blanks, at most 16,384; lines that begin
    /// with `#` are comments.
    pub(super) fn parse(text: &str) -> Result<Self, LinkError> {
        let mut values: Vec<i16> = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            for word in line.split_whitespace() {
                let expected = "whole numbers of 16 bits";
                let value = word.parse();
                values.push(value.map_err(|_| LinkError::bad_line(WHAT, index, line, expected))?);
            }
            if values.len() > LONGEST {
                return Err(LinkError::TooLong { what: WHAT, most: LONGEST });
            }
        }
        if values.is_empty() {
            return Err(LinkError::Empty { what: WHAT });
        }
        Ok(Self(values.into()))
    }

    fn read(path: &Path) -> Result<Self, LinkError> {
        Self::parse(&Stored { what: WHAT, most_bytes: 1 << 20 }.read(path)?)
    }
}

/// The quantiles of the normal distribution in 1/8192, those beyond 16 bits included.
///
/// `normal.c` sweeps x upwards in steps of 5e-5 and keeps the last x whose rank rounds to a place
/// of the table, so it does the same here. The rank is the sum of the density over the sweep.
fn bell() -> Vec<i64> {
    const STEP: f64 = 5e-5;
    const START: f64 = -5.0;
    /// The rank of the start.
    const BELOW: f64 = 2.866_515_718_8e-7;
    /// Ranks are rounded to one of these, and every fourth is kept.
    const RANKS: f64 = 16384.0;
    let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let mut quantiles = vec![0; STEPS as usize];
    let mut rank = BELOW;
    for step in 0..200_000_u32 {
        let x = START + f64::from(step) * STEP;
        let place = (rank * RANKS).round() as usize;
        if place.is_multiple_of(4) && place / 4 < quantiles.len() {
            quantiles[place / 4] = (x * SCALE as f64).round() as i64;
        }
        rank += density(x + STEP / 2.0) * STEP;
    }
    quantiles
}

/// A distribution around its mean: what `tabledist` of `sch_netem.c` draws from.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    mean: i64,
    deviation: u32,
    table: Option<Table>,
}

impl Spread {
    /// Without a table: uniform. A deviation beyond 31 bits of nanoseconds is cut off there.
    pub(super) fn new(mean: Duration, deviation: Duration, table: Option<Table>) -> Self {
        let nanos = |span: Duration, most: u64| span.as_nanos().min(u128::from(most)) as i64;
        let deviation = nanos(deviation, i32::MAX as u64) as u32;
        Self { mean: nanos(mean, i64::MAX as u64 / 2), deviation, table }
    }

    /// Whether there is luck in it.
    pub(super) fn varies(&self) -> bool {
        self.deviation > 0
    }

    /// The value that a uniform number leads to; it may be negative.
    ///
    /// As in netem, it is the remainder of the number that decides, not its size. So numbers that
    /// resemble each other lead to values that hardly do, unless the deviation is near its limit:
    /// a correlation of delays is all but lost here, and it is in the kernel.
    pub(super) fn at(&self, number: u32) -> TimeDelta {
        TimeDelta::from_nanos(self.nanos(number))
    }

    fn nanos(&self, number: u32) -> i64 {
        let Self { mean, deviation, ref table } = *self;
        let sigma = i64::from(deviation);
        if sigma == 0 {
            return mean;
        }
        let Some(Table(values)) = table else {
            return i64::from(number % (2 * deviation)) + mean - sigma;
        };
        let value = i64::from(values[number as usize % values.len()]);
        let rest = (sigma % SCALE) * value;
        let rounded = if rest >= 0 { rest + SCALE / 2 } else { rest - SCALE / 2 };
        rounded / SCALE + (sigma / SCALE) * value + mean
    }
}

#[cfg(test)]
mod tests;
