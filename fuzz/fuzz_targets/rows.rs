//! The readers of JSON, NDJSON and CSV, gzipped or not: any bytes give rows and rejects in
//! order and then an end, within the limits that were set.
//!
//! What was read goes on through the guess of roles, the cleaning and the mapping to events,
//! because outside data goes there next. The first byte chooses the format.

#![no_main]

use domain::Timestamp;
use intake::{Cleaner, EventMapping, Format, Limits, Row, Rows, guess_roles, open};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

const LIMITS: Limits = Limits {
    max_line_bytes: 2048,
    max_depth: 8,
    max_fields: 32,
};

fuzz_target!(|bytes: &[u8]| {
    let (format, input) = match bytes.split_first() {
        Some((b'j', rest)) => (Format::Json, rest),
        Some((b'n', rest)) => (Format::Ndjson, rest),
        Some((b'c', rest)) => (Format::Csv, rest),
        _ => (Format::sniff(bytes), bytes),
    };
    let Ok(reader) = open(Cursor::new(input.to_vec())) else {
        return;
    };
    let mut rows = Rows::new(reader, format, LIMITS);
    let mut good: Vec<Row> = Vec::new();
    let mut last = 0;
    for row in &mut rows {
        let number = match &row {
            Ok(row) => row.number,
            Err(rejected) => rejected.row,
        };
        assert!(number > last, "row {number} after row {last}");
        last = number;
        good.extend(row.ok());
    }
    assert!(rows.next().is_none(), "a row after the end");

    let objects: Vec<_> = good.iter().map(|row| &row.object).collect();
    let cleaner = Cleaner::new(guess_roles(&objects).roles);
    let mapping = EventMapping::native();
    for row in &good {
        assert!(row.object.len() <= LIMITS.max_fields);
        let mut changes = Vec::new();
        let once = cleaner.clean(&row.object, &mut changes).into_owned();
        let twice = cleaner.clean(&once, &mut Vec::new()).into_owned();
        assert_eq!(once, twice, "cleaning what is clean changes nothing");
        let _ = mapping.event(row, Timestamp::from_millis(0));
    }
});
