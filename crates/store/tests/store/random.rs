//! Random operations against a plain vector, then a crash or damage.

use crate::{SMALL, edit, open, record, segments};
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::Path;
use store::{LOST, Log, LogError, Rewritten, repair};

#[derive(Clone, Debug)]
enum Operation {
    Append(Vec<Vec<u8>>),
    Reopen,
    /// A process was killed while it wrote: bytes that were never acknowledged.
    Torn(Vec<u8>),
    Rewrite(prop::sample::Index),
}

#[derive(Clone, Debug)]
enum Harm {
    Truncate(prop::sample::Index, prop::sample::Index),
    Flip(prop::sample::Index, prop::sample::Index, u8),
    Remove(prop::sample::Index),
}

fn operation() -> impl Strategy<Value = Operation> {
    let payload = vec(any::<u8>(), 0..40);
    prop_oneof![
        4 => vec(payload, 1..4).prop_map(Operation::Append),
        1 => Just(Operation::Reopen),
        1 => vec(any::<u8>(), 1..40).prop_map(Operation::Torn),
        1 => any::<prop::sample::Index>().prop_map(Operation::Rewrite),
    ]
}

fn harm() -> impl Strategy<Value = Harm> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), at()).prop_map(|(file, place)| Harm::Truncate(file, place)),
        (at(), at(), 1..=255_u8).prop_map(|(file, place, bits)| Harm::Flip(file, place, bits)),
        at().prop_map(Harm::Remove),
    ]
}

/// Plays the operations; returns what was acknowledged.
fn play(dir: &Path, operations: Vec<Operation>) -> Vec<Vec<u8>> {
    let mut model: Vec<Vec<u8>> = Vec::new();
    let mut log = open(dir);
    for operation in operations {
        match operation {
            Operation::Append(payloads) => {
                let group: Vec<_> = payloads.iter().map(|payload| record(payload)).collect();
                let first = model.len() as u64;
                model.extend(payloads);
                assert_eq!(log.append(&group).unwrap(), first..model.len() as u64);
            }
            Operation::Reopen => {
                drop(log);
                log = open(dir);
            }
            Operation::Torn(tail) => {
                drop(log);
                edit(segments(dir).last().unwrap(), |bytes| bytes.extend(&tail));
                let (opened, recovery) = Log::open(dir, SMALL).unwrap();
                assert_eq!(recovery.torn_bytes, tail.len() as u64);
                log = opened;
            }
            Operation::Rewrite(which) => {
                let sealed = log.sealed_segments();
                if sealed.is_empty() {
                    continue;
                }
                let segment = which.get(&sealed);
                let mut even = |old: &store::Record| match old.seq % 2 {
                    0 => Rewritten::Replace(record(b"")),
                    _ => Rewritten::Keep,
                };
                log.rewrite_segment(segment.first_seq, &mut even).unwrap();
                for seq in (segment.first_seq..=segment.last_seq).filter(|seq| seq % 2 == 0) {
                    model[seq as usize].clear();
                }
            }
        }
        check_whole(&log, &model);
    }
    model
}

#[track_caller]
fn check_whole(log: &Log, model: &[Vec<u8>]) {
    let read: Vec<_> = log.read(0).map(|record| record.unwrap().payload).collect();
    assert_eq!(read, model);
    if let Some(last) = model.len().checked_sub(1) {
        let middle = last / 2;
        let found = log.get(middle as u64).unwrap().unwrap();
        assert_eq!(found.payload, model[middle]);
    }
}

fn do_harm(dir: &Path, harm: Harm) {
    let files = segments(dir);
    let pick = |file: prop::sample::Index| &files[file.index(files.len())];
    match harm {
        Harm::Truncate(file, place) => edit(pick(file), |bytes| {
            bytes.truncate(place.index(bytes.len()));
        }),
        Harm::Flip(file, place, bits) => edit(pick(file), |bytes| {
            let at = place.index(bytes.len());
            bytes[at] ^= bits;
        }),
        Harm::Remove(file) => std::fs::remove_file(pick(file)).unwrap(),
    }
}

/// Everything acknowledged is there, or an error says that it is not.
fn read_all(dir: &Path) -> Result<Vec<Vec<u8>>, LogError> {
    let (log, _) = Log::open(dir, SMALL)?;
    log.read(0)
        .map(|record| record.map(|record| record.payload))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 28, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_is_there_or_an_error_says_so(
        operations in vec(operation(), 1..14),
        harm in harm(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let model = play(dir.path(), operations);
        do_harm(dir.path(), harm);
        let touched = match read_all(dir.path()) {
            Ok(read) => {
                prop_assert_eq!(&read, &model);
                false
            }
            Err(_) => true,
        };

        let report = repair(dir.path()).unwrap();
        prop_assert!(touched || report.lost.is_empty());
        let log = open(dir.path());
        prop_assert_eq!(log.next_seq(), model.len() as u64);
        for (seq, expect) in (0..).zip(&model) {
            let found = log.get(seq).unwrap().unwrap();
            let lost = report.lost.iter().any(|range| range.contains(&seq));
            prop_assert_eq!(lost, found.kind == LOST);
            prop_assert!(lost || found.payload == *expect);
        }
    }
}
