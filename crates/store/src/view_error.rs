//! What can go wrong with the views, each as a sentence that says what to do.
//!
//! The database tells causes apart by its insides; a reader wants to know whether
//! to make room, to look at the folder, or to have the views rebuilt.

use crate::error::{is_full, is_read_only};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

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

impl ViewsError {
    /// Sorts an error of the database by what can be done about it.
    pub(crate) fn sort(dir: &Path, source: fjall::Error) -> Self {
        let path = dir.to_path_buf();
        match (&source, io_cause(&source)) {
            (fjall::Error::Poisoned, _) => Self::Poisoned { path },
            (fjall::Error::Locked, _) => Self::InUse { path },
            (_, Some(cause)) if is_full(cause) => Self::Full { path, source },
            (_, Some(cause)) if is_read_only(cause) => Self::ReadOnly { path, source },
            (_, Some(_)) => Self::Io { path, source },
            (_, None) => Self::Damaged { path, source },
        }
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
