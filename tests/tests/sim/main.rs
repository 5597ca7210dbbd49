//! Whole sessions in virtual time: what must be true of streamer, network and player together.
//!
//! Each module is a scenario or a few of one kind. Seeds are fixed, so a failure can be had again;
//! none was chosen for what it gives.

mod breakers;
mod clean;
mod impaired;
mod latency;
mod narrow;
mod numbers;
mod playout;
mod protection;
mod sharing;
mod stage;
mod standing;
mod stored;
mod strangers;
