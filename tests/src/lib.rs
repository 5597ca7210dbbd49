//! End-to-end tests of Cantus live in `tests/`; this library is empty.
