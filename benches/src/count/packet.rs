//! One numbered packet.

use cantus_qos::time::MonoTime;

const MARK: [u8; 4] = *b"CNT1";
/// The least size of a packet: mark, number and instant.
pub const HEADER: usize = 16;

/// What is in a packet.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(crate) struct Numbered {
    pub(crate) number: u32,
    pub(crate) sent: MonoTime,
}

impl Numbered {
    /// Writes it to the front of `packet`.
    ///
    /// # Panics
    ///
    /// If there is no room for [`HEADER`] bytes.
    pub(crate) fn write(self, packet: &mut [u8]) {
        packet[..4].copy_from_slice(&MARK);
        packet[4..8].copy_from_slice(&self.number.to_be_bytes());
        packet[8..HEADER].copy_from_slice(&self.sent.as_nanos().to_be_bytes());
    }

    /// Reads it; `None` if it is none of ours.
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        let rest = packet.strip_prefix(&MARK)?;
        let (number, rest) = rest.split_first_chunk()?;
        let (sent, _) = rest.split_first_chunk()?;
        let sent = MonoTime::from_nanos(u64::from_be_bytes(*sent));
        Some(Self { number: u32::from_be_bytes(*number), sent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let numbered = Numbered { number: 7, sent: MonoTime::from_millis(3) };
        let mut packet = [0; 40];
        numbered.write(&mut packet);
        assert_eq!(Numbered::read(&packet), Some(numbered));
        assert_eq!(Numbered::read(&packet[..HEADER]), Some(numbered));
        assert_eq!(Numbered::read(&packet[..HEADER - 1]), None);
        packet[0] ^= 1;
        assert_eq!(Numbered::read(&packet), None);
    }
}
