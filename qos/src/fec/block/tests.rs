//! Both ends together: what the encoder makes, the decoder understands.

mod roc;
mod round_trip;
