//! The store from outside: what it promises to hold, put to the test on disk.

mod backup;
mod damage;
mod fixture;
mod log;
mod random;
mod views;

use std::path::{Path, PathBuf};
use store::{Log, LogOptions, NewRecord, Record};

/// Segments so small that a few records fill one.
const SMALL: LogOptions = LogOptions {
    segment_bytes: 200,
    max_record_bytes: 1 << 20,
};

fn open(dir: &Path) -> Log {
    Log::open(dir, SMALL).expect("the log opens").0
}

fn record(payload: &[u8]) -> NewRecord {
    NewRecord {
        kind: 1,
        version: 1,
        payload: payload.to_vec(),
    }
}

/// A log of these payloads, one group each.
fn filled(dir: &Path, payloads: &[&str]) -> Log {
    let log = open(dir);
    for payload in payloads {
        log.append(&[record(payload.as_bytes())]).unwrap();
    }
    log
}

fn numbered(count: usize) -> Vec<String> {
    (0..count)
        .map(|at| format!("record number {at:03}"))
        .collect()
}

/// A log of `count` records over several segments.
fn filled_with(dir: &Path, count: usize) -> Log {
    let payloads = numbered(count);
    let payloads: Vec<_> = payloads.iter().map(String::as_str).collect();
    filled(dir, &payloads)
}

fn payload(record: Record) -> String {
    String::from_utf8(record.payload).unwrap()
}

fn payloads(log: &Log) -> Vec<String> {
    log.read(0).map(|record| payload(record.unwrap())).collect()
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    paths.sort();
    paths
}

/// Changes the bytes of a file.
fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}
