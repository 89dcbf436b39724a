//! What the readers promise: good rows are kept, bad ones named, nothing panics.

use super::*;
use crate::{Format, Rejected};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::{self, Read, Write};

const SMALL: Limits = Limits {
    max_line_bytes: 64,
    max_depth: 4,
    max_fields: 8,
};

struct Outcome {
    rows: Vec<(u64, Value)>,
    rejected: Vec<String>,
    faulted: bool,
}

fn read_with(bytes: &[u8], format: Format, limits: Limits) -> Outcome {
    let mut outcome = Outcome {
        rows: Vec::new(),
        rejected: Vec::new(),
        faulted: false,
    };
    // Chunks of three bytes: every state must survive the end of a chunk.
    let reader = match open(Trickle(bytes.to_vec(), 0)) {
        Ok(reader) => io::BufReader::with_capacity(3, reader),
        Err(error) => {
            outcome.rejected.push(error.to_string());
            outcome.faulted = true;
            return outcome;
        }
    };
    let mut rows = Rows::new(Box::new(reader), format, limits);
    for row in &mut rows {
        match row {
            Ok(row) => outcome.rows.push((row.number, Value::Object(row.object))),
            Err(rejected) => outcome.rejected.push(rejected.to_string()),
        }
    }
    outcome.faulted = rows.fault().is_some();
    outcome
}

/// Hands out five bytes a call, as a slow connection would.
struct Trickle(Vec<u8>, usize);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.0.get(self.1..).unwrap_or_default();
        let count = rest.len().min(buffer.len()).min(5);
        buffer[..count].copy_from_slice(&rest[..count]);
        self.1 += count;
        Ok(count)
    }
}

#[track_caller]
fn check(text: impl AsRef<[u8]>, format: Format, rows: &[(u64, Value)], rejected: &[&str]) {
    let outcome = read_with(text.as_ref(), format, SMALL);
    assert_eq!(outcome.rows, rows);
    assert_eq!(outcome.rejected, rejected);
}

#[track_caller]
fn check_fault(text: impl AsRef<[u8]>, format: Format, rows: &[(u64, Value)], last: &str) {
    let outcome = read_with(text.as_ref(), format, SMALL);
    assert_eq!(outcome.rows, rows);
    assert_eq!(outcome.rejected.last().map(String::as_str), Some(last));
    assert!(outcome.faulted, "the fault must be kept");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

#[test]
fn ndjson_counts_lines_and_keeps_the_good_ones() {
    check(
        "{\"a\":1}\r\n\n{\"a\":}\n[1]\n{\"a\":1,\"a\":2}",
        Format::Ndjson,
        &[(1, json!({"a": 1})), (5, json!({"a": 2}))],
        &[
            "row 3: not valid JSON at column 6 of the row: expected value",
            "row 4: expected an object, found a list",
        ],
    );
    check("", Format::Ndjson, &[], &[]);
    check(" \n\n", Format::Ndjson, &[], &[]);
}

#[test]
fn limits_cost_the_row_alone() {
    let long = format!("{{\"a\":\"{}\"}}\n{{\"a\":2}}\n", "x".repeat(100));
    check(
        long,
        Format::Ndjson,
        &[(2, json!({"a": 2}))],
        &["row 1: it is longer than the limit of 64 bytes"],
    );
    check(
        "{\"a\":[[[1]]]}\n{\"a\":[[[[1]]]]}\n",
        Format::Ndjson,
        &[(1, json!({"a": [[[1]]]}))],
        &["row 2: it is nested deeper than 4 levels"],
    );
    let many = "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1}}";
    check(
        many,
        Format::Ndjson,
        &[],
        &["row 1: it has 9 fields, more than the limit of 8"],
    );
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500));
    let outcome = read_with(deep.as_bytes(), Format::Json, Limits::default());
    assert_eq!(
        outcome.rejected,
        ["row 1: it is nested deeper than 64 levels"]
    );
    check(
        format!("[{{\"a\":\"{}\"}},{{\"a\":2}}]", "x".repeat(100)),
        Format::Json,
        &[(2, json!({"a": 2}))],
        &["row 1: it is longer than the limit of 64 bytes"],
    );
    check(
        format!("a,b\n1,\"{}\"\n2,3\n", "x,\n".repeat(50)),
        Format::Csv,
        &[(2, json!({"a": "2", "b": "3"}))],
        &["row 1: it is longer than the limit of 64 bytes"],
    );
}

/// Endless in proportion to memory: 200 MB of one line, made up as it is read.
struct LongLine(usize);

impl Read for LongLine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.min(buffer.len());
        buffer[..count].fill(b'x');
        self.0 -= count;
        Ok(count)
    }
}

#[test]
fn a_huge_line_is_passed_over() {
    let before = b"{\"a\":1}\n{\"b\":\"".as_slice();
    let input = before
        .chain(LongLine(200 << 20))
        .chain(b"\"}\n{\"a\":3}\n".as_slice());
    let rows = Rows::new(
        open(input).expect("plain text"),
        Format::Ndjson,
        Limits::default(),
    );
    let numbers: Vec<Result<u64, u64>> = rows
        .map(|row| row.map(|row| row.number).map_err(|rejected| rejected.row))
        .collect();
    assert_eq!(numbers, [Ok(1), Err(2), Ok(3)]);
}

#[test]
fn a_json_array_is_streamed() {
    check(
        " [ {\"a\":\"]}\\\"\"} , {\"a\":{\"b\":[1,2]}} ,3, {\"a\":} ] ",
        Format::Json,
        &[(1, json!({"a": "]}\""})), (2, json!({"a": {"b": [1, 2]}}))],
        &[
            "row 3: expected an object, found a number",
            "row 4: not valid JSON at column 6 of the row: expected value",
        ],
    );
    check("[]", Format::Json, &[], &[]);
    check("  ", Format::Json, &[], &[]);
    check("{\"a\":\n1}", Format::Json, &[(1, json!({"a": 1}))], &[]);
    check(
        "{\"a\":1}\n{\"a\":2}",
        Format::Json,
        &[(1, json!({"a": 1})), (2, json!({"a": 2}))],
        &[],
    );
}

#[test]
fn a_broken_array_keeps_the_rows_before_the_break() {
    let one = [(1, json!({"a": 1}))];
    for (text, last) in [
        (
            "[{\"a\":1},{\"a\":",
            "row 2: the JSON is broken at byte 14: the input ends in the middle of an element",
        ),
        (
            "[{\"a\":1}",
            "row 2: the JSON is broken at byte 8: the array ends without `]`",
        ),
        (
            "[{\"a\":1} {\"a\":2}]",
            "row 2: the JSON is broken at byte 9: expected `,` or `]` behind an element",
        ),
        (
            "[{\"a\":1},]",
            "row 2: the JSON is broken at byte 9: expected an object",
        ),
        (
            "[{\"a\":1}] x",
            "row 2: the JSON is broken at byte 10: there is text behind the end of the JSON",
        ),
        (
            "{\"a\":1},",
            "row 2: the JSON is broken at byte 7: there is text behind the end of the JSON",
        ),
    ] {
        check_fault(text, Format::Json, &one, last);
    }
    let last = "row 1: the JSON is broken at byte 0: expected an array of objects, or an object";
    check_fault("7", Format::Json, &[], last);
}

#[test]
fn csv_reads_what_spreadsheets_write() {
    check(
        "id,title\r\n1,\"a \"\"b\"\",\nc\"\r\n2,\r\n\r\n3,17\" screen\r\n",
        Format::Csv,
        &[
            (1, json!({"id": "1", "title": "a \"b\",\nc"})),
            (2, json!({"id": "2", "title": null})),
            (3, json!({"id": "3", "title": "17\" screen"})),
        ],
        &[],
    );
    let semicolons = [(1, json!({"id": "1", "preis": "1,95"}))];
    check("id;preis\n1;1,95", Format::Csv, &semicolons, &[]);
    check("sep=;\nid;preis\n1;1,95", Format::Csv, &semicolons, &[]);
    check("id\tpreis\n1\t1,95", Format::Csv, &semicolons, &[]);
    check("\u{feff}id;preis\r1;1,95\r", Format::Csv, &semicolons, &[]);
    check("", Format::Csv, &[], &[]);
    check("\n\n", Format::Csv, &[], &[]);
    check("a,b\n", Format::Csv, &[], &[]);
}

#[test]
fn typed_columns_are_parsed() {
    check(
        "id,price:number,on:boolean,n:string,x:y\n1,2.50,true,7,a\n2,,,,\n3,abc,true,7,a\n4,1,maybe,7,a\n5,3,0,7,a\n",
        Format::Csv,
        &[
            (
                1,
                json!({"id": "1", "price": 2.5, "on": true, "n": "7", "x:y": "a"}),
            ),
            (
                2,
                json!({"id": "2", "price": null, "on": null, "n": null, "x:y": null}),
            ),
            (
                5,
                json!({"id": "5", "price": 3, "on": false, "n": "7", "x:y": "a"}),
            ),
        ],
        &[
            "row 3, field `price`: `abc` is not a number",
            "row 4, field `on`: `maybe` is not `true` or `false`",
        ],
    );
}

#[test]
fn a_wrong_column_count_costs_the_row() {
    check(
        "a,b\n1\n2,3\n4,5,6\n",
        Format::Csv,
        &[(2, json!({"a": "2", "b": "3"}))],
        &[
            "row 1: expected 2 columns, found 1",
            "row 3: expected 2 columns, found 3",
        ],
    );
}

#[test]
fn a_csv_that_cannot_be_trusted_ends() {
    let one = [(1, json!({"a": "1", "b": "2"}))];
    let open_quote = "row 2: a quote opened in line 3 of the CSV is never closed";
    check_fault("a,b\n1,2\n3,\"4\n5,6\n", Format::Csv, &one, open_quote);
    for (text, last) in [
        (
            "a,,b\n1,2,3\n",
            "row 1: the CSV header cannot be used: column 2 has no name; name it or remove it",
        ),
        (
            "a,b,a:number\n",
            "row 1: the CSV header cannot be used: the column `a` stands there twice; rename one",
        ),
        (
            "a,b,c,d,e,f,g,h,i\n",
            "row 1: the CSV header cannot be used: it has 9 columns, but at most 8 are read",
        ),
        (
            "a,\"b\n1,2\n",
            "row 1: a quote opened in line 1 of the CSV is never closed",
        ),
    ] {
        check_fault(text, Format::Csv, &[], last);
    }
}

#[test]
fn other_encodings_are_named() {
    check(
        b"{\"a\":\"x\"}\n{\"a\":\"caf\xE9\"}\n{\"a\":1}\n",
        Format::Ndjson,
        &[(1, json!({"a": "x"})), (3, json!({"a": 1}))],
        &["row 2: it is not UTF-8 at byte 10; save the file as UTF-8"],
    );
    check(
        b"a,b\n1,caf\xE9\n2,x\n",
        Format::Csv,
        &[(2, json!({"a": "2", "b": "x"}))],
        &["row 1, field `b`: it is not UTF-8 at byte 4; save the file as UTF-8"],
    );
    check(
        b"a,b\n\xC3,\xA9\n",
        Format::Csv,
        &[],
        &["row 1, field `a`: it is not UTF-8 at byte 1; save the file as UTF-8"],
    );
    for format in [Format::Json, Format::Ndjson, Format::Csv] {
        let outcome = read_with(b"\xFF\xFEa\0,\0", format, SMALL);
        assert!(outcome.faulted);
        assert_eq!(
            outcome.rejected,
            ["the input is UTF-16; save the file as UTF-8"]
        );
    }
}

#[test]
fn gzip_is_found_by_its_bytes_in_every_format() {
    let mut two_members = gzip(b"{\"a\":1}\n");
    two_members.extend(gzip(b"{\"a\":2}\n"));
    check(
        two_members,
        Format::Ndjson,
        &[(1, json!({"a": 1})), (2, json!({"a": 2}))],
        &[],
    );
    check(
        gzip(b"\xEF\xBB\xBF[{\"a\":1}]"),
        Format::Json,
        &[(1, json!({"a": 1}))],
        &[],
    );
    check(gzip(b"a\n1\n"), Format::Csv, &[(1, json!({"a": "1"}))], &[]);
}

#[test]
fn a_truncated_gzip_keeps_the_rows_before() {
    let text: String = (0..5000)
        .map(|number| format!("{{\"a\":{}}}\n", number * 7919 % 5003))
        .collect();
    let whole = gzip(text.as_bytes());
    let outcome = read_with(&whole[..whole.len() / 2], Format::Ndjson, SMALL);
    assert!(outcome.faulted);
    assert!(outcome.rows.len() > 100, "{} rows", outcome.rows.len());
    let last = outcome.rejected.last().expect("the fault is the last item");
    assert!(
        last.contains("the gzip data is cut short or damaged"),
        "{last}"
    );
    assert_eq!(outcome.rejected.len(), 1);
}

/// Fails for a reason that is not the data's.
struct Unplugged;

impl Read for Unplugged {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[test]
fn a_failing_disk_is_a_fault_of_its_own() {
    let reader = open(b"{\"a\":1}\n".as_slice().chain(Unplugged)).expect("it starts well");
    let rows: Vec<_> = Rows::new(reader, Format::Ndjson, SMALL).collect();
    assert!(rows.first().is_some_and(Result::is_ok));
    let last = Rejected {
        row: 2,
        field: None,
        reason: "the input cannot be read: the disk is gone".to_owned(),
    };
    assert_eq!(rows.last(), Some(&Err(last)));
}

/// A row that is good, or bad in one of the ways a line can be.
#[derive(Clone, Debug)]
enum Written {
    Good(Vec<String>),
    Bad(u8),
}

fn written() -> impl Strategy<Value = Vec<Written>> {
    let cell = "[a-z\"'äß界,;\\n\\r\\\\{}\\[\\]]{0,6}x";
    let good = proptest::collection::vec(cell, 3).prop_map(Written::Good);
    proptest::collection::vec(
        prop_oneof![3 => good, 1 => (0_u8..3).prop_map(Written::Bad)],
        0..20,
    )
}

fn row_of(cells: &[String]) -> Value {
    json!({"a": cells[0], "b": cells[1], "c": cells[2]})
}

#[track_caller]
fn check_mixed(input: &[Written], bytes: &[u8], format: Format) {
    let outcome = read_with(bytes, format, Limits::default());
    let good: Vec<(u64, Value)> = (1..)
        .zip(input)
        .filter_map(|(number, row)| match row {
            Written::Good(cells) => Some((number, row_of(cells))),
            Written::Bad(_) => None,
        })
        .collect();
    let bad: Vec<String> = (1..)
        .zip(input)
        .filter(|(_, row)| matches!(row, Written::Bad(_)))
        .map(|(number, _)| format!("row {number}"))
        .collect();
    let named: Vec<&str> = outcome
        .rejected
        .iter()
        .filter_map(|text| text.split([',', ':']).next())
        .collect();
    assert_eq!(outcome.rows, good);
    assert_eq!(named, bad);
    assert!(!outcome.faulted);
}

proptest! {
    #[test]
    fn readers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for format in [Format::Json, Format::Ndjson, Format::Csv] {
            read_with(&bytes, format, SMALL);
        }
    }

    #[test]
    fn readers_never_panic_on_nearly_good_text(text in "[\\[\\]{}\",:;a1\\\\ \\n\\r\u{feff}é]{0,80}") {
        for format in [Format::Json, Format::Ndjson, Format::Csv] {
            let outcome = read_with(text.as_bytes(), format, SMALL);
            prop_assert!(!outcome.faulted || !outcome.rejected.is_empty());
        }
    }

    #[test]
    fn good_lines_survive_bad_neighbours(input in written()) {
        let mut bytes = Vec::new();
        for row in &input {
            match row {
                Written::Good(cells) => bytes.extend(row_of(cells).to_string().bytes()),
                Written::Bad(0) => bytes.extend(b"{\"a\": \"open"),
                Written::Bad(1) => bytes.extend(b"{\"a\": \"\xFF\"}"),
                Written::Bad(_) => bytes.extend(b"[1, 2]"),
            }
            bytes.push(b'\n');
        }
        check_mixed(&input, &bytes, Format::Ndjson);
    }

    #[test]
    fn good_elements_survive_bad_neighbours(input in written()) {
        let mut bytes = b"[".to_vec();
        for (at, row) in input.iter().enumerate() {
            if at > 0 {
                bytes.extend(b" ,\n");
            }
            match row {
                Written::Good(cells) => bytes.extend(row_of(cells).to_string().bytes()),
                Written::Bad(0) => bytes.extend(b"{\"a\": }"),
                Written::Bad(1) => bytes.extend(b"{\"a\": \"\xFF\"}"),
                Written::Bad(_) => bytes.extend(b"nonsense"),
            }
        }
        bytes.push(b']');
        check_mixed(&input, &bytes, Format::Json);
    }

    #[test]
    fn good_records_survive_bad_neighbours(input in written()) {
        let mut bytes = b"a,b,c\n".to_vec();
        for row in &input {
            match row {
                Written::Good(cells) => {
                    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
                    writer.write_record(cells).expect("writing to memory");
                    bytes.extend(writer.into_inner().expect("writing to memory"));
                }
                Written::Bad(0) => bytes.extend(b"1,2\n"),
                Written::Bad(1) => bytes.extend(b"1,\xFF,3\n"),
                Written::Bad(_) => bytes.extend(b"1,2,3,\"4\"\n"),
            }
        }
        check_mixed(&input, &bytes, Format::Csv);
    }

    #[test]
    fn records_are_those_of_the_csv_crate(text in "[ab1\", \\n\\r;é]{0,60}") {
        let text = format!("h,i\n{text}");
        let mut oracle = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> =
            oracle.records().map(|record| record.expect("UTF-8").iter().map(str::to_owned).collect()).collect();
        let outcome = read_with(text.as_bytes(), Format::Csv, Limits::default());
        if !outcome.faulted {
            let of_two = expected.iter().filter(|record| record.len() == 2);
            let of_two: Vec<Vec<String>> = of_two.cloned().collect();
            let blank = |cell: &Value| cell.as_str().unwrap_or_default().to_owned();
            let found: Vec<Vec<String>> =
                outcome.rows.iter().map(|(_, row)| vec![blank(&row["h"]), blank(&row["i"])]).collect();
            let of_two: Vec<Vec<String>> = of_two
                .into_iter()
                .map(|record| record.into_iter().map(|c| if c.trim().is_empty() { String::new() } else { c }).collect())
                .collect();
            prop_assert_eq!(found, of_two);
            prop_assert_eq!(outcome.rejected.len(), expected.iter().filter(|record| record.len() != 2).count());
        }
    }
}
