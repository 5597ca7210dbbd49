//! Shaping: what leaves, and when.
//!
//! A [`TokenBucket`] says whether a packet may leave: in any span of time `t`, no more than
//! `burst + rate * t` may. A [`Pacer`] holds packets until both their release time and the bucket
//! allow them out.

mod pacer;
mod token_bucket;

pub use pacer::Pacer;
pub use token_bucket::{ShapingError, TokenBucket};
