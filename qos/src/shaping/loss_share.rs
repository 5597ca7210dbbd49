//! The share of packets that a path loses.

/// By what part of the difference a packet changes the share that is lost: in ten seconds.
const GAIN: f64 = 1.0 / 500.0;

/// So many packets without loss are assumed to have been before the first.
const CERTAIN: f64 = 20.0;

/// The share of packets that were lost lately.
#[derive(Clone, Debug)]
pub(super) struct LossShare {
    lost: f64,
    /// Packets of which it is known whether they were lost.
    told: u32,
}

impl LossShare {
    /// Nothing was lost yet.
    pub(super) fn new() -> Self {
        Self { lost: 0.0, told: 0 }
    }

    /// One more packet, lost or not. At first each counts as much as the others.
    pub(super) fn note(&mut self, lost: bool) {
        self.told = self.told.saturating_add(1);
        let gain = GAIN.max(1.0 / (f64::from(self.told) + CERTAIN));
        self.lost += (f64::from(u8::from(lost)) - self.lost) * gain;
    }

    /// The share, from 0 to 1.
    pub(super) fn share(&self) -> f64 {
        self.lost
    }
}
