//! Source descriptions (RFC 3550, section 6.5).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|    SC   |  PT=SDES=202  |             length            |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                            SSRC, chunk 1                      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |    CNAME=1    |     length    | name ... items ..., 0, padding|
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                            SSRC, chunk 2 ...                  |
//! ```
//!
//! Read here and not by `rtcp-types`, which takes a chunk's SSRC that begins with a zero byte for
//! the padding of the chunk before.

use crate::rtp::Ssrc;

/// Item type of the canonical name.
const CNAME: u8 = 1;

/// The canonical names in the body of an SDES packet of `chunks` chunks, or `None` if the body is
/// shorter than they are.
pub(super) fn cnames(mut body: &[u8], chunks: u8) -> Option<Vec<(Ssrc, String)>> {
    let mut names = Vec::new();
    for _ in 0..chunks {
        let (ssrc, items) = body.split_first_chunk()?;
        let (cname, length) = read_items(items)?;
        names.extend(cname.map(|name| (Ssrc(u32::from_be_bytes(*ssrc)), name)));
        body = items.get(length..)?;
    }
    Some(names)
}

/// The CNAME among the items of one chunk, and the bytes that the chunk takes to its boundary.
fn read_items(items: &[u8]) -> Option<(Option<String>, usize)> {
    let mut cname = None;
    let mut at = 0;
    loop {
        match *items.get(at)? {
            // The list ends with one or more null octets, up to the next 32-bit boundary.
            0 => return Some((cname, (at / 4 + 1) * 4)),
            kind => {
                let length = usize::from(*items.get(at + 1)?);
                let value = items.get(at + 2..at + 2 + length)?;
                if kind == CNAME {
                    cname = Some(String::from_utf8_lossy(value).into_owned());
                }
                at += 2 + length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_whose_number_begins_with_zeros_is_not_taken_for_padding() {
        let body = [0, 0, 0, 9, 1, 1, b'a', 0, 0, 0, 0, 8, 7, 0, 1, 2, b'b', b'c', 0, 0];
        let names = cnames(&body, 2).unwrap();
        assert_eq!(names, [(Ssrc(9), "a".to_owned()), (Ssrc(8), "bc".to_owned())]);
    }

    #[test]
    fn a_chunk_without_a_canonical_name_is_passed_over() {
        assert_eq!(cnames(&[0, 0, 0, 9, 6, 1, b'x', 0], 1), Some(vec![]));
    }

    #[test]
    fn items_beyond_the_packet_and_missing_terminators_are_refused() {
        assert_eq!(cnames(&[0, 0, 0, 9, 1, 9, b'a', 0], 1), None);
        assert_eq!(cnames(&[0, 0, 0, 9, 1, 2, b'a', b'b'], 1), None);
        assert_eq!(cnames(&[0, 0, 0, 9, 1, 1, b'a', 0], 2), None);
    }
}
