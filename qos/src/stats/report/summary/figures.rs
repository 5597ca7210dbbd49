//! Figures with their units, as people read them.

/// What stands for a value that is not known.
pub(super) const UNKNOWN: &str = "-";
/// What a column can show digit by digit.
const LARGEST_COUNT: u64 = 9_999_999_999;

pub(super) fn value(value: Option<f64>, figure: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), figure)
}

/// `12,345`
pub(super) fn count(number: u64) -> String {
    if number > LARGEST_COUNT {
        return scaled(number as f64, "");
    }
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `183.2 ms`; from ten seconds on as a [`span`].
pub(super) fn milliseconds(ms: f64) -> String {
    if ms < 1e4 { format!("{ms:.1} ms") } else { span(ms) }
}

/// `+12.0 ms`
pub(super) fn signed(ms: f64) -> String {
    format!("{ms:+.1} ms")
}

/// `850 ms`, `12.3 s`, `1 h 02 min` or `5 days`: as exact as anyone wants to know.
pub(super) fn span(ms: f64) -> String {
    let seconds = ms / 1e3;
    match seconds {
        s if s < 1.0 => format!("{ms:.0} ms"),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3_600.0 => format!("{:.0} min {:02.0} s", (s / 60.0).floor(), (s % 60.0).floor()),
        s if s >= 360_000.0 => format!("{:.0} days", (s / 86_400.0).floor()),
        s => format!("{:.0} h {:02.0} min", (s / 3_600.0).floor(), (s / 60.0 % 60.0).floor()),
    }
}

/// `0.17 %`. All and nothing are said only of all and nothing: what rounds to them is named as
/// being next to them.
pub(super) fn share(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        100.0 => "100 %".to_owned(),
        p if p < 0.005 => "< 0.01 %".to_owned(),
        p if p >= 99.995 => "> 99.99 %".to_owned(),
        p => format!("{p:.2} %"),
    }
}

/// `312.4 kB`
pub(super) fn bytes(bytes: u64) -> String {
    scaled(bytes as f64, "B")
}

/// `160.0 kbit/s`
pub(super) fn bit_rate(bps: f64) -> String {
    scaled(bps, "bit/s")
}

fn scaled(amount: f64, unit: &str) -> String {
    match amount {
        a if a < 1e3 => format!("{a:.0} {unit}"),
        a if a < 1e6 => format!("{:.1} k{unit}", a / 1e3),
        a if a < 1e9 => format!("{:.1} M{unit}", a / 1e6),
        a if a < 1e12 => format!("{:.1} G{unit}", a / 1e9),
        a => format!("{a:.1e} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(count), ["0", "999", "1,000", "12,345,678"]);
    }

    #[test]
    fn a_share_is_all_or_nothing_only_if_it_is() {
        let shares = [0.0, 0.000_01, 0.001_7, 0.999_98, 1.0].map(share);
        assert_eq!(shares, ["0 %", "< 0.01 %", "0.17 %", "> 99.99 %", "100 %"]);
    }

    #[test]
    fn spans_change_their_unit_as_they_grow() {
        let spans = [850.0, 12_340.0, 62_900.0, 3_725_000.0, 432e6].map(span);
        assert_eq!(spans, ["850 ms", "12.3 s", "1 min 02 s", "1 h 02 min", "5 days"]);
    }

    #[test]
    fn amounts_carry_decimal_prefixes() {
        assert_eq!([999, 1_000, 1_234_567].map(bytes), ["999 B", "1.0 kB", "1.2 MB"]);
        assert_eq!(bit_rate(160_000.0), "160.0 kbit/s");
    }
}
