use super::*;
use crate::playout::signals::{
    MONO, STEREO, harmonic, largest_step, noise, rms, sine, speech, stereo,
};
