//! Loss, duplicates and jitter over a span of packets (RFC 3611, section 4.6).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     BT=6      |L|D|J|ToH|rsvd.|       block length = 9        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                        SSRC of source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          begin_seq            |     end_seq (not of the span) |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         lost_packets                          |
//! |                          dup_packets                          |
//! |              min_jitter, max, mean, dev (4 words)             |
//! | min_ttl_or_hl | max_ttl_or_hl |mean_ttl_or_hl | dev_ttl_or_hl |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use crate::rtp::{Sequence, Ssrc};

const LOSS: u8 = 0x80;
const DUPLICATES: u8 = 0x40;
const JITTER: u8 = 0x20;

/// How a span of packets arrived. The time to live of IP is not told: sockets do not say.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct StatisticsSummary {
    /// The stream that is reported on.
    pub ssrc: Ssrc,
    /// The first packet of the span.
    pub begin: Sequence,
    /// The first packet behind it.
    pub end: Sequence,
    /// Packets lost.
    pub lost: Option<u32>,
    /// Packets that came once more.
    pub duplicate: Option<u32>,
    /// The relative transit times between two packets (RFC 3550, section 6.4.1, D).
    pub jitter: Option<JitterSummary>,
}

/// Jitter over a span, in ticks of the media clock.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct JitterSummary {
    /// The smallest.
    pub least: u32,
    /// The largest.
    pub most: u32,
    /// The mean.
    pub mean: u32,
    /// The standard deviation.
    pub deviation: u32,
}

impl StatisticsSummary {
    /// Which figures are told.
    pub(super) fn flags(&self) -> u8 {
        let flag = |there: bool, flag: u8| if there { flag } else { 0 };
        flag(self.lost.is_some(), LOSS)
            | flag(self.duplicate.is_some(), DUPLICATES)
            | flag(self.jitter.is_some(), JITTER)
    }

    pub(super) fn parse(flags: u8, contents: &[u8]) -> Option<Self> {
        let contents: &[u8; 36] = contents.try_into().ok()?;
        let words: Vec<u32> =
            contents.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
        let told = |flag: u8, at: usize| (flags & flag != 0).then(|| words[at]);
        Some(Self {
            ssrc: Ssrc(words[0]),
            begin: Sequence((words[1] >> 16) as u16),
            end: Sequence(words[1] as u16),
            lost: told(LOSS, 2),
            duplicate: told(DUPLICATES, 3),
            jitter: (flags & JITTER != 0).then(|| JitterSummary {
                least: words[4],
                most: words[5],
                mean: words[6],
                deviation: words[7],
            }),
        })
    }

    pub(super) fn write(&self, body: &mut Vec<u8>) {
        let span = u32::from(self.begin.0) << 16 | u32::from(self.end.0);
        let jitter = self
            .jitter
            .map_or([0; 4], |jitter| [jitter.least, jitter.most, jitter.mean, jitter.deviation]);
        let [least, most, mean, deviation] = jitter;
        let (lost, duplicate) = (self.lost.unwrap_or(0), self.duplicate.unwrap_or(0));
        let words = [self.ssrc.0, span, lost, duplicate, least, most, mean, deviation, 0];
        body.extend(words.into_iter().flat_map(u32::to_be_bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_flagged_is_not_told() {
        let mut body = Vec::new();
        let all = StatisticsSummary {
            ssrc: Ssrc(1),
            begin: Sequence(10),
            end: Sequence(60),
            lost: Some(3),
            duplicate: None,
            jitter: None,
        };
        all.write(&mut body);
        assert_eq!((all.flags(), body.len()), (LOSS, 36));
        assert_eq!(StatisticsSummary::parse(LOSS, &body), Some(all));
        let none = StatisticsSummary::parse(0, &body).unwrap();
        assert_eq!((none.lost, none.duplicate, none.jitter), (None, None, None));
    }
}
