//! Outages longer than the latency.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::Frames;
use crate::link::{Ecn, Link, LinkError, LinkSpec, Loss, Packet, Share, Step};

/// The share of frames in whose whole time, from their sending to the last moment at which a
/// packet makes it at the mean delay, the link loses whatever is sent: no sender can bring them.
/// `None` where losses are a matter of packets and not of time.
pub(super) fn share(
    link: &LinkSpec,
    seed: u64,
    frames: Frames,
    latency: Duration,
) -> Result<Option<f64>, LinkError> {
    let Loss::GilbertElliott { p, r, bad: Share::WHOLE, step: step @ Step::Every(span), .. } =
        link.loss
    else {
        return Ok(None);
    };
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let time = nanos(latency.saturating_sub(link.delay));
    // What else the link does has luck of its own: without it, the chain is the same.
    let loss = Loss::GilbertElliott { p, r, bad: Share::WHOLE, good: Share::NONE, step };
    let mut chain = Link::new(&LinkSpec { loss, ..LinkSpec::default() }, seed)?;
    let (every, span) = (nanos(frames.every), nanos(span));
    let steps = (every.saturating_mul(frames.count()).saturating_add(time)) / span + 1;
    // At each step the number of steps, up to it, in which everything was lost.
    let mut lost = 0;
    let bad_run: Vec<u64> = (0..steps)
        .map(|step| {
            let now = MonoTime::from_nanos(step * span);
            let (data, ecn) = (Bytes::new(), Ecn::NotCapable);
            chain.push(
                now,
                Packet { data, size: 0, entered: now, tag: step, ecn, queued: Duration::ZERO },
            );
            lost = if chain.pop(now).is_none() { lost + 1 } else { 0 };
            lost
        })
        .collect();
    let beyond = (0..frames.count()).filter(|frame| {
        let (first, last) = (frame * every / span, (frame * every + time) / span);
        bad_run[last as usize] > last - first
    });
    Ok(Some(beyond.count() as f64 / frames.count().max(1) as f64))
}
