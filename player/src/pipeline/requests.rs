//! What the player asks for again, and when it may.

use cantus_qos::rtcp::{self, Nack, RtcpPacket};
use cantus_qos::rtp::Ssrc;
use cantus_qos::time::MonoTime;

use super::Packet;
use super::pace::Pace;
use super::reports::{self, ReceiverReports};
use super::track::Track;

/// Puts what a track misses into NACKs.
///
/// A Cantus server is told at once, in a packet that holds nothing else (RFC 5506); the asker keeps
/// within its budget. Any other is told by the rules of RFC 4585, section 3.5: in a compound
/// packet, which may leave early, but only once between two regular reports.
#[derive(Debug)]
pub(super) struct Requests {
    ssrc: Ssrc,
    /// Until when no early feedback is allowed, to who wants it by the rules.
    early_from: MonoTime,
}

impl Requests {
    /// Requests in the name of `ssrc`.
    pub(super) fn new(ssrc: Ssrc) -> Self {
        Self { ssrc, early_from: MonoTime::ZERO }
    }

    /// The next request that is due at `now`, of a player at this `pace`.
    pub(super) fn pop(
        &mut self,
        now: MonoTime,
        tracks: &mut [Track],
        reports: &mut ReceiverReports,
        pace: &Pace,
    ) -> Option<Packet> {
        tracks.iter_mut().find_map(|track| {
            let at_once = track.intake.is_asked_at_once();
            if !at_once && now < self.early_from {
                return None;
            }
            let (media, sequences) = track.intake.pop_request(now)?;
            let nack = RtcpPacket::Nack(Nack { sender: self.ssrc, media, sequences });
            let compound = match at_once {
                true => vec![nack],
                false => {
                    // The next report goes in its place, and the one after it lets others follow.
                    self.early_from = reports.put_off(now);
                    let mut compound = reports.compound(now, track, pace);
                    compound.push(nack);
                    compound
                }
            };
            Some(reports::leaving(track, rtcp::write_compound(&compound)))
        })
    }

    /// When [`pop`](Self::pop) may have something.
    pub(super) fn next_deadline(&self, tracks: &[Track]) -> Option<MonoTime> {
        let of = |track: &Track| {
            let next = track.intake.next_request()?;
            Some(if track.intake.is_asked_at_once() { next } else { next.max(self.early_from) })
        };
        tracks.iter().filter_map(of).min()
    }
}
