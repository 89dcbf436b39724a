//! The writer when the disk fails it.

use super::Fault;
use crate::{Log, LogError, LogOptions, NewRecord};
use std::io::ErrorKind;
use std::path::Path;

fn group(names: &[&str]) -> Vec<NewRecord> {
    names
        .iter()
        .map(|name| NewRecord {
            kind: 1,
            version: 1,
            payload: name.as_bytes().to_vec(),
        })
        .collect()
}

fn open(dir: &Path) -> Log {
    Log::open(dir, LogOptions::default()).unwrap().0
}

#[track_caller]
fn check_holds(log: &Log, names: &[&str]) {
    let found: Vec<_> = log
        .read(0)
        .map(|record| String::from_utf8(record.unwrap().payload).unwrap())
        .collect();
    assert_eq!(found, names);
}

#[test]
fn a_full_disk_refuses_the_write_and_takes_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.append(&group(&["one"])).unwrap();
    log.fail_next(Fault::Write(ErrorKind::StorageFull));
    let refused = log.append(&group(&["two", "three"])).unwrap_err();
    assert!(matches!(refused, LogError::Full { .. }), "{refused}");
    check_holds(&log, &["one"]);

    assert_eq!(log.append(&group(&["four"])).unwrap(), 1..2);
    check_holds(&log, &["one", "four"]);
    drop(log);
    check_holds(&open(dir.path()), &["one", "four"]);
}

#[track_caller]
fn check_poisons(fault: Fault) {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.append(&group(&["one"])).unwrap();
    log.fail_next(fault);
    log.append(&group(&["two"])).unwrap_err();
    for _ in 0..2 {
        let refused = log.append(&group(&["three"])).unwrap_err();
        assert!(matches!(refused, LogError::Poisoned { .. }), "{refused}");
    }
    check_holds(&log, &["one"]);
    assert_eq!(log.next_seq(), 1);
    drop(log);

    let log = open(dir.path());
    check_holds(&log, &["one"]);
    assert_eq!(log.append(&group(&["four"])).unwrap(), 1..2);
}

#[test]
fn any_other_failed_write_stops_writing_until_the_next_start() {
    check_poisons(Fault::Write(ErrorKind::Other));
    check_poisons(Fault::Write(ErrorKind::ReadOnlyFilesystem));
}

#[test]
fn a_failed_sync_stops_writing_even_when_the_disk_is_full() {
    check_poisons(Fault::Sync(ErrorKind::Other));
    check_poisons(Fault::Sync(ErrorKind::StorageFull));
}

#[test]
fn a_large_payload_is_written_whole() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let mut records = group(&["small"]);
    records.push(NewRecord {
        kind: 2,
        version: 1,
        payload: (0..3_000_000_u32).map(|byte| byte as u8).collect(),
    });
    records.extend(group(&["last"]));
    log.append(&records).unwrap();
    drop(log);
    let log = open(dir.path());
    for (seq, record) in (0..).zip(&records) {
        assert!(log.get(seq).unwrap().unwrap().payload == record.payload);
    }
    assert_eq!(log.verify().unwrap().records, 3);
}

#[test]
fn a_record_too_large_or_of_the_lost_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let options = LogOptions {
        max_record_bytes: 4,
        ..LogOptions::default()
    };
    let (log, _) = Log::open(dir.path(), options).unwrap();
    let refused = log.append(&group(&["12345"])).unwrap_err().to_string();
    assert!(
        refused.contains("5 bytes is larger than the 4"),
        "{refused}"
    );
    let mut lost = group(&["x"]);
    lost[0].kind = crate::LOST;
    assert!(matches!(log.append(&lost), Err(LogError::ReservedKind)));
    assert_eq!(log.append(&group(&["1234"])).unwrap(), 0..1);
}
