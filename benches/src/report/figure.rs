//! The figures of a [`Run`] by name: the one list that CSV, summaries, tables and comparisons
//! follow.

use super::Run;

/// A figure of a run.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Its name: the field of [`Run`], the column of the CSV, the key in JSON.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// By how much it must change for anybody to care, if less of it is better; `None` for what
    /// is neither good nor bad by itself.
    pub grain: Option<f64>,
    value: fn(&Run) -> Option<f64>,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// A fraction of 1, shown in percent.
    Share,
    /// Milliseconds.
    Millis,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// One quantity over another of its kind.
    Ratio,
}

impl Figure {
    /// Its value in `run`, if it is known there.
    pub fn of(&self, run: &Run) -> Option<f64> {
        (self.value)(run)
    }

    /// The figure of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIGURES.iter().find(|figure| figure.name == name)
    }
}

/// A figure that is neither good nor bad by itself.
macro_rules! figure {
    ($name:ident, $title:literal, $unit:ident) => {
        figure!($name, $title, $unit, None)
    };
    ($name:ident, $title:literal, $unit:ident, less by $grain:literal) => {
        figure!($name, $title, $unit, Some($grain))
    };
    ($name:ident, $title:literal, $unit:ident, $grain:expr) => {
        Figure {
            name: stringify!($name),
            title: $title,
            unit: Unit::$unit,
            grain: $grain,
            value: |run| run.$name.value(),
        }
    };
}

/// All figures, in the order of the columns.
pub const FIGURES: &[Figure] = &[
    figure!(expected, "units expected", Count),
    figure!(received, "came by themselves", Count),
    figure!(lost_network, "lost on the way", Count),
    figure!(recovered_fec, "recovered by FEC", Count),
    figure!(recovered_retransmission, "recovered, resent", Count),
    figure!(late, "too late", Count),
    figure!(duplicate, "duplicates", Count),
    figure!(reordered, "reordered", Count),
    figure!(residual, "residual", Share, less by 1e-4),
    figure!(network_loss, "network loss", Share),
    figure!(repair_bound, "repair bound", Share),
    figure!(overhead, "overhead + feedback", Share, less by 5e-3),
    figure!(feedback, "of it feedback", Share),
    figure!(media_bytes, "media", Bytes),
    figure!(repair_bytes, "repair", Bytes),
    figure!(feedback_bytes, "feedback", Bytes),
    figure!(cue_bytes, "cues", Bytes),
    figure!(quic_framing_bytes, "QUIC framing", Bytes),
    figure!(quic_framing_per_packet, "QUIC framing a packet", Bytes, less by 1.0),
    figure!(queue_p50_ms, "queue, median", Millis),
    figure!(queue_p95_ms, "queue, 95 %", Millis, less by 2.0),
    figure!(queue_max_ms, "queue, longest", Millis),
    figure!(pipe_media, "of the pipe, media", Share),
    figure!(pipe_used, "of the pipe, all", Share),
    figure!(fair_share, "of its fair share", Share),
    figure!(jain, "Jain's index", Ratio),
    figure!(pipe_others, "of the pipe, others", Share),
    figure!(delay_mean_ms, "delay, mean", Millis, less by 1.0),
    figure!(delay_p50_ms, "delay, median", Millis),
    figure!(delay_p95_ms, "delay, 95 %", Millis, less by 1.0),
    figure!(delay_p99_ms, "delay, 99 %", Millis),
    figure!(delay_max_ms, "delay, longest", Millis),
    figure!(late_share, "late of what came", Share, less by 1e-3),
    figure!(playout_to_constant, "delay / best constant", Ratio, less by 0.01),
    figure!(playout_to_optimum, "delay / optimum", Ratio),
    figure!(playout_to_interrupted, "delay / best as interrupted", Ratio),
    figure!(jitter_p50_ms, "jitter, median", Millis),
    figure!(jitter_p95_ms, "jitter, 95 %", Millis),
    figure!(jitter_p99_ms, "jitter, 99 %", Millis),
    figure!(skew_p99_ms, "skew, 99 %", Millis),
    figure!(skew_max_ms, "skew, farthest", Millis),
    figure!(skew_count, "cues", Count),
    figure!(buffer_min_ms, "buffer, least", Millis),
    figure!(buffer_p50_ms, "buffer, median", Millis),
    figure!(buffer_p95_ms, "buffer, 95 %", Millis),
    figure!(buffer_max_ms, "buffer, most", Millis),
    figure!(setup_ms, "set-up", Millis, less by 1.0),
    figure!(first_sound_ms, "first sound", Millis, less by 5.0),
    figure!(concealed_ms, "concealed", Millis, less by 20.0),
    figure!(stretched_ms, "stretched", Millis),
    figure!(shrunk_ms, "shrunk", Millis),
    figure!(waited_ms, "waited", Millis),
    figure!(mos, "MOS", Ratio),
];

/// A field of a run as a number.
trait Value {
    fn value(&self) -> Option<f64>;
}

impl Value for u64 {
    fn value(&self) -> Option<f64> {
        Some(*self as f64)
    }
}

impl Value for Option<i64> {
    fn value(&self) -> Option<f64> {
        self.map(|value| value as f64)
    }
}

impl Value for Option<f64> {
    fn value(&self) -> Option<f64> {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_number_of_a_run_is_a_figure_once() {
        let run = serde_json::to_value(Run::default()).unwrap();
        let apart = ["seed", "completed", "loss_runs", "residual_runs"];
        let fields: BTreeSet<&str> = run.as_object().unwrap().keys().map(String::as_str).collect();
        let named: Vec<&str> = FIGURES.iter().map(|figure| figure.name).chain(apart).collect();
        assert_eq!(named.len(), fields.len());
        assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), fields);
    }

    #[test]
    fn a_figure_is_found_by_its_name_and_reads_its_field() {
        let run = Run { overhead: Some(0.5), late: 3, ..Run::default() };
        assert_eq!(Figure::named("overhead").unwrap().of(&run), Some(0.5));
        assert_eq!(Figure::named("late").unwrap().of(&run), Some(3.0));
        assert_eq!(Figure::named("residual").unwrap().of(&run), None);
        assert!(Figure::named("beauty").is_none());
    }
}
