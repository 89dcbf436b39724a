//! The views: ordered, atomic, frozen in a snapshot, there after reopening.

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use store::{View, ViewIter, Views, ViewsError};

const A: View = View::at(0);
const B: View = View::at(1);
const NAMES: [&str; 2] = ["a", "b"];

fn put(views: &Views, view: View, entries: &[(&str, &str)]) {
    let mut batch = views.batch();
    for (key, value) in entries {
        batch.put(view, *key, *value);
    }
    batch.commit().unwrap();
}

fn keys(entries: impl Iterator<Item = <ViewIter as Iterator>::Item>) -> Vec<String> {
    entries
        .map(|entry| String::from_utf8(entry.unwrap().0.to_vec()).unwrap())
        .collect()
}

#[test]
fn a_snapshot_sees_none_of_what_comes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let views = Views::open(dir.path(), &NAMES).unwrap();
    put(&views, A, &[("x", "1"), ("y", "1")]);
    let before = views.snapshot();
    let mut batch = views.batch();
    batch.put(A, "x", "2");
    batch.delete(A, "y");
    batch.put(B, "z", "2");
    assert_eq!(batch.len(), 3);
    assert_eq!(views.get(A, b"x").unwrap().as_deref(), Some(&b"1"[..]));
    batch.commit().unwrap();

    assert_eq!(before.get(A, b"x").unwrap().as_deref(), Some(&b"1"[..]));
    assert!(before.contains(A, b"y").unwrap());
    assert!(!before.contains(B, b"z").unwrap());
    assert_eq!(keys(before.range::<&str>(A, ..).unwrap()), ["x", "y"]);
    assert_eq!(views.get(A, b"x").unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(keys(views.range::<&str>(A, ..).unwrap()), ["x"]);
    assert!(views.contains(B, b"z").unwrap());
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let views = Views::open(dir.path(), &NAMES).unwrap();
    put(&views, A, &[("kept", "1")]);
    views.persist().unwrap();
    drop(views);
    let views = Views::open(dir.path(), &["a", "b", "new"]).unwrap();
    assert!(views.contains(A, b"kept").unwrap());
    assert!(!views.contains(View::at(2), b"kept").unwrap());
    assert!(views.bytes().unwrap() > 0);
    drop(views);
    Views::destroy(dir.path()).unwrap();
    Views::destroy(dir.path()).unwrap();
    let views = Views::open(dir.path(), &NAMES).unwrap();
    assert!(!views.contains(A, b"kept").unwrap());
}

#[test]
fn pages_go_forward_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let views = Views::open(dir.path(), &NAMES).unwrap();
    put(
        &views,
        A,
        &[("a", ""), ("p1", ""), ("p2", ""), ("p3", ""), ("q", "")],
    );
    let snapshot = views.snapshot();
    let prefix = |prefix: &[u8]| snapshot.prefix(A, prefix).unwrap();
    assert_eq!(keys(prefix(b"p")), ["p1", "p2", "p3"]);
    assert_eq!(keys(prefix(b"p").rev()), ["p3", "p2", "p1"]);
    assert_eq!(keys(prefix(b"")).len(), 5);
    assert_eq!(keys(prefix(b"\xff")).len(), 0);
    let after = |key: &[u8]| keys(snapshot.prefix_after(A, b"p", key).unwrap());
    assert_eq!(after(b"p1"), ["p2", "p3"]);
    assert_eq!(after(b"a"), ["p1", "p2", "p3"]);
    assert!(after(b"p3").is_empty());
    assert!(after(b"z").is_empty());
    let before = |key: &[u8]| keys(snapshot.prefix_before(A, b"p", key).unwrap().rev());
    assert_eq!(before(b"p3"), ["p2", "p1"]);
    assert_eq!(before(b"z"), ["p3", "p2", "p1"]);
    assert!(before(b"a").is_empty());
    assert!(
        keys(views.range(A, "q".."a").unwrap()).is_empty(),
        "inverted"
    );
    assert_eq!(keys(views.prefix(A, b"q").unwrap()), ["q"]);
}

#[test]
fn a_key_that_is_too_long_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let views = Views::open(dir.path(), &NAMES).unwrap();
    for length in [65_535, 65_536, 200_000] {
        let key = vec![b'a'; length];
        assert!(views.get(A, &key).unwrap().is_none(), "{length}");
        assert!(!views.contains(A, &key).unwrap(), "{length}");
    }
}

#[test]
fn a_batch_that_cannot_be_made_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let views = Views::open(dir.path(), &NAMES).unwrap();
    let long = "k".repeat(70_000);
    for key in ["", long.as_str()] {
        let mut batch = views.batch();
        batch.put(A, "good", "1");
        batch.put(A, key, "1");
        assert!(matches!(batch.commit(), Err(ViewsError::Key { .. })));
    }
    let mut batch = views.batch();
    batch.put(A, "good", "1");
    batch.delete(View::at(2), "x");
    assert!(matches!(
        batch.commit(),
        Err(ViewsError::Unknown { place: 2 })
    ));
    assert!(!views.contains(A, b"good").unwrap());
    assert!(matches!(
        views.get(View::at(9), b"x"),
        Err(ViewsError::Unknown { place: 9 })
    ));
}

#[test]
fn views_in_use_and_damaged_views_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let views = Views::open(dir.path(), &NAMES).unwrap();
    let refused = Views::open(dir.path(), &NAMES).map(|_| ()).unwrap_err();
    assert!(matches!(refused, ViewsError::InUse { .. }), "{refused}");
    drop(views);
    std::fs::write(dir.path().join("version"), "another").unwrap();
    let refused = Views::open(dir.path(), &NAMES).map(|_| ()).unwrap_err();
    assert!(
        refused.to_string().contains("rebuilt from the log"),
        "{refused}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn batches_equal_a_map(batches in vec(vec((0..12_u8, any::<Option<u8>>()), 0..12), 1..12)) {
        let dir = tempfile::tempdir().unwrap();
        let mut views = Views::open(dir.path(), &NAMES).unwrap();
        let mut model = BTreeMap::new();
        for (at, changes) in batches.into_iter().enumerate() {
            let mut batch = views.batch();
            for (key, value) in changes {
                match value {
                    Some(value) => {
                        batch.put(A, [key], [value]);
                        model.insert(key, value);
                    }
                    None => {
                        batch.delete(A, [key]);
                        model.remove(&key);
                    }
                }
            }
            batch.commit().unwrap();
            if at % 4 == 3 {
                drop(views);
                views = Views::open(dir.path(), &NAMES).unwrap();
            }
            let found: Vec<_> = views
                .range::<&[u8]>(A, ..)
                .unwrap()
                .map(|entry| entry.map(|(key, value)| (key[0], value[0])).unwrap())
                .collect();
            prop_assert_eq!(found, model.clone().into_iter().collect::<Vec<_>>());
        }
    }
}

/// What a kill leaves of a database that was being made.
#[test]
fn views_that_were_being_made_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (path, making) = (dir.path().join("views"), dir.path().join("views.making"));
    std::fs::create_dir(&making).unwrap();
    std::fs::write(making.join("0.jnl"), "").unwrap();
    let views = Views::open(&path, &NAMES).unwrap();
    assert!(!making.exists());
    let mut batch = views.batch();
    batch.put(A, "a", "1");
    batch.commit().unwrap();
    views.persist().unwrap();
    drop(views);

    std::fs::create_dir(&making).unwrap();
    let views = Views::open(&path, &NAMES).unwrap();
    assert!(views.contains(A, b"a").unwrap());
}
