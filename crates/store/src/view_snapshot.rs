//! A frozen sight of all views, and the walk over a range of one.
//!
//! Every read goes through a snapshot, so that a reader sees each batch whole or
//! not at all. No read waits for a batch.

use crate::view_batch::LONGEST_KEY;
use crate::view_error::ViewsError;
use crate::views::{Bytes, Keyspaces, View};
use fjall::Readable;
use std::ops::{Bound, RangeBounds};

/// All views as they were at one moment.
#[derive(Clone)]
pub struct ViewSnapshot {
    keyspaces: Keyspaces,
    snapshot: fjall::Snapshot,
}

impl ViewSnapshot {
    pub(crate) fn new(keyspaces: Keyspaces, snapshot: fjall::Snapshot) -> Self {
        Self {
            keyspaces,
            snapshot,
        }
    }

    /// The value of a key. There is none for a key that is longer than any can be.
    pub fn get(&self, view: View, key: &[u8]) -> Result<Option<Bytes>, ViewsError> {
        let keyspace = self.keyspaces.get(view)?;
        if key.len() > LONGEST_KEY {
            return Ok(None);
        }
        self.snapshot
            .get(keyspace, key)
            .map_err(|error| self.keyspaces.failed(error))
    }

    /// Whether there is such a key.
    pub fn contains(&self, view: View, key: &[u8]) -> Result<bool, ViewsError> {
        let keyspace = self.keyspaces.get(view)?;
        if key.len() > LONGEST_KEY {
            return Ok(false);
        }
        self.snapshot
            .contains_key(keyspace, key)
            .map_err(|error| self.keyspaces.failed(error))
    }

    /// The entries in a range of keys, in order; `.rev()` walks from its end.
    /// An empty or inverted range has none.
    pub fn range<K: AsRef<[u8]>>(
        &self,
        view: View,
        range: impl RangeBounds<K>,
    ) -> Result<ViewIter, ViewsError> {
        let start = range.start_bound().map(K::as_ref);
        self.between(view, start, range.end_bound().map(K::as_ref))
    }

    fn between(
        &self,
        view: View,
        start: Bound<&[u8]>,
        end: Bound<&[u8]>,
    ) -> Result<ViewIter, ViewsError> {
        let keyspace = self.keyspaces.get(view)?;
        let range = (start, end);
        let entries =
            (!is_empty(start, end)).then(|| self.snapshot.range::<&[u8], _>(keyspace, range));
        Ok(ViewIter {
            keyspaces: self.keyspaces.clone(),
            entries,
        })
    }

    /// The entries whose keys begin with a prefix, in order; `.rev()` walks from
    /// their end.
    pub fn prefix(&self, view: View, prefix: &[u8]) -> Result<ViewIter, ViewsError> {
        let end = prefix_end(prefix);
        self.between(
            view,
            Bound::Included(prefix),
            end.as_ref().map(Vec::as_slice),
        )
    }

    /// The entries of a prefix whose keys come after `key`: the next page.
    pub fn prefix_after(
        &self,
        view: View,
        prefix: &[u8],
        key: &[u8],
    ) -> Result<ViewIter, ViewsError> {
        let start = match key < prefix {
            true => Bound::Included(prefix),
            false => Bound::Excluded(key),
        };
        let end = prefix_end(prefix);
        self.between(view, start, end.as_ref().map(Vec::as_slice))
    }

    /// The entries of a prefix whose keys come before `key`; with `.rev()`, the
    /// page before.
    pub fn prefix_before(
        &self,
        view: View,
        prefix: &[u8],
        key: &[u8],
    ) -> Result<ViewIter, ViewsError> {
        let end = prefix_end(prefix);
        let end = match &end {
            Bound::Excluded(last) if last.as_slice() < key => Bound::Excluded(last.as_slice()),
            _ => Bound::Excluded(key),
        };
        self.between(view, Bound::Included(prefix), end)
    }
}

/// The least key after all keys with this prefix.
fn prefix_end(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

fn is_empty(start: Bound<&[u8]>, end: Bound<&[u8]>) -> bool {
    match (start, end) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (
            Bound::Included(start) | Bound::Excluded(start),
            Bound::Included(end) | Bound::Excluded(end),
        ) => start >= end,
    }
}

/// Entries of one view, from either end.
pub struct ViewIter {
    keyspaces: Keyspaces,
    /// `None` for a range that holds nothing.
    entries: Option<fjall::Iter>,
}

impl ViewIter {
    fn entry(&self, guard: fjall::Guard) -> Result<(Bytes, Bytes), ViewsError> {
        guard
            .into_inner()
            .map_err(|error| self.keyspaces.failed(error))
    }
}

impl Iterator for ViewIter {
    type Item = Result<(Bytes, Bytes), ViewsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let guard = self.entries.as_mut()?.next()?;
        Some(self.entry(guard))
    }
}

impl DoubleEndedIterator for ViewIter {
    fn next_back(&mut self) -> Option<Self::Item> {
        let guard = self.entries.as_mut()?.next_back()?;
        Some(self.entry(guard))
    }
}
