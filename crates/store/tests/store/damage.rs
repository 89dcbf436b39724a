//! Torn writes, damaged bytes, missing files: told, never passed over.

use crate::{SMALL, edit, filled_with, numbered, open, payload, payloads, record, segments};
use std::fs;
use std::path::Path;
use store::{LOST, Log, LogError, repair};

fn refusal(dir: &Path) -> String {
    Log::open(dir, SMALL)
        .expect_err("the log must not open")
        .to_string()
}

#[track_caller]
fn check_refused(change: impl FnOnce(&Path), expect: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    drop(filled_with(dir.path(), 20));
    change(dir.path());
    let refused = refusal(dir.path());
    for expect in expect {
        assert!(refused.contains(expect), "{refused}");
    }
    assert_eq!(refusal(dir.path()), refused, "refusing changes nothing");
}

fn last(dir: &Path) -> std::path::PathBuf {
    segments(dir).pop().unwrap()
}

#[test]
fn a_write_cut_short_is_cut_off_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 20);
    let whole = fs::read(last(dir.path())).unwrap();
    drop(log);
    for tail in [&b"\0\0\0\0\0\0\0\0"[..], b"x", &whole[36..50], &[0; 5000]] {
        edit(&last(dir.path()), |bytes| bytes.extend(tail));
        let (log, recovery) = Log::open(dir.path(), SMALL).unwrap();
        assert_eq!(recovery.torn_bytes, tail.len() as u64);
        assert_eq!(recovery.last_seq, Some(19));
        assert_eq!(payloads(&log), numbered(20));
        drop(log);
        assert_eq!(fs::read(last(dir.path())).unwrap(), whole);
    }
}

#[test]
fn a_lost_end_of_acknowledged_records_is_refused() {
    let cut = |dir: &Path| edit(&last(dir), |bytes| bytes.truncate(bytes.len() - 1));
    check_refused(
        cut,
        &[
            "the log ends at record 18",
            "record 19 had been acknowledged",
        ],
    );
    let flip = |dir: &Path| edit(&last(dir), |bytes| *bytes.last_mut().unwrap() ^= 1);
    check_refused(
        flip,
        &["record 19 had been acknowledged", "vitrine restore"],
    );
    let all = |dir: &Path| {
        segments(dir)
            .iter()
            .for_each(|path| fs::remove_file(path).unwrap())
    };
    check_refused(
        all,
        &[
            "the log ends at its beginning",
            "record 19 had been acknowledged",
        ],
    );
    let end = |dir: &Path| fs::remove_file(last(dir)).unwrap();
    check_refused(end, &["had been acknowledged"]);
}

#[test]
fn damage_before_good_records_is_refused_without_the_note_too() {
    let flip = |dir: &Path| {
        fs::remove_file(dir.join("acknowledged")).unwrap();
        edit(&last(dir), |bytes| bytes[60] ^= 1);
    };
    check_refused(
        flip,
        &[
            "does not match its checksum",
            "at byte 36",
            "vitrine repair",
        ],
    );
}

#[test]
fn missing_and_exchanged_segments_are_refused() {
    let first = |dir: &Path| fs::remove_file(&segments(dir)[0]).unwrap();
    check_refused(first, &["the segment before it is missing"]);
    let middle = |dir: &Path| fs::remove_file(&segments(dir)[1]).unwrap();
    check_refused(middle, &["the segment before it is missing"]);
    let renamed = |dir: &Path| {
        fs::rename(&segments(dir)[0], dir.join("00000000000000000001.seg")).unwrap();
    };
    check_refused(renamed, &["named for another first record"]);
    let header = |dir: &Path| edit(&segments(dir)[0], |bytes| bytes[14] ^= 1);
    check_refused(header, &["the header of the segment does not match"]);
    let foreign = |dir: &Path| fs::write(dir.join("notes.seg"), "hello").unwrap();
    check_refused(foreign, &["notes.seg is no segment of the log"]);
}

#[test]
fn damage_in_a_sealed_segment_is_found_when_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled_with(dir.path(), 20));
    let second = segments(dir.path())[1].clone();
    edit(&second, |bytes| bytes[60] ^= 1);
    let log = open(dir.path());
    let seq = log.sealed_segments()[1].first_seq;
    let read: Vec<_> = log.read(0).collect();
    assert_eq!(
        read.len() as u64,
        seq + 1,
        "the error is the last thing read"
    );
    assert!(matches!(read.last(), Some(Err(LogError::Damaged { .. }))));
    assert!(matches!(log.verify(), Err(LogError::Damaged { .. })));
    assert!(matches!(log.get(seq), Err(LogError::Damaged { .. })));
    assert_eq!(payload(log.get(0).unwrap().unwrap()), numbered(1)[0]);
    assert_eq!(log.read(seq + 10).filter(Result::is_err).count(), 0);

    edit(&second, |bytes| bytes.truncate(40));
    assert!(matches!(log.verify(), Err(LogError::Damaged { .. })));
}

#[track_caller]
fn check_repair(change: impl FnOnce(&Path), lost: &[u64]) {
    let dir = tempfile::tempdir().unwrap();
    drop(filled_with(dir.path(), 20));
    change(dir.path());
    let report = repair(dir.path()).unwrap();
    let told: Vec<_> = report.lost.into_iter().flatten().collect();
    assert_eq!(told, lost);
    assert_eq!(report.kept, 20 - lost.len() as u64);

    let log = open(dir.path());
    assert_eq!(log.verify().unwrap().lost, lost.len() as u64);
    for (seq, expect) in (0..).zip(numbered(20)) {
        let found = log.get(seq).unwrap().unwrap();
        match lost.contains(&seq) {
            true => assert_eq!((found.kind, found.payload.len()), (LOST, 0)),
            false => assert_eq!(payload(found), expect),
        }
    }
    assert_eq!(log.append(&[record(b"goes on")]).unwrap(), 20..21);
    drop(log);
    let again = repair(dir.path()).unwrap();
    assert_eq!((again.rewritten.len(), again.lost.len()), (0, 0));
}

#[test]
fn a_repair_keeps_what_can_be_read_and_names_the_rest() {
    check_repair(|_| {}, &[]);
    check_repair(|dir| edit(&segments(dir)[0], |bytes| bytes[60] ^= 1), &[0]);
    check_repair(|dir| edit(&segments(dir)[1], |bytes| bytes[38] ^= 1), &[4]);
    check_repair(
        |dir| fs::remove_file(&segments(dir)[0]).unwrap(),
        &[0, 1, 2, 3],
    );
    check_repair(
        |dir| fs::remove_file(&segments(dir)[2]).unwrap(),
        &[8, 9, 10, 11],
    );
    let header = |dir: &Path| edit(&segments(dir)[1], |bytes| bytes[20] ^= 1);
    check_repair(header, &[]);
    let zeros = |dir: &Path| edit(&segments(dir)[1], |bytes| bytes[..36].fill(0));
    check_repair(zeros, &[]);
    let all_zeros = |dir: &Path| {
        for path in segments(dir) {
            edit(&path, |bytes| bytes[..36].fill(0));
        }
    };
    check_repair(all_zeros, &[]);
    let end = |dir: &Path| edit(&last(dir), |bytes| bytes.truncate(bytes.len() - 1));
    check_repair(end, &[19]);
    check_repair(|dir| fs::remove_file(last(dir)).unwrap(), &[16, 17, 18, 19]);
    let tail = |dir: &Path| edit(&last(dir), |bytes| bytes.extend(b"torn"));
    check_repair(tail, &[]);
}
