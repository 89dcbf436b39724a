//! One process per data folder, by a lock on a file in it.
//!
//! The lock belongs to the open file, so it goes with its process however that
//! ends. The file says who holds it, for the message that a second process gets
//! and for commands that want to reach the server which holds the folder.

use crate::error::is_read_only;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "vitrine.lock";
/// Looking who holds the lock takes it for an instant, so one refusal proves little.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(10);
/// More than any description; a longer file is not ours.
const LONGEST: u64 = 4096;

/// The right to use a data folder, held until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    file: File,
}

/// Who holds a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub process: u32,
    /// What the holder said of itself with [`FolderLock::describe`].
    pub description: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.process)?;
        match self.description.as_str() {
            "" => Ok(()),
            description => write!(f, " ({description})"),
        }
    }
}

/// Why a data folder cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    #[error(
        "the data folder {} is in use by {}: stop it first, or choose another folder",
        path.display(),
        holder.as_ref().map_or_else(|| "another process".to_owned(), Holder::to_string)
    )]
    InUse {
        path: PathBuf,
        holder: Option<Holder>,
    },
    #[error(
        "the data folder {} cannot be written: make it writable for this user, or choose another folder",
        path.display()
    )]
    ReadOnly {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not lock the data folder {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl FolderLock {
    /// Takes the folder, which is made if it is missing.
    pub fn acquire(dir: &Path) -> Result<Self, LockError> {
        let failed = |source: io::Error| {
            let path = dir.to_path_buf();
            if is_read_only(&source) {
                LockError::ReadOnly { path, source }
            } else {
                LockError::Io { path, source }
            }
        };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join(FILE))
            .map_err(failed)?;
        for attempt in 1..=ATTEMPTS {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if attempt == ATTEMPTS => {
                    return Err(LockError::InUse {
                        path: dir.to_path_buf(),
                        holder: read_holder(&file),
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
        let path = dir.to_path_buf();
        let lock = Self { path, file };
        lock.describe("")?;
        Ok(lock)
    }

    /// Says who holds the folder, in one line such as `vitrine serve on 127.0.0.1:7700`.
    pub fn describe(&self, description: &str) -> Result<(), LockError> {
        let line = description.replace(['\n', '\r'], " ");
        let text = format!("{}\n{line}\n", std::process::id());
        self.overwrite(text.as_bytes())
            .map_err(|source| LockError::Io {
                path: self.path.clone(),
                source,
            })
    }

    /// Who holds the folder now; `None` when it is free.
    pub fn holder(dir: &Path) -> Option<Holder> {
        let file = File::open(dir.join(FILE)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_holder(&file),
            _ => None,
        }
    }

    fn overwrite(&self, text: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text)
    }
}

fn read_holder(file: &File) -> Option<Holder> {
    let mut text = String::new();
    let mut file = file;
    file.rewind().ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    Some(Holder {
        process: lines.next()?.trim().parse().ok()?,
        description: lines.next().unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(FolderLock::holder(dir.path()), None);
        let lock = FolderLock::acquire(dir.path()).unwrap();
        lock.describe("vitrine serve on 127.0.0.1:7700").unwrap();

        let refused = FolderLock::acquire(dir.path()).unwrap_err().to_string();
        let process = std::process::id();
        assert!(
            refused.contains(&format!(
                "is in use by process {process} (vitrine serve on 127.0.0.1:7700)"
            )),
            "{refused}"
        );
        assert_eq!(
            FolderLock::holder(dir.path()).unwrap().description,
            "vitrine serve on 127.0.0.1:7700"
        );

        drop(lock);
        assert_eq!(FolderLock::holder(dir.path()), None, "a stale line");
        FolderLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn a_shorter_description_leaves_nothing_of_the_longer() {
        let dir = tempfile::tempdir().unwrap();
        let lock = FolderLock::acquire(dir.path()).unwrap();
        lock.describe("a long description of the holder").unwrap();
        lock.describe("two\nlines").unwrap();
        assert_eq!(
            FolderLock::holder(dir.path()).unwrap().to_string(),
            format!("process {} (two lines)", std::process::id())
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "in the way").unwrap();
        let refused = FolderLock::acquire(&file).unwrap_err().to_string();
        assert!(
            refused.contains("could not lock the data folder"),
            "{refused}"
        );
    }
}
