//! The memory that samples may take.

use super::error::CatalogueError;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts the bytes of all samples that are held, against a limit.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    limit: u64,
    in_use: Arc<Mutex<u64>>,
}

impl Memory {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, in_use: Arc::default() }
    }

    /// Sets `needed` bytes aside for the samples of the file `path`.
    pub(super) fn reserve(&self, needed: u64, path: &Path) -> Result<Reservation, CatalogueError> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if needed > self.limit - *in_use {
            let (path, limit, in_use) = (path.to_owned(), self.limit, *in_use);
            return Err(CatalogueError::OutOfMemory { path, needed, limit, in_use });
        }
        *in_use += needed;
        Ok(Reservation { bytes: needed, in_use: Arc::clone(&self.in_use) })
    }
}

/// Bytes set aside until this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    bytes: u64,
    in_use: Arc<Mutex<u64>>,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        *self.in_use.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
    }
}
