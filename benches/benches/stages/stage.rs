//! One thing that is done for each packet.

use std::fmt;

/// Does it for the next packet.
pub(crate) type Step = Box<dyn FnMut()>;

/// Something that is done for each packet of a kind.
#[derive(Copy, Clone)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    /// Packets a second for one listener.
    pub(crate) rate: f64,
    prepare: fn(&'static str) -> Step,
}

impl Stage {
    pub(crate) fn new(name: &'static str, rate: f64, prepare: fn(&'static str) -> Step) -> Self {
        Self { name, rate, prepare }
    }

    /// Ready to take the first packet.
    pub(crate) fn prepared(&self) -> Step {
        (self.prepare)(self.name)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
