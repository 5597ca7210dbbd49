//! `cantus-streamer`: serves audio and subtitles as timed data units.

pub mod catalogue;
pub mod encoding;

#[cfg(test)]
mod media;
