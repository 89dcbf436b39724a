//! The key-value views: ordered maps that can be thrown away and rebuilt.
//!
//! A thin layer over one `fjall` database, with one keyspace for each view. A
//! batch over any views is applied whole or not at all, also by a crash. Nothing
//! is synced when a batch is committed: the log is the truth, and after a power
//! cut the views are an earlier, consistent state that catches up from it.

use crate::disk::{parent, sync_dir};
use crate::view_batch::ViewBatch;
use crate::view_error::ViewsError;
use crate::view_snapshot::{ViewIter, ViewSnapshot};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::fs;
use std::io;
use std::ops::RangeBounds;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of a key or a value; derefs to a slice, cheap to clone.
pub use fjall::Slice as Bytes;

/// Read blocks kept in memory.
const CACHE: u64 = 64 << 20;
/// A view's newest entries kept in memory; also bounds what a start replays.
const MEMTABLE: u64 = 16 << 20;
/// All journals together. They are replayed at start, so this bounds its time.
const JOURNAL: u64 = 128 << 20;

/// A view, by its place in the names given to [`Views::open`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct View(pub(crate) usize);

impl View {
    /// The view whose name was given at this place.
    pub const fn at(place: usize) -> Self {
        Self(place)
    }
}

/// What every handle on the views needs.
#[derive(Clone)]
pub(crate) struct Keyspaces {
    pub path: Arc<Path>,
    pub all: Arc<[Keyspace]>,
    /// Whether a write has failed for want of space.
    full: Arc<AtomicBool>,
}

impl Keyspaces {
    pub fn get(&self, view: View) -> Result<&Keyspace, ViewsError> {
        let place = view.0;
        self.all.get(place).ok_or(ViewsError::Unknown { place })
    }

    /// Sorts an error of the database by what can be done about it.
    pub fn failed(&self, source: fjall::Error) -> ViewsError {
        match ViewsError::sort(&self.path, source) {
            // The database only remembers that something failed.
            ViewsError::Poisoned { path } if self.full.load(Ordering::Acquire) => {
                ViewsError::Full {
                    path,
                    source: fjall::Error::Poisoned,
                }
            }
            error => {
                if matches!(error, ViewsError::Full { .. }) {
                    self.full.store(true, Ordering::Release);
                }
                error
            }
        }
    }
}

/// All views of a store.
pub struct Views {
    keyspaces: Keyspaces,
    database: Database,
}

impl Views {
    /// Opens the views in this folder, making those that are missing.
    ///
    /// Handles on the views opened before must be gone, snapshots included.
    pub fn open(dir: &Path, names: &[&str]) -> Result<Self, ViewsError> {
        let failed = |error: io::Error| ViewsError::sort(dir, error.into());
        if is_empty(dir).map_err(failed)? {
            // A database that was being made when the process was killed cannot be opened, so
            // it stands in its place only when it is whole.
            let making = dir.with_added_extension("making");
            Self::destroy(&making)?;
            drop(Self::open_there(&making, names)?);
            fs::rename(&making, dir)
                .and_then(|()| sync_dir(parent(dir)))
                .map_err(failed)?;
        }
        Self::open_there(dir, names)
    }

    fn open_there(dir: &Path, names: &[&str]) -> Result<Self, ViewsError> {
        let failed = |source| ViewsError::sort(dir, source);
        let database = Database::builder(dir)
            .cache_size(CACHE)
            .max_journaling_size(JOURNAL)
            .worker_threads(2)
            .open()
            .map_err(failed)?;
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE);
            all.push(database.keyspace(name, options).map_err(failed)?);
        }
        let keyspaces = Keyspaces {
            path: dir.into(),
            all: all.into(),
            full: Arc::default(),
        };
        Ok(Self {
            keyspaces,
            database,
        })
    }

    /// The value of a key now.
    pub fn get(&self, view: View, key: &[u8]) -> Result<Option<Bytes>, ViewsError> {
        self.snapshot().get(view, key)
    }

    /// Whether there is such a key now.
    pub fn contains(&self, view: View, key: &[u8]) -> Result<bool, ViewsError> {
        self.snapshot().contains(view, key)
    }

    /// The entries in a range of keys now; see [`ViewSnapshot::range`].
    pub fn range<K: AsRef<[u8]>>(
        &self,
        view: View,
        range: impl RangeBounds<K>,
    ) -> Result<ViewIter, ViewsError> {
        self.snapshot().range(view, range)
    }

    /// The entries whose keys begin with a prefix now; see [`ViewSnapshot::prefix`].
    pub fn prefix(&self, view: View, prefix: &[u8]) -> Result<ViewIter, ViewsError> {
        self.snapshot().prefix(view, prefix)
    }

    /// A frozen sight of all views, cheap to take. It keeps old entries alive, so
    /// it should be let go of when newer ones are wanted.
    pub fn snapshot(&self) -> ViewSnapshot {
        ViewSnapshot::new(self.keyspaces.clone(), self.database.snapshot())
    }

    /// Begins a batch of changes.
    pub fn batch(&self) -> ViewBatch {
        ViewBatch::new(self.keyspaces.clone(), self.database.clone())
    }

    /// Adds many entries to one view, past the memtables: for very many keys in no order
    /// this is far cheaper than a batch. The keys must ascend strictly. The entries are not
    /// part of any batch: they are visible when this returns.
    pub fn ingest<K, V>(
        &self,
        view: View,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), ViewsError>
    where
        K: Into<Bytes>,
        V: Into<Bytes>,
    {
        let failed = |error| self.keyspaces.failed(error);
        let mut ingestion = self
            .keyspaces
            .get(view)?
            .start_ingestion()
            .map_err(failed)?;
        for (key, value) in entries {
            ingestion.write(key, value).map_err(failed)?;
        }
        ingestion.finish().map_err(failed)
    }

    /// Makes everything committed so far durable: for checkpoints and shutdown.
    pub fn persist(&self) -> Result<(), ViewsError> {
        self.database
            .persist(PersistMode::SyncAll)
            .map_err(|error| self.keyspaces.failed(error))
    }

    /// The bytes of all views on the disk.
    pub fn bytes(&self) -> Result<u64, ViewsError> {
        self.database
            .disk_space()
            .map_err(|error| self.keyspaces.failed(error))
    }

    /// Throws the views in this folder away, for a rebuild. They must not be open.
    pub fn destroy(dir: &Path) -> Result<(), ViewsError> {
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ViewsError::sort(dir, error.into()))
            }
            _ => Ok(()),
        }
    }
}

/// Whether nothing is there: no folder, or one without a file.
fn is_empty(dir: &Path) -> io::Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_still_named_when_the_database_has_forgotten_it() {
        let dir = tempfile::tempdir().unwrap();
        let views = Views::open(dir.path(), &["a"]).unwrap();
        let failed = |source: fjall::Error| views.keyspaces.failed(source);
        let poisoned = failed(fjall::Error::Poisoned);
        assert!(matches!(poisoned, ViewsError::Poisoned { .. }));

        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(failed(full.into()), ViewsError::Full { .. }));
        let poisoned = failed(fjall::Error::Poisoned);
        assert!(matches!(poisoned, ViewsError::Full { .. }));
    }
}
