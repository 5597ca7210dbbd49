//! When a packet was sent, in 24 bits (the header extension `abs-send-time`).

use crate::time::NtpTime;

/// Places that the 6.18 fixed point number stands above the end of the 32.32 NTP format.
const SHIFT: u32 = 14;
/// Bits of the NTP format that the extension cannot tell: those above 64 seconds.
const LOST_BITS: u32 = 64 - 24 - SHIFT;

/// The sending instant: the sender's wall clock modulo 64 s, in units of 2^-18 s (about 3.8 us).
///
/// URI `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct AbsSendTime(u32);

impl AbsSendTime {
    /// The name by which `a=extmap` announces the extension.
    pub const URI: &'static str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";

    /// The 24 bits that stand for `instant`, rounded down.
    pub const fn from_ntp(instant: NtpTime) -> Self {
        Self((instant.to_bits() >> SHIFT) as u32 & 0x00FF_FFFF)
    }

    /// The instant with these bits that is closest to `hint`: at most 32 s before or after it.
    pub const fn near(self, hint: NtpTime) -> NtpTime {
        let bits = (self.0 as u64) << SHIFT;
        let ahead = (bits.wrapping_sub(hint.to_bits()) << LOST_BITS) as i64 >> LOST_BITS;
        NtpTime::from_bits(hint.to_bits().wrapping_add_signed(ahead))
    }

    pub(super) const fn from_wire([high, middle, low]: [u8; 3]) -> Self {
        Self(u32::from_be_bytes([0, high, middle, low]))
    }

    pub(super) const fn to_wire(self) -> [u8; 3] {
        let [_, high, middle, low] = self.0.to_be_bytes();
        [high, middle, low]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TimeDelta;
    use proptest::prelude::*;

    #[test]
    fn one_second_is_2_to_the_18() {
        assert_eq!(AbsSendTime::from_ntp(NtpTime::from_bits(1 << 32)), AbsSendTime(1 << 18));
        assert_eq!(AbsSendTime::from_ntp(NtpTime::from_bits(64 << 32)), AbsSendTime(0));
    }

    proptest! {
        #[test]
        fn a_sending_time_is_found_again_from_any_hint_within_31_seconds(
            bits: u64, off in -31_000_000_000i64..31_000_000_000,
        ) {
            let sent = NtpTime::from_bits(bits);
            let found = AbsSendTime::from_ntp(sent).near(sent.offset(TimeDelta::from_nanos(off)));
            let error = sent.since(found);
            prop_assert!(error >= TimeDelta::ZERO, "{:?}", error);
            prop_assert!(error < TimeDelta::from_nanos(3_815), "{:?}", error);
        }

        #[test]
        fn the_wire_keeps_all_24_bits(bits in 0u32..1 << 24) {
            prop_assert_eq!(AbsSendTime::from_wire(AbsSendTime(bits).to_wire()), AbsSendTime(bits));
        }
    }
}
