//! (to be built)

/// The identifier of a synchronisation source.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Ssrc(pub u32);

/// A sequence number.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub struct Sequence(pub u16);

/// A timestamp.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub struct RtpTimestamp(pub u32);

/// A payload type.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct PayloadType(u8);

impl PayloadType {
    /// 0 to 127.
    pub const fn new(value: u8) -> Option<Self> {
        if value < 128 { Some(Self(value)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The local identifier of a header extension.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub struct ExtensionId(u8);

impl ExtensionId {
    /// 1 to 14.
    pub const fn new(value: u8) -> Option<Self> {
        if 1 <= value && value <= 14 { Some(Self(value)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}
