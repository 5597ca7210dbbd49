//! The interleaver: keeps the packets of one block out of the same burst of losses.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::time::MonoTime;

/// Spreads the repair packets of a block over the time of the next one.
///
/// Losses come in bursts. A burst that takes the end of a block must not take its repair packets
/// too, so of `n` packets over a span the first leaves `span / (n + 1)` after the block's end, the
/// last as long before the end of the span, and no two leave together: neither of one block nor
/// of several, nor after a late call. Who is late catches up at twice the pace.
#[derive(Clone, Debug, Default)]
pub struct RepairSpread {
    waiting: BTreeMap<MonoTime, Bytes>,
    last: Option<Departure>,
}

#[derive(Copy, Clone, Debug)]
struct Departure {
    planned: MonoTime,
    left: MonoTime,
}

impl RepairSpread {
    /// No block lasts longer; a longer span is taken as this one.
    const LONGEST: Duration = Duration::from_secs(3_600);

    /// An empty spread.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans the repair packets of a block that is complete `now`, evenly over the span `over`:
    /// usually as long as a block lasts.
    pub fn push(
        &mut self,
        now: MonoTime,
        packets: impl IntoIterator<Item = Bytes, IntoIter: ExactSizeIterator>,
        over: Duration,
    ) {
        let packets = packets.into_iter();
        let parts = u32::try_from(packets.len()).unwrap_or(u32::MAX).saturating_add(1);
        let step = over.min(Self::LONGEST) / parts;
        for (part, packet) in (1..parts).zip(packets) {
            let instant = self.free_instant(now + step.saturating_mul(part), step);
            self.waiting.insert(instant, packet);
        }
    }

    /// The next packet, if it is due. At most one packet leaves at an instant.
    pub fn pop(&mut self, now: MonoTime) -> Option<Bytes> {
        let due = self.next_deadline()?;
        if now < due {
            return None;
        }
        let (planned, packet) = self.waiting.pop_first()?;
        self.last = Some(Departure { planned, left: now });
        Some(packet)
    }

    /// When the next packet is due.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        let (&planned, _) = self.waiting.first_key_value()?;
        let Some(last) = self.last else {
            return Some(planned);
        };
        let distance = planned.since(last.planned) / 2;
        Some(planned.max(last.left + distance.max(Duration::from_nanos(1))))
    }

    /// Packets that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no packet waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Drops the packets that wait: after a seek they repair nothing.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The wished instant, or where another packet has it, the middle between that one and the one
    /// after it, at most a step away.
    fn free_instant(&self, wished: MonoTime, step: Duration) -> MonoTime {
        let mut instant = wished;
        while self.waiting.contains_key(&instant) {
            let later = instant + Duration::from_nanos(1);
            let gap = match self.waiting.range(later..).next() {
                Some((next, _)) => next.since(instant).min(step),
                None => step,
            };
            instant += (gap / 2).max(Duration::from_nanos(1));
        }
        instant
    }
}

#[cfg(test)]
mod tests;
