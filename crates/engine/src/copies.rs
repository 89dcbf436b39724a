//! Backups, and those that the server writes into its own data folder: dumps and snapshots.
//!
//! Both are the file that `vitrine restore` reads. A dump is kept under a name of its own,
//! a snapshot takes the place of the one before. They hold everything, so only the owner
//! of the folder may read them.

use crate::outcome::{Failure, Outcome, Refused};
use crate::record::Entry;
use crate::shared::Shared;
use crate::{EngineError, folder, shelf};
use domain::Timestamp;
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use store::BackupReport;

/// Writes the log and the files of trained models, which no log can make again.
pub(crate) fn backup(shared: &Shared, out: &mut dyn Write) -> Result<BackupReport, EngineError> {
    Ok(store::backup(
        &shared.log,
        || shelf::to_back_up(shared),
        out,
    )?)
}

/// Writes a dump, unless this record is read again after a restart.
pub(crate) fn dump(
    shared: &Shared,
    seq: u64,
    entry: &Entry,
    again: bool,
) -> Result<Outcome, Failure> {
    let uid = dump_uid(entry.at, seq);
    let path = folder::dumps(&shared.dir).join(format!("{uid}.backup"));
    if !again {
        write(shared, &path)?;
    } else if !path.exists() {
        let message = format!("The server stopped before the dump `{uid}` was written.");
        return Err(Refused::new("dump_not_written", message).into());
    }
    Ok(Outcome::of(entry).with("dumpUid", json!(uid)))
}

/// Writes a snapshot, unless this record is read again after a restart.
pub(crate) fn snapshot(shared: &Shared, entry: &Entry, again: bool) -> Result<Outcome, Failure> {
    if !again {
        write(
            shared,
            &folder::snapshots(&shared.dir).join("vitrine.backup"),
        )?;
    }
    Ok(Outcome::of(entry))
}

/// `20260131-120000123-42`: its time, and its number among all writes.
fn dump_uid(at: Timestamp, seq: u64) -> String {
    // 2026-01-31T12:00:00.123Z without what has no place in a file name.
    let digits: String = at
        .to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let (date, time) = digits.split_at(digits.len().min(8));
    format!("{date}-{time}-{seq}")
}

/// A failure costs this task and nothing else: the log is whole either way.
fn write(shared: &Shared, path: &Path) -> Result<(), Failure> {
    let failed = |err: EngineError| {
        let code = match err.is_full() {
            true => "no_space_left_on_device",
            false => "internal",
        };
        let mut message = format!("{} was not written: {err}", path.display());
        if let Some(cause) = std::error::Error::source(&err) {
            message = format!("{message}: {cause}");
        }
        Failure::from(Refused::new(code, message))
    };
    let unfinished = path.with_extension("unfinished");
    write_to(shared, &unfinished, path).map_err(|err| {
        let _ = fs::remove_file(&unfinished);
        failed(err)
    })
}

fn write_to(shared: &Shared, unfinished: &Path, path: &Path) -> Result<(), EngineError> {
    let io = |source: io::Error| EngineError::Folder {
        path: path.to_owned(),
        source,
    };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(io)?;
    }
    let mut out = BufWriter::with_capacity(1 << 20, create(unfinished).map_err(io)?);
    backup(shared, &mut out)?;
    out.flush().map_err(io)?;
    out.get_ref().sync_all().map_err(io)?;
    fs::rename(unfinished, path).map_err(io)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_named_by_its_time_and_number() {
        let at = Timestamp::from_millis(1_769_860_800_123);
        assert_eq!(dump_uid(at, 42), "20260131-120000123-42");
    }
}
