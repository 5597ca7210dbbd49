//! The player listens to what is pushed over loopback sockets: by the tests themselves always, and
//! by GStreamer and ffmpeg where they are installed. Where they are not, a test says `NOT RUN` and
//! why.

mod jitter;
mod others;
mod plain;
mod pushing;
mod stage;
