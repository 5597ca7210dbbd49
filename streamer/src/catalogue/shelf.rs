//! Things that are made once and shared for as long as somebody holds them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

type Slot<V> = Arc<Mutex<Weak<V>>>;

/// A weak cache: it keeps nothing alive, and makes a thing at most once at a time.
#[derive(Debug)]
pub(crate) struct Shelf<K, V> {
    slots: Mutex<BTreeMap<K, Slot<V>>>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self { slots: Mutex::default() }
    }
}

impl<K: Ord, V> Shelf<K, V> {
    /// What is there under `key` and still `fresh`, or else what `make` returns.
    ///
    /// Who asks for the same key meanwhile waits; who asks for another does not.
    pub(crate) fn get_or_make<E>(
        &self,
        key: K,
        fresh: impl FnOnce(&V) -> bool,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Arc<V>, E> {
        let slot = self.slot(key);
        let mut held = lock(&slot);
        if let Some(value) = held.upgrade().filter(|value| fresh(value)) {
            return Ok(value);
        }
        let value = Arc::new(make()?);
        *held = Arc::downgrade(&value);
        Ok(value)
    }

    fn slot(&self, key: K) -> Slot<V> {
        let mut slots = lock(&self.slots);
        // Slots are cloned under this lock only: one that has no clone is in nobody's hands.
        slots.retain(|_, slot| Arc::strong_count(slot) > 1 || lock(slot).strong_count() > 0);
        Arc::clone(slots.entry(key).or_default())
    }
}

/// What these locks guard is whole at every instant, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn get(shelf: &Shelf<u8, String>, key: u8, text: &str) -> Arc<String> {
        let made = shelf.get_or_make(key, |_| true, || Ok::<_, Infallible>(text.to_owned()));
        made.unwrap()
    }

    #[test]
    fn what_is_held_is_shared() {
        let shelf = Shelf::default();
        let first = get(&shelf, 1, "first");
        let second = get(&shelf, 1, "second");
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn what_is_no_longer_held_is_made_again_and_leaves_no_slot() {
        let shelf = Shelf::default();
        drop(get(&shelf, 1, "first"));
        let other = get(&shelf, 2, "other");
        assert_eq!(lock(&shelf.slots).len(), 1);
        assert_eq!(*get(&shelf, 1, "second"), "second");
        assert_eq!(*other, "other");
    }

    #[test]
    fn what_is_stale_is_made_again() {
        let shelf = Shelf::default();
        let first = get(&shelf, 1, "first");
        let second = shelf.get_or_make(1, |_| false, || Ok::<_, Infallible>("second".to_owned()));
        assert_eq!((first.as_str(), second.unwrap().as_str()), ("first", "second"));
    }

    #[test]
    fn a_failure_is_handed_on_and_not_remembered() {
        let shelf = Shelf::<u8, String>::default();
        assert_eq!(shelf.get_or_make(1, |_| true, || Err("no")).unwrap_err(), "no");
        assert_eq!(*get(&shelf, 1, "yes"), "yes");
    }
}
