//! (to be built)

/// How repair symbols and their payload IDs lie on the wire.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub enum Layout {
    /// RFC 6865.
    Adu,
    /// Roc.
    Rs8m,
}
