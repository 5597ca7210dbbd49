//! What a path bears, as its controller sees it.

use crate::quantity::Bitrate;

/// What a controller has come to.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct PathRate {
    /// What may be sent now ([`RateControl::target`](super::RateControl::target)).
    pub target: Bitrate,
    /// What the path was found to bear ([`RateControl::limit`](super::RateControl::limit)).
    pub limit: Option<Bitrate>,
    /// Whether more is being tried than the path was found to bear: that tells something only if it
    /// is sent.
    pub is_trying: bool,
    /// Whether somebody else was met on the path not long ago.
    pub is_shared: bool,
    /// The share of packets that are lost, in thousandths.
    pub lost_thousandths: u16,
}

impl PathRate {
    /// A path that was not found to limit anything, lose anything or be shared.
    pub const fn unlimited(target: Bitrate) -> Self {
        Self { target, limit: None, is_trying: false, is_shared: false, lost_thousandths: 0 }
    }

    /// The share of packets that are lost.
    pub fn loss(self) -> f64 {
        f64::from(self.lost_thousandths) / 1_000.0
    }

    /// Whether less may be sent than is `wanted`.
    pub fn is_limited(self, wanted: Bitrate) -> bool {
        self.limit.is_some() || self.target < wanted
    }
}
