//! The least playout delay, chosen with hindsight.
//!
//! Moon, Kurose and Towsley (*Packet audio playout delay adjustment: performance bounds and
//! algorithms*, Multimedia Systems 6:17-28, 1998, section 3) ask of a trace of packets what the
//! least mean playout delay is when a given number of them may come too late to be played: each
//! talkspurt is played at one delay, and which packets are given up is decided over all
//! talkspurts together, by dynamic programming. Packets that the network lost count for nothing,
//! and the mean is over the packets that are played.
//!
//! # Windows in place of talkspurts
//!
//! What we stream has no talkspurts: music and narration go on, and a player changes its delay by
//! stretching sound, at any time. In their place stand windows of [`WINDOW`], by sending time:
//! the mean talkspurt of conversation lasts 1.004 s (ITU-T P.59, table 1), so the delay may change
//! as often as in the paper. As in the paper's lower bound, changing it costs nothing: windows
//! whose playout would overlap do not hinder each other. No player can do all that, which is what
//! makes it a bound.

use std::time::Duration;

use cantus_qos::time::MonoTime;

/// How long one playout delay holds: the mean talkspurt of ITU-T P.59, rounded.
pub const WINDOW: Duration = Duration::from_secs(1);

/// A data unit, as a playout bound sees it.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Unit {
    /// When it was sent.
    pub sent: MonoTime,
    /// When it could have been played: its arrival or recovery. `None`: never.
    pub available: Option<MonoTime>,
}

/// The least delays at which no more than a given number of units is late.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct PlayoutBound {
    /// Units that came at all.
    pub arrived: usize,
    /// Units of these that may be late.
    pub late: usize,
    /// The smallest constant playout delay.
    pub constant: Duration,
    /// The least mean over the units played, with the best delay in each window.
    pub optimum_mean: Duration,
}

/// The bound for `units` in media order where `late_share` of those that came may be late, with a
/// playout delay for each [`WINDOW`]; `None` where there would be nothing to play.
///
/// ```
/// use cantus_bench::bound::{Unit, playout};
/// use cantus_qos::time::MonoTime;
/// use std::time::Duration;
///
/// let units: Vec<Unit> = (0..100)
///     .map(|number| {
///         let sent = MonoTime::from_millis(20 * number);
///         let delay = if number == 70 { 300 } else { 40 };
///         Unit { sent, available: Some(sent + Duration::from_millis(delay)) }
///     })
///     .collect();
/// let bound = playout(&units, 0.0).expect("units came");
/// assert_eq!(bound.constant.as_millis(), 300);
/// assert_eq!(bound.optimum_mean.as_millis(), 170);
/// assert_eq!(playout(&units, 0.01).expect("units came").constant.as_millis(), 40);
/// ```
pub fn playout(units: &[Unit], late_share: f64) -> Option<PlayoutBound> {
    let arrived = units.iter().filter(|unit| unit.available.is_some()).count();
    // A share that was computed from a count must give the count back.
    let late = (late_share * arrived as f64 + 1e-6) as usize;
    playout_within(units, late, WINDOW)
}

/// The same where `late` units may be late, with a playout delay for each `window` (at least a
/// millisecond) of sending time.
///
/// The dynamic programme is exact while all delays together stay under a hundred days, and takes
/// time in proportion to the units times those that may be late: thirty thousand units of which
/// three thousand may be late take a fifth of a second, three hundred a tenth of that.
pub fn playout_within(units: &[Unit], late: usize, window: Duration) -> Option<PlayoutBound> {
    let windows = delays_by_window(units, window.max(Duration::from_millis(1)));
    let mut delays: Vec<f64> = windows.concat();
    let arrived = delays.len();
    let played = arrived.checked_sub(late).filter(|played| *played > 0)?;
    let (_, constant, _) = delays.select_nth_unstable_by(played - 1, f64::total_cmp);
    Some(PlayoutBound {
        arrived,
        late,
        constant: Duration::from_nanos(*constant as u64),
        optimum_mean: Duration::from_nanos(least_mean(&windows, late)? as u64),
    })
}

/// The delays in nanoseconds of what came, smallest first, window by window.
fn delays_by_window(units: &[Unit], window: Duration) -> Vec<Vec<f64>> {
    let Some(first) = units.iter().map(|unit| unit.sent).min() else {
        return Vec::new();
    };
    let mut came: Vec<(u128, f64)> = units
        .iter()
        .filter_map(|unit| {
            let delay = unit.available?.since(unit.sent).as_nanos() as f64;
            Some((unit.sent.since(first).as_nanos() / window.as_nanos(), delay))
        })
        .collect();
    came.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    came.chunk_by(|one, other| one.0 == other.0)
        .map(|window| window.iter().map(|&(_, delay)| delay).collect())
        .collect()
}

/// The least mean of the playout delays over the units played when at most `late` are given up.
///
/// The paper's recursion, from the first window on: of all plans that give up `l` units so far the
/// one with the least sum of delays is kept. Giving up the slowest units of a window, the others
/// are played at the delay of the slowest of them; where that is also the delay of one given up,
/// it would not have been late, and there is no such plan.
fn least_mean(windows: &[Vec<f64>], late: usize) -> Option<f64> {
    let mut least = vec![0.0];
    let mut units = 0;
    for delays in windows {
        units += delays.len();
        let mut with_window = vec![f64::INFINITY; units.min(late) + 1];
        for given_up in 0..=delays.len().min(late) {
            let Some(cost) = cost(delays, given_up) else { continue };
            for (sum, before) in with_window[given_up..].iter_mut().zip(&least) {
                // Written so that it becomes the minimum of a whole vector at a time.
                let candidate = before + cost;
                if candidate < *sum {
                    *sum = candidate;
                }
            }
        }
        least = with_window;
    }
    let means = least.iter().enumerate().map(|(given_up, sum)| sum / (units - given_up) as f64);
    // Where all are given up there is no mean.
    means.filter(|mean| mean.is_finite()).min_by(f64::total_cmp)
}

/// The sum of playout delays in a window, given in order, of which the slowest are given up.
fn cost(delays: &[f64], given_up: usize) -> Option<f64> {
    let played = delays.len() - given_up;
    let Some(slowest) = played.checked_sub(1).map(|last| delays[last]) else { return Some(0.0) };
    (delays.get(played) != Some(&slowest)).then_some(played as f64 * slowest)
}

#[cfg(test)]
mod tests;
