//! Numbers as people read them.

use crate::report::{Estimate, Unit};

/// A value in its unit, with as many digits as tell something.
pub(super) fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => percent(value),
        Unit::Millis => format!("{value:.1}"),
        Unit::Bytes => grouped(value.round()),
        Unit::Count if value.fract() == 0.0 => grouped(value),
        Unit::Count => format!("{value:.1}"),
        Unit::Ratio => format!("{value:.2}"),
    }
}

/// A share in percent, without its sign: nothing is `0`, and little keeps its digits.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        0.0 => "0".to_owned(),
        little if little < 0.1 => format!("{percent:.3}"),
        some if some < 20.0 => format!("{percent:.2}"),
        _ => format!("{percent:.1}"),
    }
}

/// A mean with half of its interval.
pub(super) fn estimate(estimate: &Estimate, unit: Unit) -> String {
    let mean = number(estimate.mean, unit);
    match estimate.half_width() {
        Some(half) if half > 0.0 => {
            let half = number(half, unit);
            format!("{mean}<small>&#160;±&#160;{half}</small>")
        }
        _ => mean,
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_tell_something() {
        assert_eq!(percent(0.0), "0");
        assert_eq!(percent(0.000_1), "0.010");
        assert_eq!(percent(0.012_345), "1.23");
        assert_eq!(percent(0.861_6), "86.2");
        assert_eq!(number(1_234_567.0, Unit::Bytes), "1,234,567");
        assert_eq!(number(-1_234.0, Unit::Bytes), "−1,234");
        assert_eq!(number(999.0, Unit::Count), "999");
        assert_eq!(number(2.5, Unit::Count), "2.5");
    }

    #[test]
    fn an_interval_of_nothing_is_not_written() {
        assert_eq!(estimate(&Estimate::of(&[0.0; 5]).unwrap(), Unit::Share), "0");
        let some = Estimate::of(&[0.01, 0.02]).unwrap();
        assert!(estimate(&some, Unit::Share).starts_with("1.50<small>"));
    }
}
