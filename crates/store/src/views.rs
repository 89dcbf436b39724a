//! The key-value views: ordered maps that can be thrown away and rebuilt.
//!
//! A thin layer over one `fjall` database, with one keyspace for each view. A
//! batch over any views is applied whole or not at all, also by a crash. Nothing
//! is synced when a batch is committed: the log is the truth, and after a power
//! cut the views are an earlier, consistent state that catches up from it.

use crate::error::{is_full, is_read_only};
use crate::view_snapshot::{ViewIter, ViewSnapshot};
use fjall::{AbstractTree, Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::error::Error;
use std::fs;
use std::io;
use std::ops::RangeBounds;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a key or a value; derefs to a slice, cheap to clone.
pub use fjall::Slice as Bytes;

/// Read blocks kept in memory.
const CACHE: u64 = 64 << 20;
/// A view's newest entries kept in memory; also bounds what a start replays.
const MEMTABLE: u64 = 16 << 20;
/// All journals together. They are replayed at start, so this bounds its time.
const JOURNAL: u64 = 128 << 20;
/// `fjall` waits without end when four memtables await a flush that has failed.
const WAITING_MEMTABLES: usize = 3;
const PAUSE: Duration = Duration::from_millis(2);
const LONGEST_KEY: usize = u16::MAX as usize;

/// A view, by its place in the names given to [`Views::open`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct View(usize);

impl View {
    /// The view whose name was given at this place.
    pub const fn at(place: usize) -> Self {
        Self(place)
    }
}

/// Why the views refused, or could not do what they were asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewsError {
    #[error(
        "no space left on the disk that holds {}: free some space and start again; nothing acknowledged was lost",
        path.display()
    )]
    Full {
        path: PathBuf,
        #[source]
        source: fjall::Error,
    },
    #[error(
        "{} cannot be written: make the folder writable for this user, or choose another data folder",
        path.display()
    )]
    ReadOnly {
        path: PathBuf,
        #[source]
        source: fjall::Error,
    },
    #[error("could not read or write the views in {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: fjall::Error,
    },
    #[error(
        "the views in {} are damaged or of another version: remove that folder and start again, they are rebuilt from the log",
        path.display()
    )]
    Damaged {
        path: PathBuf,
        #[source]
        source: fjall::Error,
    },
    #[error(
        "the views in {} take no more writes since an earlier one failed (is the disk full?): start again, they catch up from the log",
        path.display()
    )]
    Poisoned { path: PathBuf },
    #[error("the views in {} are in use by another process", path.display())]
    InUse { path: PathBuf },
    #[error("a key must have 1 to 65535 bytes, this one has {bytes}")]
    Key { bytes: usize },
    #[error("there is no view at place {place}")]
    Unknown { place: usize },
}

/// What every handle on the views needs.
#[derive(Clone)]
pub(crate) struct Keyspaces {
    pub path: Arc<Path>,
    all: Arc<[Keyspace]>,
}

impl Keyspaces {
    pub fn get(&self, view: View) -> Result<&Keyspace, ViewsError> {
        let place = view.0;
        self.all.get(place).ok_or(ViewsError::Unknown { place })
    }

    /// Sorts an error of the database by what can be done about it.
    pub fn failed(&self, source: fjall::Error) -> ViewsError {
        sort_error(&self.path, source)
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
        let failed = |source| sort_error(dir, source);
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
        ViewBatch {
            keyspaces: self.keyspaces.clone(),
            database: self.database.clone(),
            batch: self.database.batch(),
            touched: vec![false; self.keyspaces.all.len()],
            refused: None,
        }
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
                Err(sort_error(dir, error.into()))
            }
            _ => Ok(()),
        }
    }
}

/// Changes to any views that become visible together. Of several changes to one
/// key the last one holds.
#[must_use = "a batch changes nothing until it is committed"]
pub struct ViewBatch {
    keyspaces: Keyspaces,
    database: Database,
    batch: fjall::OwnedWriteBatch,
    touched: Vec<bool>,
    /// The first change that cannot be made; it fails the whole batch.
    refused: Option<ViewsError>,
}

impl ViewBatch {
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
        for (keyspace, _) in self.keyspaces.all.iter().zip(&self.touched).filter(|(_, touched)| **touched) {
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

fn sort_error(dir: &Path, source: fjall::Error) -> ViewsError {
    let path = dir.to_path_buf();
    match (&source, io_cause(&source)) {
        (fjall::Error::Poisoned, _) => ViewsError::Poisoned { path },
        (fjall::Error::Locked, _) => ViewsError::InUse { path },
        (_, Some(cause)) if is_full(cause) => ViewsError::Full { path, source },
        (_, Some(cause)) if is_read_only(cause) => ViewsError::ReadOnly { path, source },
        (_, Some(_)) => ViewsError::Io { path, source },
        (_, None) => ViewsError::Damaged { path, source },
    }
}

/// The input or output error somewhere below this one.
fn io_cause(error: &fjall::Error) -> Option<&io::Error> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}
