//! Appending, reading and compacting.

use crate::{SMALL, edit, filled_with, numbered, open, payload, payloads, record, segments};
use std::sync::atomic::{AtomicBool, Ordering};
use store::{Log, LogError, LogOptions, Record, Recovery, Rewritten};

#[test]
fn numbers_begin_at_zero_and_go_on_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let (log, recovery) = Log::open(dir.path(), SMALL).unwrap();
    let empty = Recovery {
        last_seq: None,
        torn_bytes: 0,
        segments: 1,
    };
    assert_eq!(recovery, empty);
    assert_eq!((log.last_seq(), log.next_seq()), (None, 0));
    assert_eq!(log.append(&[]).unwrap(), 0..0);
    assert_eq!(log.append(&[record(b"a"), record(b"b")]).unwrap(), 0..2);
    drop(log);

    let (log, recovery) = Log::open(dir.path(), SMALL).unwrap();
    assert_eq!(recovery.last_seq, Some(1));
    assert_eq!(log.append(&[record(b"c")]).unwrap(), 2..3);
    assert_eq!(payloads(&log), ["a", "b", "c"]);
    assert_eq!(log.get(1).unwrap().map(payload).as_deref(), Some("b"));
    assert_eq!(log.get(3).unwrap(), None);
}

#[test]
fn reading_begins_at_any_record_over_all_segments() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 40);
    assert!(segments(dir.path()).len() > 5);
    let all = numbered(40);
    for from in 0..42 {
        let read: Vec<_> = log.read(from as u64).map(|r| payload(r.unwrap())).collect();
        assert_eq!(read, all[from.min(40)..]);
    }
    for (seq, expect) in (0..).zip(&all) {
        assert_eq!(&payload(log.get(seq).unwrap().unwrap()), expect);
    }
    let report = log.verify().unwrap();
    assert_eq!((report.records, report.lost), (40, 0));
    let on_disk: u64 = segments(dir.path())
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert_eq!((report.bytes, log.bytes()), (on_disk, on_disk));
}

#[test]
fn sealed_segments_join_without_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 40);
    let sealed = log.sealed_segments();
    let mut next = 0;
    for segment in &sealed {
        assert_eq!(segment.first_seq, next);
        assert_eq!(segment.bytes, segment.path.metadata().unwrap().len());
        next = segment.last_seq + 1;
    }
    assert_eq!(sealed.len() + 1, segments(dir.path()).len());
    drop(log);
    assert_eq!(open(dir.path()).sealed_segments(), sealed);
}

#[test]
fn a_group_larger_than_a_segment_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let group: Vec<_> = numbered(30).iter().map(|p| record(p.as_bytes())).collect();
    assert_eq!(log.append(&group).unwrap(), 0..30);
    assert_eq!(segments(dir.path()).len(), 1);
    log.append(&[record(b"next")]).unwrap();
    assert_eq!(segments(dir.path()).len(), 2);
    assert_eq!(payloads(&log).len(), 31);
}

#[test]
fn single_records_are_found_in_a_long_segment() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), LogOptions::default()).unwrap();
    let group: Vec<_> = (0..3000_u32)
        .map(|at| record(&at.to_le_bytes().repeat(50)))
        .collect();
    log.append(&group).unwrap();
    let check = |log: &Log| {
        for seq in (0..3000).step_by(173).chain([2999]) {
            let found = log.get(seq).unwrap().unwrap();
            assert_eq!(found.payload, group[seq as usize].payload);
        }
    };
    check(&log);
    drop(log);
    let (log, _) = Log::open(dir.path(), SMALL).unwrap();
    check(&log);
    log.append(&[record(b"seals the long segment")]).unwrap();
    check(&log);
}

/// Shortens every even record.
fn shorten(record: &Record) -> Rewritten {
    match record.seq % 2 {
        0 => Rewritten::Replace(crate::record(b"-")),
        _ => Rewritten::Keep,
    }
}

fn shortened(count: usize) -> Vec<String> {
    let mut all = numbered(count);
    all.iter_mut()
        .step_by(2)
        .for_each(|payload| *payload = "-".to_owned());
    all
}

#[test]
fn a_rewrite_keeps_numbers_and_readers() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 40);
    let before = log.bytes();
    log.get(0).unwrap();
    let mut reader = log.read(0);
    let first = payload(reader.next().unwrap().unwrap());

    let sealed = log.sealed_segments();
    for segment in &sealed {
        let report = log
            .rewrite_segment(segment.first_seq, &mut shorten)
            .unwrap();
        assert_eq!(report.before, segment.bytes);
        assert!(report.after < report.before);
    }
    assert!(log.bytes() < before);
    assert_eq!(first, "record number 000");
    let in_first = sealed[0].last_seq as usize + 1;
    let rest: Vec<_> = reader.map(|record| payload(record.unwrap())).collect();
    assert_eq!(rest.len(), 39);
    assert_eq!(
        rest[..in_first - 1],
        numbered(40)[1..in_first],
        "the old file"
    );

    let kept = sealed.last().unwrap().last_seq as usize + 1;
    let expect: Vec<_> = shortened(kept)
        .into_iter()
        .chain(numbered(40).split_off(kept))
        .collect();
    assert_eq!(payloads(&log), expect);
    for (seq, expect) in (0..).zip(&expect) {
        assert_eq!(&payload(log.get(seq).unwrap().unwrap()), expect);
    }
    drop(log);
    let log = open(dir.path());
    assert_eq!(payloads(&log), expect);
    assert_eq!(log.append(&[record(b"x")]).unwrap(), 40..41);
}

#[test]
fn a_rewrite_may_make_records_longer_or_leave_all() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 20);
    let file = segments(dir.path())[0].clone();
    let untouched = std::fs::read(&file).unwrap();
    let report = log.rewrite_segment(0, &mut |_| Rewritten::Keep).unwrap();
    assert_eq!(report.before, report.after);
    assert_eq!(std::fs::read(&file).unwrap(), untouched);

    let long = "long ".repeat(100);
    log.rewrite_segment(0, &mut |_| Rewritten::Replace(record(long.as_bytes())))
        .unwrap();
    assert_eq!(payload(log.get(0).unwrap().unwrap()), long);
    assert_eq!(log.verify().unwrap().records, 20);
    drop(log);
    assert_eq!(payloads(&open(dir.path())).len(), 20);
}

#[test]
fn only_a_sealed_segment_is_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 20);
    let last = log.sealed_segments().last().unwrap().last_seq + 1;
    for wrong in [last, 1, 99] {
        let refused = log.rewrite_segment(wrong, &mut |_| Rewritten::Keep);
        assert!(
            matches!(refused, Err(LogError::NotSealed { .. })),
            "{wrong}"
        );
    }
    let mut lost = record(b"");
    lost.kind = store::LOST;
    let refused = log.rewrite_segment(0, &mut |_| Rewritten::Replace(lost.clone()));
    assert!(matches!(refused, Err(LogError::ReservedKind)));
}

#[test]
fn an_unfinished_rewrite_is_forgotten_and_damage_is_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled_with(dir.path(), 20);
    let file = segments(dir.path())[0].clone();
    std::fs::write(file.with_extension("new"), "half a segment").unwrap();
    drop(log);
    let log = open(dir.path());
    assert!(!file.with_extension("new").exists());

    edit(&file, |bytes| bytes[60] ^= 1);
    let damaged = std::fs::read(&file).unwrap();
    let refused = log.rewrite_segment(0, &mut shorten);
    assert!(matches!(refused, Err(LogError::Damaged { seq: 0, .. })));
    assert_eq!(std::fs::read(&file).unwrap(), damaged);
    assert!(!file.with_extension("new").exists());
}

#[test]
fn readers_see_whole_groups_while_one_thread_appends() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = || {
            let mut most = 0;
            while !done.load(Ordering::Acquire) {
                let known = log.next_seq();
                let mut next = 0;
                for record in log.read(0) {
                    let record = record.unwrap();
                    assert_eq!(record.seq, next);
                    assert_eq!(record.payload, next.to_le_bytes());
                    next += 1;
                }
                assert!(next >= known, "{next} of {known}");
                assert_eq!(next % 3, 0, "a group is seen whole");
                if let Some(last) = next.checked_sub(1) {
                    assert_eq!(log.get(last).unwrap().unwrap().seq, last);
                }
                most = next;
            }
            most
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        for group in 0..60_u64 {
            let group: Vec<_> = (0..3)
                .map(|at| record(&(group * 3 + at).to_le_bytes()))
                .collect();
            log.append(&group).unwrap();
            let sealed = log.sealed_segments();
            if let Some(segment) = sealed.last() {
                let same = &mut |r: &Record| Rewritten::Replace(record(&r.payload));
                log.rewrite_segment(segment.first_seq, same).unwrap();
            }
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            assert!(reader.join().unwrap() <= 180);
        }
    });
    assert_eq!(log.verify().unwrap().records, 180);
}
