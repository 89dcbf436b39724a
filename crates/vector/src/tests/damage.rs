//! Files that are foreign, damaged, newer, shorter or of another model: each is refused with
//! the error that says so, and a graph only costs itself.

use super::{Numbers, Oracle, open, small};
use crate::files::{graph_path, list, rows_path};
use crate::{GraphOptions, VectorError, VectorStore};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const DIMENSIONS: usize = 5;
const LEN: u32 = 17;

fn filled(folder: &Path) -> Oracle {
    let mut numbers = Numbers(3);
    let vectors: Vec<f32> = (0..LEN).flat_map(|_| numbers.unit(DIMENSIONS)).collect();
    let mut store = open(folder, DIMENSIONS, 0);
    store.append(&vectors).expect("unit vectors");
    store.flush().expect("a disk");
    let mut oracle = Oracle::default();
    oracle.append(&vectors, DIMENSIONS);
    oracle
}

/// Opens a folder after a change of the second of its three files.
#[track_caller]
fn refused(change: impl FnOnce(&mut Vec<u8>)) -> VectorError {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path());
    edit(&rows_path(folder.path(), 7), change);
    let opened = VectorStore::open_with(folder.path(), small(DIMENSIONS), LEN);
    opened.expect_err("a changed file is refused")
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    change(&mut bytes);
    fs::write(path, bytes).expect("a file");
}

/// Makes the checksum of a changed header right again.
fn seal(bytes: &mut [u8], checked: usize) {
    let checksum = crc32fast::hash(&bytes[..checked]);
    bytes[checked..checked + 4].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn a_folder_opens_again_and_what_is_beyond_is_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut oracle = filled(folder.path());
    for known in [LEN, 15, 14, 8, 7, 3] {
        oracle.0.truncate(known as usize);
        let vectors = open(folder.path(), DIMENSIONS, known).reader();
        assert_eq!(vectors.len(), known);
        for (slot, expected) in (0..).zip(&oracle.0) {
            assert_eq!(&vectors.vector(slot), expected);
        }
        let files = list(folder.path()).expect("a folder").len();
        assert_eq!(files, known.div_ceil(7) as usize);
    }
}

#[test]
fn vectors_that_are_not_there_are_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path());
    let opened = |known| VectorStore::open_with(folder.path(), small(DIMENSIONS), known);
    let error = opened(LEN + 1).expect_err("one more than there are");
    assert!(
        matches!(
            error,
            VectorError::Missing {
                known: 18,
                found: 17,
                ..
            }
        ),
        "{error}"
    );
    fs::remove_file(rows_path(folder.path(), 7)).expect("a file");
    let error = opened(LEN).expect_err("a file is gone");
    assert!(
        matches!(
            error,
            VectorError::Missing {
                known: 17,
                found: 7,
                ..
            }
        ),
        "{error}"
    );
    assert!(opened(7).is_ok());
}

#[test]
fn foreign_and_newer_files_are_refused() {
    let error = refused(|bytes| bytes[..8].copy_from_slice(b"VTRNLOG1"));
    assert!(matches!(error, VectorError::Foreign { .. }), "{error}");
    let error = refused(Vec::clear);
    assert!(matches!(error, VectorError::Foreign { .. }), "{error}");
    // A newer format may have its checksum elsewhere.
    let error = refused(|bytes| bytes[8] = 2);
    assert!(
        matches!(
            error,
            VectorError::Newer {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn damaged_files_are_refused() {
    for byte in 12..32 {
        let error = refused(|bytes| bytes[byte] ^= 1);
        assert!(
            matches!(error, VectorError::Damaged { .. }),
            "byte {byte}: {error}"
        );
    }
    let error = refused(|bytes| bytes.truncate(100));
    assert!(matches!(error, VectorError::Damaged { .. }), "{error}");
    let error = refused(|bytes| {
        bytes[20] = 14;
        seal(bytes, 28);
    });
    assert!(error.to_string().contains("other slots"), "{error}");
    let error = refused(|bytes| {
        bytes[24] = 8;
        seal(bytes, 28);
    });
    assert!(error.to_string().contains("more rows than fit"), "{error}");
}

#[test]
fn other_dimensions_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path());
    let error = VectorStore::open_with(folder.path(), small(6), LEN).expect_err("another model");
    assert!(
        matches!(
            error,
            VectorError::OtherDimensions {
                expected: 6,
                found: 5,
                ..
            }
        ),
        "{error}"
    );
    for dimensions in [0, 4097] {
        let error = VectorStore::open(folder.path(), dimensions, 0).expect_err("no such vectors");
        assert!(matches!(error, VectorError::Unsupported { .. }), "{error}");
    }
}

/// A folder with a graph, and the path of that.
fn with_graph() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path());
    let mut store = open(folder.path(), DIMENSIONS, LEN);
    let options = GraphOptions::new(1);
    let built = store
        .reader()
        .build_graph(&options, |_| true, |_| ControlFlow::Continue(()));
    let built = built.expect("memory").expect("nobody broke off");
    store.publish(built).expect("a graph of this store");
    let path = graph_path(folder.path(), LEN);
    (folder, path)
}

/// What happens to the bytes of a file.
type Change<'a> = &'a dyn Fn(&mut Vec<u8>);

#[test]
fn a_graph_that_cannot_be_used_is_dropped_and_all_is_scanned() {
    let seal_graph = |bytes: &mut Vec<u8>| seal(bytes, 28);
    let changes: [(&str, Change); 10] = [
        ("empty", &|bytes| bytes.clear()),
        ("foreign", &|bytes| bytes[0] = b'X'),
        ("newer", &|bytes| bytes[8] = 3),
        ("older", &|bytes| {
            bytes[8] = 1;
            seal_graph(bytes);
        }),
        ("of parts that do not fill it", &|bytes| {
            bytes.extend([0; 4]);
            let checksum = crc32fast::hash(&bytes[64..]);
            bytes[24..28].copy_from_slice(&checksum.to_le_bytes());
            seal_graph(bytes);
        }),
        ("of other dimensions", &|bytes| {
            bytes[12] = 6;
            seal_graph(bytes);
        }),
        ("of other vectors", &|bytes| {
            bytes[20] ^= 1;
            seal_graph(bytes);
        }),
        ("with a changed header", &|bytes| bytes[26] ^= 1),
        ("with a changed byte", &|bytes| {
            *bytes.last_mut().expect("bytes") ^= 1
        }),
        ("cut short", &|bytes| bytes.truncate(bytes.len() - 1)),
    ];
    for (what, change) in changes {
        let (folder, path) = with_graph();
        edit(&path, change);
        let vectors = open(folder.path(), DIMENSIONS, LEN).reader();
        assert_eq!(vectors.graph_slots(), 0, "{what}");
        assert!(!path.exists(), "{what}");
        let query = vectors.vector(4);
        let found = vectors
            .nearest(&query, 1, 0.0, |_| true)
            .expect("a good query");
        assert_eq!(found[0].slot, 4, "{what}");
    }
}

#[test]
fn a_graph_of_slots_that_were_lost_is_dropped() {
    let (folder, path) = with_graph();
    assert_eq!(
        open(folder.path(), DIMENSIONS, LEN).reader().graph_slots(),
        LEN
    );
    assert_eq!(
        open(folder.path(), DIMENSIONS, LEN - 1)
            .reader()
            .graph_slots(),
        0
    );
    assert!(!path.exists());
}

#[test]
fn the_best_of_several_graphs_is_taken_and_leftovers_go() {
    let (folder, path) = with_graph();
    let old = graph_path(folder.path(), 3);
    fs::copy(&path, &old).expect("a copy");
    let unfinished = folder.path().join("graph.0000000017.new");
    fs::copy(&path, &unfinished).expect("a copy");
    let foreign = folder.path().join("notes.txt");
    fs::write(&foreign, "not ours").expect("a file");
    assert_eq!(
        open(folder.path(), DIMENSIONS, LEN).reader().graph_slots(),
        LEN
    );
    assert!(path.exists() && foreign.exists());
    assert!(!old.exists() && !unfinished.exists());
}
