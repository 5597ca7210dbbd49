//! How the packets of a track are asked for again, and what comes of it.

use bytes::Bytes;
use cantus_qos::repair::{AskPolicy, Asker, rtx};
use cantus_qos::rtp::{PayloadType, Ssrc};
use cantus_qos::time::MediaTime;

use crate::client::FlowPlan;

/// What a server that sends packets again is asked for.
#[derive(Debug)]
pub(crate) struct Asking {
    /// Knows what is missing, and when to ask for it.
    pub asker: Asker,
    /// Whether requests may leave at once, and alone.
    pub at_once: bool,
    original: PayloadType,
    again: PayloadType,
}

impl Asking {
    /// Of the track that was set up as `plan`, whose units play for `unit`; `None` where its server
    /// sends nothing again.
    pub(super) fn new(plan: &FlowPlan, unit: MediaTime) -> Option<Self> {
        let retransmission = plan.retransmission?;
        Some(Self {
            asker: Asker::new(AskPolicy::default(), unit.to_duration()),
            at_once: plan.feedback_at_once,
            original: plan.payload_type?,
            again: retransmission.payload_type,
        })
    }

    /// What a retransmission packet sends again; `None` where `packet` is none.
    pub(super) fn original(&self, packet: &Bytes, source: Option<Ssrc>) -> Option<Bytes> {
        (rtx::payload_type(packet)? == self.again)
            .then(|| rtx::restore(packet, (self.original, source?)))?
    }
}
