//! Is this packet part of a running stream? (RFC 3550, appendix A.1)

use super::Sequence;

/// What became of one packet.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Verdict {
    /// The packet belongs to the stream.
    Valid,
    /// The source has not yet sent enough packets in a row to be believed.
    Probation,
    /// The sequence number jumped far away; perhaps a stray packet, perhaps a restart.
    Bad,
    /// The second packet in a row after a jump: the source has restarted, and with this packet
    /// the count begins anew.
    Restarted,
}

/// The state of one source: believed after [`MIN_SEQUENTIAL`](Self::MIN_SEQUENTIAL) packets in a
/// row, followed over wraps, and given up when its sequence jumps.
///
/// The counts are those of appendix A.1: packets on probation or declared bad are in neither.
#[derive(Clone, Debug)]
pub struct SourceValidator {
    /// `max_seq`; before the first packet there is none.
    highest: Option<Sequence>,
    /// `cycles`: how often the sequence has wrapped, times 2^16.
    cycles: u64,
    /// `base_seq`: the first packet that counted.
    base: Sequence,
    /// `bad_seq`: the packet that would prove a restart.
    restart: Option<Sequence>,
    /// Packets in a row still wanted.
    probation: u16,
    received: u64,
}

impl SourceValidator {
    /// Packets in a row that make a new source valid.
    pub const MIN_SEQUENTIAL: u16 = 2;
    /// A sequence number this far ahead is no loss but a jump.
    pub const MAX_DROPOUT: u16 = 3_000;
    /// A sequence number up to this far behind is a packet overtaken by others.
    pub const MAX_MISORDER: u16 = 100;

    /// A source of which nothing is known: it begins on probation.
    pub const fn new() -> Self {
        Self {
            highest: None,
            cycles: 0,
            base: Sequence(0),
            restart: None,
            probation: Self::MIN_SEQUENTIAL,
            received: 0,
        }
    }

    /// A source that was announced (an SSRC in RTSP's `Transport`, an RTCP packet before): its
    /// first packet is valid already.
    pub const fn announced() -> Self {
        Self { probation: 0, ..Self::new() }
    }

    /// Judges the next packet that arrived.
    pub fn on_packet(&mut self, sequence: Sequence) -> Verdict {
        if self.probation > 0 {
            return self.prove(sequence);
        }
        let Some(highest) = self.highest else {
            self.begin(sequence);
            return Verdict::Valid;
        };
        let ahead = sequence.0.wrapping_sub(highest.0);
        if ahead < Self::MAX_DROPOUT {
            if sequence.0 < highest.0 {
                self.cycles += 1 << 16;
            }
            self.highest = Some(sequence);
        } else if ahead <= 0u16.wrapping_sub(Self::MAX_MISORDER) {
            if self.restart == Some(sequence) {
                self.begin(sequence);
                return Verdict::Restarted;
            }
            self.restart = Some(sequence.next());
            return Verdict::Bad;
        }
        self.received += 1;
        Verdict::Valid
    }

    /// One packet of a source on probation.
    fn prove(&mut self, sequence: Sequence) -> Verdict {
        let in_a_row = self.highest.is_none_or(|highest| sequence == highest.next());
        self.probation = if in_a_row { self.probation - 1 } else { Self::MIN_SEQUENTIAL - 1 };
        if self.probation == 0 {
            self.begin(sequence);
            return Verdict::Valid;
        }
        self.highest = Some(sequence);
        Verdict::Probation
    }

    /// `init_seq`, and the packet that caused it.
    fn begin(&mut self, sequence: Sequence) {
        *self = Self { highest: Some(sequence), base: sequence, received: 1, ..Self::announced() };
    }

    /// The highest sequence number, with the count of wraps above its sixteen bits.
    pub fn extended_highest(&self) -> u64 {
        self.cycles + self.highest.map_or(0, |highest| u64::from(highest.0))
    }

    /// Packets that the sender sent since the first that counted, as far as its sequence numbers
    /// tell (appendix A.3).
    pub fn expected(&self) -> u64 {
        if self.received == 0 { 0 } else { self.extended_highest() - u64::from(self.base.0) + 1 }
    }

    /// Packets that counted, duplicates included.
    pub fn received(&self) -> u64 {
        self.received
    }
}

impl Default for SourceValidator {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
