//! `cantus-player` as its users meet it: exit status, one clear line where something is wrong, and
//! whole files whatever happened. The server at the other end is scripted, so that it can
//! misbehave.

mod broken_off;
mod hostile;
mod refused;
mod run;
mod server;
mod signals;
mod unwritable;
