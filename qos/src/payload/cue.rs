//! Subtitle cues: `x-cantus-cue/1000`.
//!
//! One packet holds one whole cue. The layout is modelled on the text units of RFC 4396, without
//! what 3GPP text needs beyond it; fields are big-endian:
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |U|   R   |TYPE |    RESERVED   |             TLEN              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                               ID                              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                             START                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                              SDUR                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                             text ...
//! +-+-+-+-+-+-+-+-+-+-
//! ```
//!
//! * `U` (1 bit): the encoding of the text; 0 is UTF-8, the only one.
//! * `R` (4 bits), `RESERVED` (8 bits): sent as zero, ignored on reception.
//! * `TYPE` (3 bits): 1, a whole cue; the only one.
//! * `TLEN` (16 bits): bytes of text. The packet ends with the text.
//! * `ID` (32 bits): the identifier of the cue within its track. Cues are repeated against loss;
//!   the receiver knows repetitions by it, and a cue with an old identifier replaces the old one.
//! * `START` (32 bits): when the cue appears, in ms on the timeline of the presentation.
//! * `SDUR` (32 bits): how long it stays, in ms.
//! * text: UTF-8, lines separated by LF. An empty text clears what the identifier showed.

use bytes::{BufMut, Bytes, BytesMut};

use super::PayloadError;
use crate::time::MediaTime;

/// The longest packet, header included, in bytes.
pub const MAX_CUE: usize = 1_100;

/// The longest text, in bytes of UTF-8.
pub const MAX_TEXT: usize = MAX_CUE - HEADER;

const HEADER: usize = 16;
const UTF8_WHOLE_CUE: u8 = 0x01;
const RESERVED_BITS: u8 = 0b0111_1000;

/// A text that appears at a time, and stays for a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cue {
    /// Names the cue within its track.
    pub id: u32,
    /// When it appears. Whole milliseconds, rounded down, travel.
    pub start: MediaTime,
    /// How long it stays. Whole milliseconds, rounded down, travel.
    pub duration: MediaTime,
    /// What it says; an empty text clears what the identifier showed.
    pub text: String,
}

impl Cue {
    /// When the cue disappears.
    pub fn end(&self) -> MediaTime {
        self.start + self.duration
    }
}

/// Writes a cue as a payload of at most [`MAX_CUE`] bytes.
///
/// # Errors
///
/// [`PayloadError::CueTooLong`] where the text exceeds [`MAX_TEXT`] bytes,
/// [`PayloadError::CueTime`] where start or duration do not fit into 32 bits of milliseconds.
pub fn encode(cue: &Cue) -> Result<Bytes, PayloadError> {
    let (id, bytes) = (cue.id, cue.text.len());
    if bytes > MAX_TEXT {
        return Err(PayloadError::CueTooLong { id, bytes, limit: MAX_TEXT });
    }
    let start = millis(id, cue.start)?;
    let duration = millis(id, cue.duration)?;

    let mut payload = BytesMut::with_capacity(HEADER + bytes);
    payload.put_u8(UTF8_WHOLE_CUE);
    payload.put_u8(0);
    payload.put_u16(bytes as u16);
    payload.put_u32(id);
    payload.put_u32(start);
    payload.put_u32(duration);
    payload.put_slice(cue.text.as_bytes());
    Ok(payload.freeze())
}

/// Reads a payload as a cue.
///
/// # Errors
///
/// [`PayloadError::CueLength`], [`PayloadError::CueForm`] or [`PayloadError::CueText`].
pub fn decode(payload: &[u8]) -> Result<Cue, PayloadError> {
    let wrong_length = |announced| PayloadError::CueLength { bytes: payload.len(), announced };
    let (header, text) =
        payload.split_first_chunk::<HEADER>().ok_or_else(|| wrong_length(HEADER))?;
    if header[0] & !RESERVED_BITS != UTF8_WHOLE_CUE {
        return Err(PayloadError::CueForm(header[0]));
    }
    let text_length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if text.len() != text_length {
        return Err(wrong_length(HEADER + text_length));
    }
    let field = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let id = field(4);
    let text = std::str::from_utf8(text)
        .map_err(|error| PayloadError::CueText { id, valid_up_to: error.valid_up_to() })?;
    Ok(Cue {
        id,
        start: MediaTime::from_millis(i64::from(field(8))),
        duration: MediaTime::from_millis(i64::from(field(12))),
        text: text.to_owned(),
    })
}

fn millis(id: u32, time: MediaTime) -> Result<u32, PayloadError> {
    let millis = time.as_millis();
    u32::try_from(millis).map_err(|_| PayloadError::CueTime { id, millis })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cue(text: &str) -> Cue {
        Cue {
            id: 7,
            start: MediaTime::from_millis(61_500),
            duration: MediaTime::from_millis(2_000),
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let payload = encode(&cue("é")).unwrap();
        let expected =
            [[0x01, 0, 0, 2], [0, 0, 0, 7], [0, 0, 0xf0, 0x3c], [0, 0, 0x07, 0xd0]].concat();
        assert_eq!(payload[..16], expected);
        assert_eq!(payload[16..], *"é".as_bytes());
    }

    #[test]
    fn an_empty_text_is_a_cue_that_clears() {
        assert_eq!(decode(&encode(&cue("")).unwrap()), Ok(cue("")));
    }

    #[test]
    fn a_text_fits_up_to_its_last_byte() {
        let longest = "x".repeat(MAX_TEXT);
        assert_eq!(encode(&cue(&longest)).unwrap().len(), MAX_CUE);
        let too_long = PayloadError::CueTooLong { id: 7, bytes: MAX_TEXT + 1, limit: MAX_TEXT };
        assert_eq!(encode(&cue(&format!("{longest}x"))), Err(too_long));
    }

    #[test]
    fn times_beyond_32_bits_are_refused() {
        let at = |millis| Cue { start: MediaTime::from_millis(millis), ..cue("") };
        assert!(encode(&at(u32::MAX.into())).is_ok());
        let refused = |millis| Err(PayloadError::CueTime { id: 7, millis });
        assert_eq!(encode(&at(1 << 32)), refused(1 << 32));
        assert_eq!(encode(&at(-1)), refused(-1));
    }

    #[test]
    fn reserved_bits_are_ignored_and_unknown_forms_refused() {
        let mut payload = encode(&cue("a")).unwrap().to_vec();
        payload[0] |= RESERVED_BITS;
        payload[1] = 0xff;
        assert_eq!(decode(&payload), Ok(cue("a")));
        for form in [0x00, 0x02, 0x81] {
            payload[0] = form;
            assert_eq!(decode(&payload), Err(PayloadError::CueForm(form)));
        }
    }

    #[test]
    fn a_wrong_length_or_encoding_is_refused() {
        let payload = encode(&cue("ab")).unwrap();
        let wrong = |bytes, announced| Err(PayloadError::CueLength { bytes, announced });
        assert_eq!(decode(&payload[..15]), wrong(15, 16));
        assert_eq!(decode(&payload[..17]), wrong(17, 18));
        assert_eq!(decode(&[payload.as_ref(), b"c"].concat()), wrong(19, 18));

        let mut latin1 = payload.to_vec();
        latin1[17] = 0xe9;
        assert_eq!(decode(&latin1), Err(PayloadError::CueText { id: 7, valid_up_to: 1 }));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_what_is_read_writes_back_the_same(
            form in prop_oneof![Just(1u8), any::<u8>()],
            text in prop::collection::vec(any::<u8>(), 0..40),
            times in any::<[u8; 12]>(),
        ) {
            let length = text.len() as u8;
            let payload = [&[form, 0, 0, length][..], &times, &text].concat();
            if let Ok(cue) = decode(&payload) {
                let written = encode(&cue).unwrap();
                prop_assert_eq!(&written[1..], &payload[1..]);
            }
            let _ = decode(&times);
        }

        #[test]
        fn cues_survive_the_wire(
            id: u32, start: u32, duration: u32, text in "\\PC{0,80}",
        ) {
            let cue = Cue {
                id,
                start: MediaTime::from_millis(start.into()),
                duration: MediaTime::from_millis(duration.into()),
                text,
            };
            prop_assert_eq!(decode(&encode(&cue).unwrap()), Ok(cue));
        }
    }
}
