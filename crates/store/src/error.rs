//! What can go wrong with the log, each as a sentence that says what to do.
//!
//! Input and output errors are sorted by what the reader of the message can do
//! about them: free some space, make the folder writable, or look at the disk.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the log refused, or could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    #[error(
        "no space left on the disk that holds {}: free some space and try again; nothing acknowledged was lost",
        path.display()
    )]
    Full {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "{} cannot be written: make the folder writable for this user, or choose another data folder",
        path.display()
    )]
    ReadOnly {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not read or write {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "the log takes no more writes since an earlier write to {} failed: check the disk and start again; nothing acknowledged was lost",
        path.display()
    )]
    Poisoned {
        path: PathBuf,
        #[source]
        source: Arc<io::Error>,
    },
    #[error(
        "the log is damaged in {} at byte {offset}, where record {seq} should stand: {what}; restore from a backup with `vitrine restore`, or give up what is damaged and keep the rest with `vitrine repair`",
        path.display()
    )]
    Damaged {
        path: PathBuf,
        /// Where in the file the damage begins.
        offset: u64,
        /// The first record that cannot be read.
        seq: u64,
        what: Damage,
    },
    #[error(
        "{} is no segment of the log, by its name: move it out of the folder",
        path.display()
    )]
    Foreign { path: PathBuf },
    #[error(
        "{} has format version {found}, newer than version {supported}, which this program knows: run the program that wrote it, or a newer one",
        path.display()
    )]
    Newer {
        path: PathBuf,
        found: u32,
        supported: u32,
    },
    #[error("a record of {bytes} bytes is larger than the {limit} bytes allowed: split the write")]
    TooLarge { bytes: u64, limit: u64 },
    #[error("record kind 255 stands for a lost record and cannot be written")]
    ReservedKind,
    #[error("no sealed segment of the log begins with record {first_seq}")]
    NotSealed { first_seq: u64 },
}

/// What is wrong at a damaged place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    #[error("the header of the segment does not match its checksum")]
    Header,
    #[error("the file is named for another first record than its header gives, {header}")]
    Misnamed { header: u64 },
    #[error("the frame has an impossible length")]
    Length,
    #[error("the record does not match its checksum")]
    Checksum,
    #[error("record {found} stands in its place")]
    Sequence { found: u64 },
    #[error("the segment ends before it")]
    EndsEarly,
    #[error("the segment before it is missing or has been exchanged")]
    MissingSegment,
    #[error("the log ends at {} but record {acknowledged} had been acknowledged", end_of(*last))]
    EndsBeforeAcknowledged {
        last: Option<u64>,
        acknowledged: u64,
    },
}

fn end_of(last: Option<u64>) -> String {
    match last {
        Some(seq) => format!("record {seq}"),
        None => "its beginning".to_owned(),
    }
}

impl LogError {
    /// Sorts an input or output error by what can be done about it.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            _ if is_full(&source) => Self::Full { path, source },
            _ if is_read_only(&source) => Self::ReadOnly { path, source },
            _ => Self::Io { path, source },
        }
    }
}

/// The disk, the quota or the file size limit is used up: more space helps.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// The folder is not writable for this process.
pub(crate) fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ErrorKind, expect: &str) {
        let message = LogError::io(Path::new("store/log"), io::Error::from(kind)).to_string();
        assert!(message.contains(expect), "{message}");
        assert!(message.contains("store/log"), "{message}");
    }

    #[test]
    fn an_error_says_what_to_do() {
        check(ErrorKind::StorageFull, "free some space and try again");
        check(ErrorKind::QuotaExceeded, "nothing acknowledged was lost");
        check(ErrorKind::ReadOnlyFilesystem, "make the folder writable");
        check(ErrorKind::PermissionDenied, "make the folder writable");
        check(ErrorKind::TimedOut, "could not read or write");
    }

    #[test]
    fn a_lost_end_names_both_records() {
        let what = Damage::EndsBeforeAcknowledged {
            last: Some(41),
            acknowledged: 57,
        };
        assert_eq!(
            what.to_string(),
            "the log ends at record 41 but record 57 had been acknowledged"
        );
    }
}
