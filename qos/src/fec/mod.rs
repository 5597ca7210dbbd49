//! Forward error correction, framed by FECFRAME (RFC 6363).
//!
//! *Source packets* leave at once, each with a footer that tells its place; *repair packets* follow
//! them on a flow of their own. A receiver passes source packets through at once and adds the
//! missing ones later: recovery costs delay only where there was loss.
//!
//! [`block`] gathers source packets into blocks that are repaired together (RFC 6865).

mod adui;
pub mod block;
mod recent;
