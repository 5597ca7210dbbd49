//! What numbered packets tell of a network.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cantus_qos::time::MonoTime;

/// The first lines of the two logs.
pub(super) const SENT_COLUMNS: &str = "number,sent_ns";
pub(super) const RECEIVED_COLUMNS: &str = "number,sent_ns,arrived_ns";

/// Packets that a log may tell of.
const LIMIT: usize = 1 << 22;

/// What was sent, and what arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// When each packet was sent, by number.
    sent: Vec<MonoTime>,
    /// What arrived, in the order in which it did.
    arrivals: Vec<Arrival>,
}

/// One arrival.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Arrival {
    /// The number of the packet.
    pub number: u32,
    /// When it arrived.
    pub at: MonoTime,
}

/// Logs that tell nothing.
#[derive(Debug, thiserror::Error)]
pub enum ObservationError {
    /// One that cannot be read.
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A line that makes no sense.
    #[error("{}, line {line}: `{text}` is not {columns}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What should be there.
        columns: &'static str,
        /// The line, cut to its first characters.
        text: String,
    },
    /// One that tells of more packets than anybody counts.
    #[error("{}: more than {LIMIT} packets", .0.display())]
    TooLong(PathBuf),
    /// An arrival of what was never sent.
    #[error("packet {number} arrived, but only {sent} were sent, from 0 on")]
    NeverSent {
        /// What arrived.
        number: u32,
        /// How many were sent.
        sent: usize,
    },
}

impl Observation {
    /// Of packets sent at these instants, these arrived, in this order.
    ///
    /// # Errors
    ///
    /// [`ObservationError::NeverSent`].
    pub fn new(sent: Vec<MonoTime>, arrivals: Vec<Arrival>) -> Result<Self, ObservationError> {
        let stranger = arrivals.iter().find(|arrival| arrival.number as usize >= sent.len());
        match stranger {
            Some(&Arrival { number, .. }) => {
                Err(ObservationError::NeverSent { number, sent: sent.len() })
            }
            None => Ok(Self { sent, arrivals }),
        }
    }

    /// Reads the logs of a sender and a receiver.
    ///
    /// # Errors
    ///
    /// [`ObservationError`].
    pub fn read(sent: &Path, received: &Path) -> Result<Self, ObservationError> {
        let sent = read(sent, SENT_COLUMNS, |[_, at]: [u64; 2]| MonoTime::from_nanos(at))?;
        let arrival = |[number, _, at]: [u64; 3]| Arrival {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            at: MonoTime::from_nanos(at),
        };
        Self::new(sent, read(received, RECEIVED_COLUMNS, arrival)?)
    }

    /// When each packet was sent, by number.
    pub fn sent(&self) -> &[MonoTime] {
        &self.sent
    }

    /// How often each packet arrived, by number.
    pub fn copies(&self) -> Vec<u32> {
        let mut copies = vec![0; self.sent.len()];
        for arrival in &self.arrivals {
            copies[arrival.number as usize] += 1;
        }
        copies
    }

    /// Whether each packet never arrived.
    pub fn lost(&self) -> Vec<bool> {
        self.copies().into_iter().map(|copies| copies == 0).collect()
    }

    /// Whether each packet arrived more than once.
    pub fn duplicated(&self) -> Vec<bool> {
        self.copies().into_iter().map(|copies| copies > 1).collect()
    }

    /// Whether each packet first arrived behind one that was sent later (RFC 4737, section 3.3).
    pub fn reordered(&self) -> Vec<bool> {
        let mut reordered = vec![false; self.sent.len()];
        let mut seen = vec![false; self.sent.len()];
        let mut next_expected = 0;
        for &Arrival { number, .. } in &self.arrivals {
            let first = !std::mem::replace(&mut seen[number as usize], true);
            reordered[number as usize] |= first && number < next_expected;
            next_expected = next_expected.max(number + 1);
        }
        reordered
    }

    /// The one-way delays of the first arrivals, in the order of sending. They are what they are
    /// called only if both ends have one clock.
    pub fn delays(&self) -> Vec<Duration> {
        let mut delays = vec![None; self.sent.len()];
        for &Arrival { number, at } in &self.arrivals {
            let sent = self.sent[number as usize];
            delays[number as usize].get_or_insert(at.since(sent));
        }
        delays.into_iter().flatten().collect()
    }
}

/// How long the stretches are of `what` happening to packet after packet. One that the end cuts
/// off is as long as it is.
pub fn runs(happened: &[bool], what: bool) -> Vec<usize> {
    let stretches = happened.chunk_by(|one, other| one == other);
    stretches.filter(|stretch| stretch[0] == what).map(<[bool]>::len).collect()
}

fn read<const COLUMNS: usize, T>(
    file: &Path,
    columns: &'static str,
    row: impl Fn([u64; COLUMNS]) -> T,
) -> Result<Vec<T>, ObservationError> {
    let text = fs::read_to_string(file)
        .map_err(|cause| ObservationError::Unreadable { file: file.to_owned(), cause })?;
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let values = line.split(',').map(str::parse).collect::<Result<Vec<u64>, _>>();
        let values = values.ok().and_then(|values| <[u64; COLUMNS]>::try_from(values).ok());
        let wrong = || ObservationError::Line {
            file: file.to_owned(),
            line: index + 1,
            columns,
            text: line.chars().take(40).collect(),
        };
        rows.push(row(values.ok_or_else(wrong)?));
        if rows.len() > LIMIT {
            return Err(ObservationError::TooLong(file.to_owned()));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(sent: u64, arrived: &[u32]) -> Observation {
        let sent = (0..sent).map(MonoTime::from_millis).collect();
        let at = MonoTime::from_millis(100);
        let arrivals = arrived.iter().map(|&number| Arrival { number, at });
        Observation::new(sent, arrivals.collect()).unwrap()
    }

    #[test]
    fn losses_duplicates_and_stragglers_are_told_apart() {
        let seen = observed(6, &[0, 3, 3, 1, 5]);
        assert_eq!(seen.lost(), [false, false, true, false, true, false]);
        assert_eq!(seen.duplicated(), [false, false, false, true, false, false]);
        assert_eq!(seen.reordered(), [false, true, false, false, false, false]);
        assert_eq!(seen.delays().len(), 4);
    }

    #[test]
    fn a_copy_that_comes_late_is_no_reordering() {
        assert_eq!(observed(3, &[0, 1, 2, 1]).reordered(), [false; 3]);
    }

    #[test]
    fn a_run_is_as_long_as_it_lasts() {
        let lost = [true, true, false, true, false, false];
        assert_eq!(runs(&lost, true), [2, 1]);
        assert_eq!(runs(&lost, false), [1, 2]);
        assert!(runs(&[], true).is_empty());
    }

    #[test]
    fn what_was_never_sent_cannot_arrive() {
        let arrival = Arrival { number: 1, at: MonoTime::ZERO };
        let refused = Observation::new(vec![MonoTime::ZERO], vec![arrival]);
        assert!(matches!(refused, Err(ObservationError::NeverSent { number: 1, sent: 1 })));
    }
}
