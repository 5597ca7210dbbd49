//! The streamer on real sockets: loopback, ports chosen by the system, no word about timing.

mod crowd;
mod noise;
mod quic;
mod rtsp;
mod streamer;
