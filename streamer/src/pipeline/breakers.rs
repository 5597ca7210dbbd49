//! What circuit breakers end (RFC 8083, section 4.5): the flow that one of them watches, while the
//! listener reports on others of the session; else all of it.
//!
//! A listener need not want all that it has set up: GStreamer does not report for long on a track
//! that it plays nothing of. What it does hear goes on. Of a listener that is gone, tracks on which it
//! never reported are not sent on for those on which it did.

use cantus_qos::roq::FlowId;
use cantus_qos::shaping::Tripped;
use cantus_qos::time::MonoTime;

use super::{AudioChain, Pipeline, Schedule};

impl Pipeline {
    /// Ends what is not to be sent any more. It does not begin again in this session,
    /// whatever is reported then: who wants it asks for it again.
    pub(super) fn heed_breakers(&mut self, now: MonoTime, schedule: &Schedule) {
        if !self.has_tripped() {
            return;
        }
        if !self.audio.iter().any(AudioChain::is_heard) {
            let mut left = self.audio.iter().filter(|chain| chain.ceased().is_none());
            let why = left.find_map(AudioChain::tripped);
            return why.into_iter().for_each(|why| self.cut_short(now, schedule, why));
        }
        let wall = self.wall.at(now);
        for chain in self.audio.iter_mut().filter(|chain| chain.ceased().is_none()) {
            if let Some(why) = chain.tripped() {
                self.reports.part_with(now, wall, schedule, chain, Some(why.to_string()));
                chain.cease(why);
                self.ceased.push((chain.flow(), why));
            }
        }
    }

    /// Whether a breaker has tripped that was not heeded yet.
    pub(super) fn has_tripped(&self) -> bool {
        self.audio.iter().any(|chain| chain.tripped().is_some() && chain.ceased().is_none())
    }

    /// Nothing more leaves but goodbye, with the reason that ended the last track.
    fn cut_short(&mut self, now: MonoTime, schedule: &Schedule, why: Tripped) {
        self.cut_short = Some(why);
        self.stop();
        self.reports.part(now, self.wall.at(now), schedule, &self.audio, Some(why.to_string()));
    }

    /// The flows that breakers have ended since this was last asked, while others went on.
    pub fn take_ceased(&mut self) -> Vec<(FlowId, Tripped)> {
        std::mem::take(&mut self.ceased)
    }

    /// Why it has ended for good, once goodbye is said: circuit breakers have ended all of it.
    pub fn is_cut_short(&self) -> Option<Tripped> {
        self.cut_short.filter(|_| self.reports.is_silent())
    }
}
