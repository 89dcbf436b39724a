//! Backup and restore: the same records with the same numbers, or a refusal.

use crate::{SMALL, filled_with, numbered, open, payloads, record};
use std::fs;
use std::path::Path;
use store::{BackupFile, BackupReport, Log, RestoreError, RestoreReport, repair};

fn backup(log: &Log, out: &mut Vec<u8>) -> Result<BackupReport, store::BackupError> {
    store::backup(log, Vec::new, out)
}

fn restore(input: &mut &[u8], log: &Path) -> Result<RestoreReport, RestoreError> {
    store::restore(input, log, log.parent().unwrap())
}

/// A backup of a log with `count` records, with a file of each size.
fn backup_with_files(count: usize, sizes: &[usize]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(&dir.path().join("log"), count);
    let mut files = Vec::new();
    for (at, &size) in sizes.iter().enumerate() {
        let path = dir.path().join(at.to_string());
        fs::write(&path, vec![at as u8; size]).unwrap();
        let name = format!("things/{at}/a file");
        files.push(BackupFile { name, path });
    }
    files.push(BackupFile {
        name: "gone".to_owned(),
        path: dir.path().join("gone"),
    });
    let mut bytes = Vec::new();
    let report = store::backup(&log, || files, &mut bytes).unwrap();
    assert_eq!(report.files, sizes.len() as u64);
    assert_eq!(report.bytes, bytes.len() as u64);
    bytes
}

/// A backup of a log with `count` records.
fn backup_of(count: usize) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), count);
    let mut bytes = Vec::new();
    let report = backup(&log, &mut bytes).unwrap();
    assert_eq!(report.records, count as u64);
    assert_eq!(report.bytes, bytes.len() as u64);
    bytes
}

#[test]
fn what_was_backed_up_comes_back() {
    for count in [0, 1, 40] {
        let bytes = backup_of(count);
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("log");
        let report = restore(&mut &bytes[..], &dir).unwrap();
        assert_eq!(report.records, count as u64);
        assert_eq!(report.bytes, bytes.len() as u64);
        assert_eq!(report.last_seq, (count as u64).checked_sub(1));
        let log = open(&dir);
        assert_eq!(payloads(&log), numbered(count));
        log.append(&[record(b"goes on")]).unwrap();
        let names: Vec<_> = fs::read_dir(parent.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing is left beside it");
    }
}

#[test]
fn files_come_along_under_their_names() {
    let sizes = [0, 5, 200_000];
    let bytes = backup_with_files(2, &sizes);
    let parent = tempfile::tempdir().unwrap();
    let report = restore(&mut &bytes[..], &parent.path().join("log")).unwrap();
    assert_eq!((report.records, report.files), (2, 3));
    assert_eq!(report.bytes, bytes.len() as u64);
    for (at, size) in sizes.into_iter().enumerate() {
        let path = parent.path().join(format!("things/{at}/a file"));
        assert_eq!(fs::read(path).unwrap(), vec![at as u8; size]);
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);

    // What is there already is not written over.
    fs::remove_dir_all(parent.path().join("log")).unwrap();
    let refused = restore(&mut &bytes[..], &parent.path().join("log")).unwrap_err();
    assert!(refused.to_string().contains("is not empty"), "{refused}");
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
}

#[test]
fn the_name_of_a_file_leads_nowhere_else() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for name in ["/etc/x", "../x", "a/../../x", ".", "a/.."] {
        let dir = tempfile::tempdir().unwrap();
        let files = vec![BackupFile {
            name: name.to_owned(),
            path: file.path().to_owned(),
        }];
        let mut bytes = Vec::new();
        store::backup(&filled_with(dir.path(), 1), || files, &mut bytes).unwrap();
        let parent = tempfile::tempdir().unwrap();
        let refused = restore(&mut &bytes[..], &parent.path().join("log")).unwrap_err();
        assert!(refused.to_string().contains("leads elsewhere"), "{refused}");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_backup_is_taken_while_serving() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 10);
    let mut bytes = Vec::new();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..30 {
                log.append(&[record(b"meanwhile")]).unwrap();
            }
        });
        backup(&log, &mut bytes).unwrap();
        writer.join().unwrap();
    });
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("log");
    let report = restore(&mut &bytes[..], &target).unwrap();
    assert!((10..=40).contains(&report.records));
    let found = payloads(&open(&target));
    assert_eq!(found[..10], numbered(10));
    assert!(found[10..].iter().all(|payload| payload == "meanwhile"));
}

#[test]
fn any_harm_to_a_backup_is_refused_and_leaves_nothing() {
    let bytes = backup_with_files(1, &[3]);
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("log");
    let check = |bytes: &[u8], what: &str| {
        let refused = restore(&mut &*bytes, &dir).unwrap_err();
        assert!(
            !matches!(refused, RestoreError::Write(_)),
            "{what}: {refused}"
        );
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0, "{what}");
    };
    for at in 0..bytes.len() {
        check(&bytes[..at], &format!("cut at {at}"));
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        check(&flipped, &format!("flipped at {at}"));
    }
    check(&[&bytes[..], b"x"].concat(), "longer");
    check(b"PK\x03\x04 this is some other archive format", "foreign");
}

#[test]
fn a_newer_backup_is_refused_by_name() {
    let mut bytes = backup_of(1);
    bytes[8] = 7;
    let crc = crc32fast::hash(&bytes[..20]).to_le_bytes();
    bytes[20..24].copy_from_slice(&crc);
    let dir = tempfile::tempdir().unwrap();
    let refused = restore(&mut &bytes[..], dir.path())
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("version 7, newer than version 2"),
        "{refused}"
    );
}

#[test]
fn a_folder_in_use_is_not_overwritten() {
    let bytes = backup_of(3);
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 2);
    let refused = restore(&mut &bytes[..], dir.path())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("is not empty"), "{refused}");
    assert_eq!(payloads(&log), numbered(2));
}

#[test]
fn lost_records_stay_lost_and_damage_is_not_backed_up() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled_with(dir.path(), 20));
    let first = crate::segments(dir.path())[0].clone();
    crate::edit(&first, |bytes| bytes[60] ^= 1);
    let refused = backup(&open(dir.path()), &mut Vec::new()).unwrap_err();
    assert!(refused.to_string().contains("no backup was made"));

    repair(dir.path()).unwrap();
    let mut bytes = Vec::new();
    backup(&open(dir.path()), &mut bytes).unwrap();
    let target = tempfile::tempdir().unwrap();
    restore(&mut &bytes[..], target.path()).unwrap();
    let (log, _) = store::Log::open(target.path(), SMALL).unwrap();
    assert_eq!(log.verify().unwrap().lost, 1);
}
