//! Forward error correction, framed by FECFRAME (RFC 6363).
//!
//! *Source packets* leave at once, each with a footer that tells its place; *repair packets* follow
//! them on a flow of their own. A receiver passes source packets through at once and adds the
//! missing ones later: recovery costs delay only where there was loss.
//!
//! Two schemes stand side by side. [`block`] gathers source packets into blocks that are repaired
//! together (Reed-Solomon, RFC 6865); [`sliding`] makes repair packets over whatever was sent last
//! (random linear codes, RFC 8681). How much repair, and of which packets, fits what a path loses,
//! is told by [`Fit`].

mod adui;
pub mod block;
mod decoder;
mod fit;
mod footer;
mod recent;
pub mod sliding;

pub use decoder::{Decoder, FecError};
pub use fit::{Fit, Path};

/// How repair packets are made.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Scheme {
    /// Over blocks of source packets.
    Block(block::Layout),
    /// Over a window that slides along.
    Sliding,
}
