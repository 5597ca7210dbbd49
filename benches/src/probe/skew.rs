//! Cues against the sound they belong to.

use cantus_qos::payload::cue::Cue;
use cantus_qos::stats::Distribution;
use cantus_qos::time::{MediaTime, MonoTime};

use super::course::Course;
use super::echo::Verdict;
use super::instants::Instants;
use super::reference::Source;

/// A cue belongs to the first sound heard within so many milliseconds after its start: words begin
/// within 5 ms of their cue, and a unit may be lost.
const BEGINS_WITHIN: i64 = 100;

/// By how much each cue came after the sound it belongs to was heard, and how many cues
/// there are whose sound was not heard. An empty text takes back another cue and belongs to no
/// sound.
pub(super) fn skew(
    cues: &[(MonoTime, Cue)],
    from: MediaTime,
    source: &Source,
    course: &Course,
    instants: &Instants,
) -> (Distribution, u64) {
    let mut skews = Distribution::new();
    let mut unheard = 0;
    for (shown, cue) in cues.iter().filter(|(_, cue)| !cue.text.is_empty()) {
        let start = cue.start.max(from).ticks(source.format.rate);
        match sounded(start, source, course, instants) {
            Some(heard) => skews.record(*shown - heard),
            None => unheard += 1,
        }
    }
    (skews, unheard)
}

/// When the frame `start` of the source was heard, by the unit with which it was heard.
fn sounded(start: i64, source: &Source, course: &Course, instants: &Instants) -> Option<MonoTime> {
    let within = BEGINS_WITHIN * i64::from(source.format.rate.hz()) / 1_000;
    let first = start.div_euclid(source.unit);
    let last = (start + within).div_euclid(source.unit);
    let is_heard = |unit: &i64| {
        let verdict = usize::try_from(*unit).ok().and_then(|unit| course.verdicts.get(unit));
        verdict == Some(&Verdict::Heard)
    };
    let unit = (first..=last).find(is_heard)?;
    // The unit's own lag, carried back to where the cue begins.
    let anchor = (unit * source.unit).max(start);
    let frame = course.sink_frame(anchor)? - (anchor - start) as f64;
    instants.at(frame.max(0.0))
}
