//! Numbers as people read them.

use crate::report::{Estimate, Unit};

/// A value in its unit, with as many digits as tell something.
pub(super) fn number(value: f64, unit: Unit) -> String {
    rounded(value, unit, digits(value, unit))
}

/// A share in percent, without its sign: nothing is `0`, and little keeps its digits.
pub(super) fn percent(share: f64) -> String {
    number(share, Unit::Share)
}

/// A mean with half of its interval, to the same digits.
pub(super) fn estimate(estimate: &Estimate, unit: Unit) -> String {
    let digits = digits(estimate.mean, unit);
    let mean = rounded(estimate.mean, unit, digits);
    let half = estimate.half_width().map(|half| rounded(half, unit, digits));
    match half.filter(|half| half.contains(|digit: char| ('1'..='9').contains(&digit))) {
        Some(half) => format!("{mean}<small>&#160;±&#160;{half}</small>"),
        None => mean,
    }
}

fn digits(value: f64, unit: Unit) -> usize {
    match unit {
        Unit::Share => match (100.0 * value).abs() {
            little if little < 0.1 => 3,
            some if some < 20.0 => 2,
            _ => 1,
        },
        Unit::Millis => 1,
        Unit::Bytes => 0,
        Unit::Count => usize::from(value.fract() != 0.0),
        Unit::Ratio => 2,
    }
}

fn rounded(value: f64, unit: Unit, digits: usize) -> String {
    match unit {
        Unit::Share if value == 0.0 => "0".to_owned(),
        Unit::Share => format!("{:.digits$}", 100.0 * value),
        _ if digits == 0 => grouped(value),
        _ => format!("{value:.digits$}"),
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
    fn an_interval_has_the_digits_of_its_mean() {
        let steady = Estimate::of(&[0.702, 0.702_02]).unwrap();
        assert_eq!(estimate(&steady, Unit::Share), "70.2");
        let some = Estimate::of(&[200.0, 203.0]).unwrap();
        assert_eq!(estimate(&some, Unit::Millis), "201.5<small>&#160;±&#160;19.1</small>");
    }

    #[test]
    fn an_interval_of_nothing_is_not_written() {
        assert_eq!(estimate(&Estimate::of(&[0.0; 5]).unwrap(), Unit::Share), "0");
        let some = Estimate::of(&[0.01, 0.02]).unwrap();
        assert!(estimate(&some, Unit::Share).starts_with("1.50<small>"));
    }
}
