//! Planted truth, and whole sessions.

mod sessions;
