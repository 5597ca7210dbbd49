//! Axes: where values lie, and which of them are written beside it.

/// One axis of a plot.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// What it shows, with its unit.
    pub title: String,
    /// The values that are written, and how.
    pub ticks: Vec<(f64, String)>,
    /// Where the axis begins and ends.
    pub range: (f64, f64),
    scale: Scale,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Linear,
    /// Powers of ten are as far from each other; nothing lies at the beginning.
    Logarithmic,
}

impl Axis {
    /// From `from` to `to`, with about as many round numbers as `ticks` written.
    pub(crate) fn linear(title: &str, (from, to): (f64, f64), ticks: usize) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        let step = round_step((to - from) / ticks.max(1) as f64);
        let first = (from / step).ceil() as i64;
        let last = (to / step + 1e-9).floor() as i64;
        let ticks = (first..=last).map(|number| number as f64 * step);
        let ticks = ticks.map(|at| (at, plain(at, step))).collect();
        Self { title: title.to_owned(), ticks, range: (from, to), scale: Scale::Linear }
    }

    /// Shares from below `least` to `most` on a logarithmic axis, written in percent; nothing at
    /// all lies at its beginning.
    pub(crate) fn shares(title: &str, least: f64, most: f64) -> Self {
        let (first, last) = (least.log10().ceil() as i32, most.log10().floor() as i32);
        let mut ticks = vec![(0.0, "0".to_owned())];
        ticks.extend((first..=last).map(|power| {
            let at = 10f64.powi(power);
            (at, format!("{} %", 100.0 * at))
        }));
        let range = (least / 2.0, most);
        Self { title: title.to_owned(), ticks, range, scale: Scale::Logarithmic }
    }

    /// Counts from none to `most` on a logarithmic axis.
    pub(crate) fn counts(title: &str, most: f64) -> Self {
        let mut ticks = vec![(0.0, "0".to_owned())];
        let powers = (0..=9).map(|power| 10f64.powi(power)).filter(|at| *at <= most.max(10.0));
        ticks.extend(powers.map(|at| (at, format!("{at}"))));
        let range = (0.5, most.max(10.0) * 1.3);
        Self { title: title.to_owned(), ticks, range, scale: Scale::Logarithmic }
    }

    /// Where `value` lies, in the numbers that are drawn.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value.clamp(self.range.0, self.range.1),
            Scale::Logarithmic => value.clamp(self.range.0, self.range.1).log10(),
        }
    }

    /// Its ends, in the numbers that are drawn.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.place(self.range.0), self.place(self.range.1))
    }
}

/// The next step of 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let rest = step / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| rest <= round * 1.001);
    power * round.unwrap_or(10.0)
}

fn plain(value: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).max(0.0) as usize;
    let text = format!("{value:.digits$}");
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
        return "0".to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        assert_eq!(
            written(&Axis::linear("", (0.0, 60.0), 6)),
            ["0", "10", "20", "30", "40", "50", "60"]
        );
        assert_eq!(written(&Axis::linear("", (-0.3, 0.25), 5)), ["-0.2", "0", "0.2"]);
        assert_eq!(written(&Axis::linear("", (3.0, 3.0), 2)), ["3.0", "3.5", "4.0"]);
    }

    #[test]
    fn nothing_lies_at_the_beginning_of_a_logarithmic_axis() {
        let axis = Axis::shares("", 1e-4, 1.0);
        assert_eq!(written(&axis), ["0", "0.01 %", "0.1 %", "1 %", "10 %", "100 %"]);
        assert_eq!(axis.place(0.0), axis.ends().0);
        assert!(axis.place(1e-4) > axis.place(0.0));
        assert_eq!(axis.place(0.01), -2.0);
        assert_eq!(axis.place(7.0), axis.ends().1);
        assert_eq!(written(&Axis::counts("", 400.0)), ["0", "1", "10", "100"]);
    }
}
