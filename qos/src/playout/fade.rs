//! The one curve by which sound gives way to other sound, or to silence.

/// The weight at `step` of `steps` of what is fading out: 1 at the first step, 0 after the last,
/// and level at both ends, so that the fade itself has no corner to be heard.
///
/// What fades in has the rest, so that like sounds keep their level. A polynomial, not a cosine:
/// the same bits on every machine.
pub(super) fn falling(step: usize, steps: usize) -> f32 {
    if step >= steps {
        return 0.0;
    }
    let t = step as f32 / steps as f32;
    1.0 - t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fade_goes_from_all_to_nothing_and_never_back() {
        assert_eq!(falling(0, 240), 1.0);
        assert_eq!(falling(120, 240), 0.5);
        assert_eq!(falling(240, 240), 0.0);
        assert_eq!(falling(0, 0), 0.0);
        assert!((0..240).all(|step| falling(step + 1, 240) < falling(step, 240)));
    }
}
