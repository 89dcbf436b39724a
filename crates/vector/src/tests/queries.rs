//! What may be asked and appended, and what comes back at the edges.

use super::{Numbers, Oracle, assert_nearest, open};
use crate::{Neighbour, VectorError, VectorStore};
use std::thread;

fn three() -> (tempfile::TempDir, VectorStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path(), 2, 0);
    let appended = store.append(&[1.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
    assert_eq!(appended.expect("three vectors"), 0..3);
    (folder, store)
}

fn slots(found: &[Neighbour]) -> Vec<u32> {
    found.iter().map(|neighbour| neighbour.slot).collect()
}

#[test]
fn a_vector_of_zeros_is_like_nothing() -> Result<(), VectorError> {
    let (_folder, store) = three();
    let vectors = store.reader();
    let found = vectors.nearest(&[1.0, 0.0], 3, -1.0, |_| true)?;
    let similarities: Vec<f32> = found.iter().map(|one| one.similarity).collect();
    assert_eq!(similarities, [1.0, 0.0, -1.0]);
    assert_eq!(vectors.similarity(2, &[1.0, 0.0])?, -1.0);
    // Nor is anything like it, and equals come by slot.
    assert_eq!(
        slots(&vectors.nearest(&[0.0, 0.0], 3, 0.0, |_| true)?),
        [0, 1, 2]
    );
    Ok(())
}

#[test]
fn edges_of_count_and_of_what_is_alive() -> Result<(), VectorError> {
    let (_folder, store) = three();
    let vectors = store.reader();
    let query = [0.6, 0.8];
    assert_eq!(vectors.nearest(&query, 0, -1.0, |_| true)?, []);
    assert_eq!(
        slots(&vectors.nearest(&query, 9, -1.0, |_| true)?),
        [0, 1, 2]
    );
    assert_eq!(vectors.nearest(&query, 9, -1.0, |_| false)?, []);
    assert_eq!(slots(&vectors.nearest(&query, 9, 0.0, |_| true)?), [0, 1]);
    assert_eq!(vectors.nearest(&query, 9, f32::NAN, |_| true)?, []);
    assert_eq!(vectors.scan(&query, [].into_iter(), 9, -1.0)?, []);
    assert_eq!(
        slots(&vectors.scan(&query, [2, 0].into_iter(), 9, -1.0)?),
        [0, 2]
    );
    Ok(())
}

#[test]
fn a_query_must_fit() {
    let (_folder, store) = three();
    let vectors = store.reader();
    let all = |_| true;
    for wrong in [&[1.0][..], &[1.0, 0.0, 0.0, 1.0], &[]] {
        let found = wrong.len();
        let refused = vectors
            .nearest(wrong, 1, 0.0, all)
            .expect_err("a wrong length");
        assert!(
            matches!(refused, VectorError::Length { dimensions: 2, found: f } if f == found),
            "{refused}"
        );
    }
    for wrong in [[3.0, 4.0], [f32::NAN, 0.0], [f32::INFINITY, 0.0]] {
        let refused = vectors
            .scan(&wrong, 0..1, 1, 0.0)
            .expect_err("no unit vector");
        assert!(matches!(refused, VectorError::NotUnit { .. }), "{refused}");
        assert!(vectors.similarity(0, &wrong).is_err());
    }
}

#[test]
fn rows_that_do_not_fit_are_named_and_none_is_kept() {
    let (_folder, mut store) = three();
    let refused = store.append(&[1.0, 0.0, 1.0]).expect_err("half a vector");
    assert!(
        matches!(
            refused,
            VectorError::Length {
                dimensions: 2,
                found: 3
            }
        ),
        "{refused}"
    );
    for wrong in [
        [0.5, 0.0],
        [f32::NAN, 1.0],
        [f32::NEG_INFINITY, 0.0],
        [2.0, 0.0],
    ] {
        let rows = [[1.0, 0.0], wrong].concat();
        let refused = store.append(&rows).expect_err("no unit vector").to_string();
        assert!(refused.starts_with("vector 1 has length"), "{refused}");
    }
    assert_eq!(store.reader().len(), 3);
}

#[test]
fn a_reader_keeps_its_moment_while_vectors_are_appended() -> Result<(), VectorError> {
    const DIMENSIONS: usize = 16;
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path(), DIMENSIONS, 0);
    let mut numbers = Numbers(7);
    let mut oracle = Oracle::default();
    thread::scope(|scope| {
        for _ in 0..30 {
            let vectors: Vec<f32> = (0..11).flat_map(|_| numbers.unit(DIMENSIONS)).collect();
            store.append(&vectors)?;
            oracle.append(&vectors, DIMENSIONS);
            let (reader, oracle) = (store.reader(), oracle.clone());
            let query = numbers.unit(DIMENSIONS);
            scope.spawn(move || {
                assert_eq!(reader.len() as usize, oracle.0.len());
                let found = reader
                    .nearest(&query, 8, -1.0, |_| true)
                    .expect("a good query");
                assert_eq!(found.len(), 8);
                assert_nearest(&found, &oracle, 0..reader.len(), (&query, 8, -1.0));
            });
        }
        Ok(())
    })
}
