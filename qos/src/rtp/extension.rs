//! Header extensions (RFC 8285): small elements, each under a negotiated identifier.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |       0xBE    |    0xDE       |           length=1            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | L=2   |        sending time, 6.18 fixed point         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

/// "Defined by profile" of the one-byte form (RFC 8285, section 4.2).
pub(super) const ONE_BYTE_FORM: u16 = 0xBEDE;
/// The same of the two-byte form, whose lower four bits are free (section 4.3).
const TWO_BYTE_FORM: u16 = 0x1000;

/// The local identifier of a header extension element, 1 to 14 (RFC 8285, one-byte form).
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct ExtensionId(u8);

impl ExtensionId {
    /// The identifier `number`, or `None` outside 1 to 14.
    pub const fn new(number: u8) -> Option<Self> {
        if number >= 1 && number <= 14 { Some(Self(number)) } else { None }
    }

    /// The number on the wire and in `a=extmap`.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The data of the first element `id` in a header extension, if there is one.
pub(super) fn element(profile: u16, data: &[u8], id: ExtensionId) -> Option<&[u8]> {
    if profile == ONE_BYTE_FORM {
        one_byte_element(data, id)
    } else if profile & 0xFFF0 == TWO_BYTE_FORM {
        two_byte_element(data, id)
    } else {
        None
    }
}

fn one_byte_element(mut data: &[u8], id: ExtensionId) -> Option<&[u8]> {
    while let [head, rest @ ..] = data {
        let (found, length) = (head >> 4, usize::from(head & 0x0F) + 1);
        match found {
            0 if *head == 0 => data = rest,
            // Section 4.2: 15 is reserved, and the rest of the extension is not to be read.
            0 | 15 => return None,
            _ => {
                let (value, rest) = rest.split_at_checked(length)?;
                if found == id.0 {
                    return Some(value);
                }
                data = rest;
            }
        }
    }
    None
}

fn two_byte_element(mut data: &[u8], id: ExtensionId) -> Option<&[u8]> {
    loop {
        data = match data {
            [0, rest @ ..] => rest,
            [found, length, rest @ ..] => {
                let (value, rest) = rest.split_at_checked(usize::from(*length))?;
                if *found == id.0 {
                    return Some(value);
                }
                rest
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: ExtensionId = ExtensionId(3);

    #[test]
    fn identifiers_are_1_to_14() {
        assert_eq!(ExtensionId::new(0), None);
        assert_eq!(ExtensionId::new(1).map(ExtensionId::get), Some(1));
        assert_eq!(ExtensionId::new(14).map(ExtensionId::get), Some(14));
        assert_eq!(ExtensionId::new(15), None);
    }

    #[test]
    fn an_element_is_found_behind_padding_and_other_elements() {
        let data = [0x10, 0xAA, 0x00, 0x00, 0x32, 1, 2, 3];
        assert_eq!(element(ONE_BYTE_FORM, &data, THREE), Some(&[1, 2, 3][..]));
        let data = [1, 0, 0, 0, 3, 3, 1, 2, 3];
        assert_eq!(element(0x1007, &data, THREE), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn nothing_is_read_behind_the_reserved_identifier_15() {
        assert_eq!(element(ONE_BYTE_FORM, &[0xF0, 0, 0x30, 7], THREE), None);
    }

    #[test]
    fn an_element_longer_than_the_extension_is_no_element() {
        assert_eq!(element(ONE_BYTE_FORM, &[0x32, 1, 2], THREE), None);
        assert_eq!(element(0x1000, &[3, 3, 1, 2], THREE), None);
        assert_eq!(element(0x1000, &[3], THREE), None);
    }

    #[test]
    fn an_extension_of_another_profile_holds_no_elements() {
        assert_eq!(element(0xABCD, &[0x32, 1, 2, 3], THREE), None);
    }
}
