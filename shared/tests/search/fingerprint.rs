//! Fingerprints: 64 bits that tell one state from another.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// What fingerprints are made with.
pub(crate) type Fingerprint = DefaultHasher;

/// The fingerprint of anything.
pub(crate) fn fingerprint(what: impl Hash) -> u64 {
    let mut hasher = Fingerprint::default();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Something that rarely changes and that many states share, with its fingerprint.
#[derive(Debug)]
pub(crate) struct Kept<T>(Arc<Inner<T>>);

#[derive(Debug)]
pub(crate) struct Inner<T> {
    pub(crate) fingerprint: u64,
    item: T,
}

impl<T: Hash> Kept<T> {
    pub(crate) fn new(item: T) -> Self {
        let fingerprint = fingerprint(&item);
        Self(Arc::new(Inner { fingerprint, item }))
    }
}

impl<T: Hash + Clone> Kept<T> {
    /// Changes this one; the states that share the former one keep it.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut T)) {
        let mut item = self.0.item.clone();
        change(&mut item);
        *self = Self::new(item);
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.item
    }
}

impl<T> Hash for Kept<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.fingerprint.hash(state);
    }
}

impl<T> Kept<T> {
    pub(crate) fn fingerprint(&self) -> u64 {
        self.0.fingerprint
    }
}
