//! Files of every past format open, and those of the future are refused.

use crate::{SMALL, edit, payload};
use std::fs;
use std::path::{Path, PathBuf};
use store::{Ending, Log, Record, decode_segment, restore};

const FIRST: &str = "00000000000000000000.seg";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1")
}

/// What the files of version 1 hold.
fn check_records(records: impl Iterator<Item = Record>) {
    let found: Vec<_> = records
        .map(|record| (record.seq, record.kind, record.version, payload(record)))
        .collect();
    let expect = [
        (0, 1, 1, "a lamp".to_owned()),
        (1, 2, 1, String::new()),
        (2, 1, 3, "台灯 with a shade".to_owned()),
        (3, 254, 9, "x".repeat(300)),
    ];
    assert_eq!(found, expect);
}

/// A log folder with the segments of version 1.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join("log")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    dir
}

#[test]
fn a_log_of_version_1_opens() {
    let dir = copy();
    let (log, recovery) = Log::open(dir.path(), SMALL).unwrap();
    assert_eq!((recovery.torn_bytes, recovery.segments), (0, 2));
    check_records(log.read(0).map(Result::unwrap));
    assert_eq!(log.append(&[crate::record(b"goes on")]).unwrap(), 4..5);
}

#[test]
fn a_segment_of_version_1_decodes_from_memory() {
    let bytes = fs::read(fixtures().join("log").join(FIRST)).unwrap();
    let decoded = decode_segment(&bytes).unwrap();
    assert_eq!((decoded.records.len(), decoded.ending), (3, Ending::Clean));
}

#[test]
fn a_backup_of_version_1_restores() {
    let bytes = fs::read(fixtures().join("log.backup")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    restore(&mut &bytes[..], dir.path(), dir.path()).unwrap();
    let (log, _) = Log::open(dir.path(), SMALL).unwrap();
    check_records(log.read(0).map(Result::unwrap));
}

#[test]
fn a_segment_of_a_newer_version_is_refused() {
    let dir = copy();
    edit(&dir.path().join(FIRST), |bytes| {
        bytes[8] = 2;
        let crc = crc32fast::hash(&bytes[..32]).to_le_bytes();
        bytes[32..36].copy_from_slice(&crc);
    });
    let refused = Log::open(dir.path(), SMALL).unwrap_err().to_string();
    assert!(
        refused.contains("version 2, newer than version 1"),
        "{refused}"
    );
}
