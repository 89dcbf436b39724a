//! The graph against the scan: what it finds, what it leaves out, and who may use it at once.

use super::{Numbers, open};
use crate::{GraphOptions, Neighbour, VectorError, VectorStore, Vectors};
use std::ops::ControlFlow;
use std::thread;

const DIMENSIONS: usize = 32;
const COUNT: usize = 8000;
const QUERIES: usize = 40;

/// A store of clustered vectors in a graph, and queries that are near them.
fn store() -> (tempfile::TempDir, VectorStore, Vec<Vec<f32>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = VectorStore::open(folder.path(), DIMENSIONS, 0).expect("a store");
    let mut vectors = Numbers(11).clustered(COUNT + QUERIES, DIMENSIONS);
    let queries = vectors.split_off(COUNT * DIMENSIONS);
    store.append(&vectors).expect("unit vectors");
    store.flush().expect("a disk");
    let queries = queries
        .chunks_exact(DIMENSIONS)
        .map(<[f32]>::to_vec)
        .collect();
    (folder, store, queries)
}

fn publish(store: &mut VectorStore, threads: usize, alive: impl Fn(u32) -> bool + Sync) {
    let options = GraphOptions::new(threads);
    let built = store
        .reader()
        .build_graph(&options, alive, |_| ControlFlow::Continue(()));
    let built = built.expect("memory").expect("nobody broke off");
    store.publish(built).expect("a graph of this store");
}

/// Of the nearest by a scan, the share that is found; every similarity must be exact.
fn recall(
    vectors: &Vectors,
    queries: &[Vec<f32>],
    count: usize,
    alive: impl Fn(u32) -> bool,
) -> f64 {
    let mut hits = 0;
    for query in queries {
        let slots = (0..vectors.len()).filter(|&slot| alive(slot));
        let exact = vectors
            .scan(query, slots, count, -1.0)
            .expect("a good query");
        let found = vectors
            .nearest(query, count, -1.0, &alive)
            .expect("a good query");
        assert!(
            found.iter().all(|one| alive(one.slot)),
            "only what is alive"
        );
        for Neighbour { slot, similarity } in &found {
            let expected = vectors.similarity(*slot, query).expect("a good query");
            assert_eq!(similarity.to_bits(), expected.to_bits(), "slot {slot}");
        }
        hits += exact.iter().filter(|one| found.contains(one)).count();
    }
    hits as f64 / (count * queries.len()) as f64
}

#[test]
fn the_graph_finds_nearly_all_and_is_mapped_again() {
    let (folder, mut store, queries) = store();
    publish(&mut store, 1, |_| true);
    assert_eq!(store.reader().graph_slots(), COUNT as u32);
    let before = recall(&store.reader(), &queries, 10, |_| true);
    assert!(before >= 0.98, "{before}");
    let filtered = recall(&store.reader(), &queries, 10, |slot| slot % 3 == 0);
    assert!(filtered >= 0.98, "{filtered} with a filter");

    let deep = recall(&store.reader(), &queries, 100, |_| true);
    assert!(deep >= 0.98, "{deep} of a hundred");

    drop(store);
    let store = VectorStore::open(folder.path(), DIMENSIONS, COUNT as u32).expect("a store");
    assert_eq!(store.reader().graph_slots(), COUNT as u32);
    assert_eq!(recall(&store.reader(), &queries, 10, |_| true), before);
}

#[test]
fn one_thread_builds_the_same_graph_again() {
    let (folder, mut store, _) = store();
    let mut graphs = Vec::new();
    for _ in 0..2 {
        publish(&mut store, 1, |slot| slot % 5 != 0);
        let path = crate::files::graph_path(folder.path(), COUNT as u32);
        graphs.push(std::fs::read(path).expect("the graph"));
    }
    assert!(graphs[0] == graphs[1]);
}

#[test]
fn vectors_beyond_the_graph_are_found() -> Result<(), VectorError> {
    let (_folder, mut store, queries) = store();
    publish(&mut store, 2, |_| true);
    let before = store.reader();
    for (query, slot) in queries.iter().zip(COUNT as u32..) {
        assert_eq!(store.append(query)?, slot..slot + 1);
        let found = store.reader().nearest(query, 1, -1.0, |_| true)?;
        assert_eq!(found[0].slot, slot);
        assert!(before.nearest(query, 1, -1.0, |_| true)?[0].slot < COUNT as u32);
    }
    Ok(())
}

#[test]
fn a_graph_without_the_dead_replaces_one_with_them() -> Result<(), VectorError> {
    let (folder, mut store, queries) = store();
    publish(&mut store, 2, |_| true);
    let old = store.reader();
    store.append(&queries[0])?;
    publish(&mut store, 2, |slot| slot % 2 == 1);
    // The former one is gone from the folder, but whoever has it goes on.
    let files = crate::files::list(folder.path())?;
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(recall(&old, &queries, 10, |_| true) >= 0.98);
    assert!(recall(&store.reader(), &queries, 10, |slot| slot % 2 == 1) >= 0.98);
    let found = store.reader().nearest(&queries[1], 50, -1.0, |_| true)?;
    assert!(found.iter().all(|one| one.slot % 2 == 1), "{found:?}");
    Ok(())
}

#[test]
fn eight_threads_find_what_one_finds() -> Result<(), VectorError> {
    let (_folder, mut store, queries) = store();
    publish(&mut store, 2, |_| true);
    let vectors = store.reader();
    let answer = |query: &Vec<f32>| vectors.nearest(query, 10, -1.0, |slot| slot % 7 != 0);
    let alone = queries.iter().map(answer).collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    for (query, alone) in queries.iter().zip(&alone) {
                        assert_eq!(&answer(query).expect("a good query"), alone);
                    }
                }
            });
        }
    });
    Ok(())
}

#[test]
fn a_predicate_may_search_and_may_panic() -> Result<(), VectorError> {
    let (_folder, mut store, queries) = store();
    publish(&mut store, 2, |_| true);
    let vectors = store.reader();
    let expected = vectors.nearest(&queries[0], 10, -1.0, |_| true)?;
    let within = vectors.nearest(&queries[0], 10, -1.0, |slot| {
        let other = vectors.nearest(&queries[1], 3, -1.0, |_| true);
        other.is_ok_and(|found| found.len() == 3) && slot < COUNT as u32
    })?;
    assert_eq!(within, expected);
    let panics = || {
        vectors.nearest(&queries[2], 10, -1.0, |slot| {
            slot < 3 || panic!("a predicate")
        })
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    assert_eq!(vectors.nearest(&queries[0], 10, -1.0, |_| true)?, expected);
    Ok(())
}

#[test]
fn what_is_similar_enough_is_found_however_much_more_is_asked_for() -> Result<(), VectorError> {
    let (_folder, mut store, queries) = store();
    publish(&mut store, 2, |_| true);
    let vectors = store.reader();
    let (mut hits, mut all) = (0, 0);
    for query in &queries {
        for at_least in [0.6, 0.8, 0.95] {
            let exact = vectors.scan(query, 0..vectors.len(), 1_000, at_least)?;
            let found = vectors.nearest(query, 1_000, at_least, |_| true)?;
            assert!(found.iter().all(|one| one.similarity >= at_least));
            hits += exact.iter().filter(|one| found.contains(one)).count();
            all += exact.len();
        }
    }
    assert!(all > 1_000, "{all}");
    assert!(hits * 100 >= all * 98, "{hits} of {all}");
    Ok(())
}

#[test]
fn a_build_that_is_broken_off_leaves_nothing() -> Result<(), VectorError> {
    let (folder, store, _) = store();
    let options = GraphOptions::new(2);
    let go_on = |slot| match slot {
        0..2000 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    assert!(
        store
            .reader()
            .build_graph(&options, |_| true, go_on)?
            .is_none()
    );
    drop(
        store
            .reader()
            .build_graph(&options, |_| true, |_| ControlFlow::Continue(()))?,
    );
    assert_eq!(crate::files::list(folder.path())?.len(), 1, "the rows");
    Ok(())
}

#[test]
fn nothing_alive_makes_an_empty_graph() -> Result<(), VectorError> {
    let (_folder, mut store, queries) = store();
    publish(&mut store, 1, |_| false);
    let vectors = store.reader();
    assert_eq!(vectors.graph_slots(), COUNT as u32);
    assert_eq!(vectors.nearest(&queries[0], 5, -1.0, |_| true)?, []);
    Ok(())
}

#[test]
fn a_graph_of_another_store_is_refused() {
    let (_folder, mut store, _) = store();
    let other = tempfile::tempdir().expect("a folder");
    let mut empty = open(other.path(), DIMENSIONS, 0);
    let options = GraphOptions::new(1);
    let built =
        store
            .reader()
            .build_graph(&options, |slot| slot < 100, |_| ControlFlow::Continue(()));
    let built = built.expect("memory").expect("nobody broke off");
    let refused = empty.publish(built).expect_err("a graph of slots it lacks");
    assert!(
        matches!(
            refused,
            VectorError::Ahead {
                slots: 8000,
                len: 0
            }
        ),
        "{refused}"
    );
    publish(&mut store, 1, |slot| slot < 100);
}

#[test]
fn a_scan_is_cheaper_for_few_and_without_a_graph() {
    let (_folder, mut store, _) = store();
    assert!(store.reader().is_scan_cheaper(COUNT, 10));
    assert!(!store.reader().wants_graph());
    publish(&mut store, 2, |_| true);
    let vectors = store.reader();
    assert!(vectors.is_scan_cheaper(100, 10));
    assert!(!vectors.is_scan_cheaper(COUNT, 10));
    // Whoever wants half of all is better off reading all.
    assert!(vectors.is_scan_cheaper(COUNT, COUNT / 2));
}

#[test]
fn many_vectors_beyond_the_graph_want_one() -> Result<(), VectorError> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = VectorStore::open(folder.path(), 1, 0)?;
    store.append(&vec![1.0; 20_000])?;
    assert!(!store.reader().wants_graph());
    store.append(&[1.0])?;
    assert!(store.reader().wants_graph());
    Ok(())
}
