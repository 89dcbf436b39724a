//! Changes to the views that are made all at once.
//!
//! A batch is checked while it is filled and refused whole when it is committed,
//! so that filling it needs no error handling. Committing waits while flushes are
//! far behind, but never for one that has failed.

use crate::view_error::ViewsError;
use crate::views::{Bytes, Keyspaces, View};
use fjall::{AbstractTree, Database, Keyspace, OwnedWriteBatch, PersistMode};
use std::time::Duration;

/// `fjall` waits without end when four memtables await a flush that has failed.
const WAITING_MEMTABLES: usize = 3;
const PAUSE: Duration = Duration::from_millis(2);
/// `fjall` takes no longer ones, and panics when it is asked for one.
pub(crate) const LONGEST_KEY: usize = u16::MAX as usize;

/// Changes to any views that become visible together. Of several changes to one
/// key the last one holds.
#[must_use = "a batch changes nothing until it is committed"]
pub struct ViewBatch {
    keyspaces: Keyspaces,
    database: Database,
    batch: OwnedWriteBatch,
    touched: Vec<bool>,
    /// The first change that cannot be made; it fails the whole batch.
    refused: Option<ViewsError>,
}

impl ViewBatch {
    pub(crate) fn new(keyspaces: Keyspaces, database: Database) -> Self {
        Self {
            batch: database.batch(),
            touched: vec![false; keyspaces.all.len()],
            keyspaces,
            database,
            refused: None,
        }
    }

    /// Sets the value of a key.
    pub fn put(&mut self, view: View, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        let key = key.into();
        if let Some(keyspace) = self.checked(view, &key) {
            self.batch.insert(&keyspace, key, value);
        }
    }

    /// Takes a key away.
    pub fn delete(&mut self, view: View, key: impl Into<Bytes>) {
        let key = key.into();
        if let Some(keyspace) = self.checked(view, &key) {
            self.batch.remove(&keyspace, key);
        }
    }

    fn checked(&mut self, view: View, key: &[u8]) -> Option<Keyspace> {
        let bytes = key.len();
        if bytes == 0 || bytes > LONGEST_KEY {
            self.refused.get_or_insert(ViewsError::Key { bytes });
            return None;
        }
        match (self.keyspaces.get(view), self.touched.get_mut(view.0)) {
            (Ok(keyspace), Some(touched)) => {
                *touched = true;
                Some(keyspace.clone())
            }
            _ => {
                let place = view.0;
                self.refused.get_or_insert(ViewsError::Unknown { place });
                None
            }
        }
    }

    /// The number of changes.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Makes the changes, all at once.
    pub fn commit(self) -> Result<(), ViewsError> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        let failed = |error| self.keyspaces.failed(error);
        for (keyspace, _) in self
            .keyspaces
            .all
            .iter()
            .zip(&self.touched)
            .filter(|(_, touched)| **touched)
        {
            // Flushes fall behind for a while under load, and for good once one has
            // failed; this asks which, where `fjall` would wait in either case.
            while keyspace.tree.sealed_memtable_count() >= WAITING_MEMTABLES {
                self.database.persist(PersistMode::Buffer).map_err(failed)?;
                std::thread::sleep(PAUSE);
            }
        }
        self.batch.commit().map_err(failed)
    }
}
