//! From the RTP timestamps of one stream to the media timeline of the presentation.

use crate::rtp::{RtpTimestamp, TimestampUnroller};
use crate::time::{ClockRate, MediaTime, NtpTime};

/// Places one RTP stream on the media timeline.
///
/// RTP-Info (RFC 2326, section 12.33) gives the first pair of timestamp and media time, before any
/// packet. Without it the first packet stands for the start of the range. A change of SSRC starts
/// the timestamps anew: what the old ones had reached is where the new ones go on, until a sender
/// report says better.
#[derive(Clone, Debug)]
pub struct StreamTimeline {
    rate: ClockRate,
    unroller: TimestampUnroller,
    /// The unrolled timestamp that stands for `origin`.
    anchor: Option<i64>,
    origin: MediaTime,
    reached: MediaTime,
}

impl StreamTimeline {
    /// A stream whose timestamps count at `rate` and whose first unit, for want of better
    /// knowledge, belongs at `origin`.
    pub fn new(rate: ClockRate, origin: MediaTime) -> Self {
        Self { rate, unroller: TimestampUnroller::new(), anchor: None, origin, reached: origin }
    }

    /// The ticks of this stream's clock.
    pub fn rate(&self) -> ClockRate {
        self.rate
    }

    /// `timestamp` stands for `media_time`, as RTP-Info or a sender report says.
    pub fn anchor(&mut self, timestamp: RtpTimestamp, media_time: MediaTime) {
        self.anchor = Some(self.unroller.unroll(timestamp));
        self.origin = media_time;
    }

    /// Whether the stream has its place already.
    pub fn is_anchored(&self) -> bool {
        self.anchor.is_some()
    }

    /// The media time of a packet with `timestamp`, `duration` long.
    pub fn place(&mut self, timestamp: RtpTimestamp, duration: MediaTime) -> MediaTime {
        let ticks = self.unroller.unroll(timestamp);
        let anchor = *self.anchor.get_or_insert(ticks);
        let media_time =
            self.origin + MediaTime::from_ticks(ticks.saturating_sub(anchor), self.rate);
        self.reached = self.reached.max(media_time + duration);
        media_time
    }

    /// The media time that `timestamp` stands for, which is that of no packet; `None` before the stream
    /// has its place.
    pub fn media_time_of(&self, timestamp: RtpTimestamp) -> Option<MediaTime> {
        let ticks = self.unroller.peek(timestamp).saturating_sub(self.anchor?);
        Some(self.origin + MediaTime::from_ticks(ticks, self.rate))
    }

    /// The stream got a new SSRC: its timestamps begin anew where the old ones ended.
    pub fn restart(&mut self) {
        self.unroller = TimestampUnroller::new();
        self.anchor = None;
        self.origin = self.reached;
    }

    /// The media time that a sender report's pair stands for, given that the presentation clock
    /// shows `shown` media time at `shown_at`.
    pub fn media_time_at(ntp: NtpTime, shown_at: NtpTime, shown: MediaTime) -> MediaTime {
        shown + MediaTime::from_delta(ntp.since(shown_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: MediaTime = MediaTime::from_millis(20);

    #[test]
    fn rtp_info_places_a_stream_before_its_first_packet() {
        let mut timeline = StreamTimeline::new(ClockRate::OPUS, MediaTime::ZERO);
        timeline.anchor(RtpTimestamp(1_000), MediaTime::from_millis(5_000));
        assert_eq!(timeline.place(RtpTimestamp(1_960), UNIT), MediaTime::from_millis(5_020));
        assert_eq!(timeline.place(RtpTimestamp(40), UNIT), MediaTime::from_millis(4_980));
    }

    #[test]
    fn without_rtp_info_the_first_packet_is_the_origin() {
        let mut timeline = StreamTimeline::new(ClockRate::OPUS, MediaTime::from_millis(300));
        assert_eq!(timeline.place(RtpTimestamp(77), UNIT), MediaTime::from_millis(300));
        assert_eq!(timeline.place(RtpTimestamp(77 + 960), UNIT), MediaTime::from_millis(320));
    }

    #[test]
    fn a_timestamp_of_no_packet_has_a_place_and_moves_nothing() {
        let mut timeline = StreamTimeline::new(ClockRate::OPUS, MediaTime::ZERO);
        assert_eq!(timeline.media_time_of(RtpTimestamp(77)), None);
        timeline.place(RtpTimestamp(77), UNIT);
        assert_eq!(
            timeline.media_time_of(RtpTimestamp(77 + 480)),
            Some(MediaTime::from_millis(10))
        );
        timeline.media_time_of(RtpTimestamp(1 << 31));
        assert_eq!(timeline.place(RtpTimestamp(77 + 960), UNIT), UNIT);
    }

    #[test]
    fn timestamps_wrap_without_a_jump_on_the_media_timeline() {
        let mut timeline = StreamTimeline::new(ClockRate::OPUS, MediaTime::ZERO);
        timeline.anchor(RtpTimestamp(u32::MAX - 479), MediaTime::ZERO);
        assert_eq!(timeline.place(RtpTimestamp(480), UNIT), MediaTime::from_millis(20));
    }

    #[test]
    fn a_new_ssrc_goes_on_where_the_old_one_ended() {
        let mut timeline = StreamTimeline::new(ClockRate::OPUS, MediaTime::ZERO);
        timeline.place(RtpTimestamp(5), UNIT);
        timeline.place(RtpTimestamp(965), UNIT);
        timeline.restart();
        assert_eq!(timeline.place(RtpTimestamp(900_000), UNIT), MediaTime::from_millis(40));
    }
}
