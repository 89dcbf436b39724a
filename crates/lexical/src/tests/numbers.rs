//! Numbers: they stay with their items, and finding one is not paid for anew with every commit.

use super::{Shop, object, plan};
use crate::{QueryPlan, Words, WordsIndex};
use domain::Filter;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything, which also leads to the insides of the snapshot.
fn every() -> Filter {
    Filter::And(Vec::new())
}

#[track_caller]
fn check(words: &Words, expected: &BTreeMap<u64, String>) {
    for number in 0..200 {
        let id = expected.get(&number);
        assert_eq!(words.id_of_number(number).unwrap().as_ref(), id, "{number}");
        assert_eq!(words.contains_number(number).unwrap(), id.is_some());
        if let Some(id) = id {
            assert_eq!(words.number_of(id).unwrap(), Some(number));
        }
    }
    let set = words.filter_set(&every()).unwrap();
    let mut numbers: Vec<u64> = set.numbers().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, expected.keys().copied().collect::<Vec<_>>());
    assert_eq!(set.len(), expected.len());
}

/// Numbers that do not come in order.
fn number(item: u64) -> u64 {
    item * 7 % 100
}

fn put(shop: &mut Shop, expected: &mut BTreeMap<u64, String>, item: u64) {
    let id = format!("p{item}");
    let document = json!({ "title": "lamp" });
    shop.index
        .put(&id, number(item), object(&document))
        .unwrap();
    expected.insert(number(item), id);
}

fn delete(shop: &mut Shop, expected: &mut BTreeMap<u64, String>, item: u64) {
    shop.index.delete(&format!("p{item}")).unwrap();
    expected.remove(&number(item));
}

#[test]
fn numbers_survive_replacing_reopening_and_merging() {
    let mut shop = Shop::new(plan());
    let mut expected = BTreeMap::new();
    for item in 0..60 {
        put(&mut shop, &mut expected, item);
        if item % 4 == 3 {
            // Before the commit with which they come, and long after it.
            put(&mut shop, &mut expected, item);
            put(&mut shop, &mut expected, item / 2);
            delete(&mut shop, &mut expected, item - 1);
            delete(&mut shop, &mut expected, item / 3);
            if item % 8 == 7 {
                put(&mut shop, &mut expected, item / 3);
            }
            shop.index.commit(item).unwrap();
            check(&shop.words(), &expected);
        }
    }
    shop.index.release_writer();
    let merged = shop.words().filter_set(&every()).unwrap();
    assert!(merged.core.segments.len() < 15, "nothing was merged");
    check(&shop.words(), &expected);
    let path = shop.dir.path().join("words");
    drop(shop.index);
    let index = WordsIndex::open(&path).unwrap();
    check(&index.words(&QueryPlan::default()), &expected);
}

#[test]
fn a_commit_keeps_what_is_known_of_other_segments() {
    let mut shop = Shop::new(plan());
    for item in 0..100 {
        shop.put(&item.to_string(), &json!({ "title": "lamp" }));
    }
    shop.index.commit(1).unwrap();
    let first = shop.words().filter_set(&every()).unwrap();
    assert!(!first.core.segments[0].by_number.is_built());
    assert!(first.has_number(5).unwrap());
    assert!(first.core.segments[0].by_number.is_built());
    shop.put("5", &json!({ "title": "pot" }));
    shop.put("new", &json!({ "title": "pot" }));
    shop.index.delete("6").unwrap();
    shop.index.commit(2).unwrap();
    let words = shop.words();
    let second = words.filter_set(&every()).unwrap();
    let known = |set: &crate::ItemSet| Arc::clone(&set.core.segments[0].by_number);
    let shared = second.core.segments.iter();
    assert!(
        shared
            .clone()
            .any(|segment| Arc::ptr_eq(&segment.by_number, &known(&first)))
    );
    // New items are told from known ones without reading what is large.
    assert_eq!(
        shared
            .filter(|segment| segment.by_number.is_built())
            .count(),
        1
    );
    assert!(second.has_number(5).unwrap() && second.has_number(100).unwrap());
    assert!(!second.has_number(6).unwrap() && !words.contains_number(6).unwrap());
    assert_eq!(words.id_of_number(100).unwrap().as_deref(), Some("new"));
    // The older snapshot stays what it was.
    assert!(first.has_number(6).unwrap() && !first.has_number(100).unwrap());
}
