//! What others reach on the standing links, measured once through the same emulator, to be set
//! beside ours in the plots.
//!
//! Best peer: the best of GStreamer (plain, RTX, RED, ULPFEC, ST 2022-1), SRT with ARQ and FEC, and
//! RIST, each with 20 ms Opus at 96 kbit/s. Roc: version 0.4, L16 in packets of 5 ms, blocks of
//! 18 + 10, three seeds, a receiver queue of 200 ms on top of the path. Reference: an unlimited
//! sliding-window erasure code with isochronous NACK.

/// Who it is that reached something.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Who {
    /// The best of the programs that a user would take instead.
    BestPeer,
    /// Roc 0.4.
    Roc,
    /// The reference sender and receiver.
    Reference,
}

/// What somebody reached on a link.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Other {
    /// Who.
    pub who: Who,
    /// The latency, in milliseconds.
    pub latency_ms: f64,
    /// Share of frames not there in time.
    pub residual: f64,
    /// What it took, repair, retransmissions and requests, as a share of the unprotected stream.
    pub overhead: f64,
}

impl Who {
    /// Its name in a legend.
    pub fn name(self) -> &'static str {
        match self {
            Self::BestPeer => "best peer",
            Self::Roc => "Roc",
            Self::Reference => "reference",
        }
    }
}

/// What others reach on the standing link of this name.
pub fn others_on(link: &str) -> Vec<Other> {
    let rows = ROWS.iter().filter(|(name, ..)| *name == link);
    rows.map(|&(_, who, latency_ms, residual, overhead)| Other {
        who,
        latency_ms,
        residual: residual / 100.0,
        overhead: overhead / 100.0,
    })
    .collect()
}

/// Link, who, latency in ms, residual in percent, overhead in percent. Where a range was measured,
/// its middle stands here; Roc's latency is its queue and the delay of the link.
const ROWS: &[(&str, Who, f64, f64, f64)] = &[
    ("wifi", Who::BestPeer, 100.0, 0.0, 70.0),
    ("wifi", Who::BestPeer, 200.0, 0.0, 38.0),
    ("wifi", Who::Reference, 150.0, 0.0, 6.0),
    ("bursty", Who::BestPeer, 100.0, 2.99, 87.0),
    ("bursty", Who::BestPeer, 150.0, 2.49, 87.0),
    ("bursty", Who::BestPeer, 200.0, 1.75, 87.0),
    ("bursty", Who::BestPeer, 250.0, 1.51, 60.0),
    ("bursty", Who::Roc, 240.0, 0.54, 56.0),
    ("bursty", Who::Reference, 150.0, 1.6, 73.0),
    ("bursty", Who::Reference, 200.0, 0.31, 68.0),
    ("bursty", Who::Reference, 250.0, 0.07, 51.0),
    ("bursty-t", Who::BestPeer, 200.0, 1.75, 87.0),
    ("bursty-t", Who::BestPeer, 250.0, 1.24, 42.0),
    ("bursty-t", Who::Roc, 240.0, 2.7, 56.0),
    ("bursty-t", Who::Reference, 150.0, 2.9, 49.0),
    ("bursty-t", Who::Reference, 200.0, 0.75, 70.0),
    ("bursty-t", Who::Reference, 250.0, 0.40, 97.0),
    ("bad", Who::BestPeer, 100.0, 26.5, 87.0),
    ("bad", Who::BestPeer, 200.0, 9.24, 87.0),
    ("bad", Who::BestPeer, 250.0, 9.24, 87.0),
    ("bad", Who::Roc, 260.0, 5.2, 56.0),
    ("bad", Who::Reference, 200.0, 6.4, 95.0),
    ("bad", Who::Reference, 250.0, 3.5, 109.0),
    ("bad-t", Who::BestPeer, 200.0, 9.24, 87.0),
    ("bad-t", Who::BestPeer, 250.0, 9.24, 87.0),
    ("bad-t", Who::Roc, 260.0, 11.6, 56.0),
    ("bad-t", Who::Reference, 200.0, 8.96, 84.0),
    ("bad-t", Who::Reference, 250.0, 4.93, 119.0),
    ("heavy", Who::BestPeer, 100.0, 8.8, 87.0),
    ("heavy", Who::BestPeer, 150.0, 4.03, 87.0),
    ("heavy", Who::BestPeer, 200.0, 4.03, 87.0),
    ("heavy", Who::BestPeer, 250.0, 2.42, 76.0),
    ("heavy", Who::Roc, 240.0, 0.53, 56.0),
    ("heavy", Who::Reference, 150.0, 0.86, 90.0),
    ("heavy", Who::Reference, 200.0, 0.12, 97.0),
    ("heavy", Who::Reference, 250.0, 0.02, 103.0),
    ("storm", Who::BestPeer, 100.0, 12.9, 70.0),
    ("storm", Who::BestPeer, 200.0, 0.03, 70.0),
    ("storm", Who::BestPeer, 250.0, 0.0, 70.0),
    ("thin", Who::BestPeer, 100.0, 0.0, 0.0),
    ("thin", Who::BestPeer, 200.0, 0.0, 0.0),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::STANDING_LINKS;

    #[test]
    fn others_were_measured_on_standing_links_and_reached_shares() {
        for (link, _, latency, residual, overhead) in ROWS {
            assert!(STANDING_LINKS.iter().any(|(name, _)| name == link), "{link}");
            assert!((50.0..=300.0).contains(latency) && (0.0..100.0).contains(residual));
            assert!((0.0..150.0).contains(overhead), "{link}");
        }
        assert_eq!(others_on("bursty").len(), 8);
        assert!(others_on("delay 10ms").is_empty());
    }
}
