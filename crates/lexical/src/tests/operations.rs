//! Random writes against a map: after every commit and reopening the index holds what the map holds.

use super::{Shop, ids, object, plan};
use crate::{Matching, QueryPlan, Words, WordsIndex, WordsQuery};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Operation {
    Put(u8, Vec<&'static str>),
    Delete(u8),
    Clear,
    Commit,
    Reopen,
    Release,
}

const WORDS: [&str; 6] = ["red", "blue", "shoe", "lamp", "oak", "tin"];

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let words = vec(prop::sample::select(&WORDS[..]), 0..5);
    let operation = prop_oneof![
        20 => (0u8..12, words).prop_map(|(id, words)| Operation::Put(id, words)),
        8 => (0u8..12).prop_map(Operation::Delete),
        1 => Just(Operation::Clear),
        6 => Just(Operation::Commit),
        1 => Just(Operation::Reopen),
        1 => Just(Operation::Release),
    ];
    vec(operation, 20..60)
}

/// A document's words and when it first came.
type Model = BTreeMap<String, (Vec<&'static str>, usize)>;

fn agree(words: &Words, model: &Model) -> Result<(), TestCaseError> {
    let all: Vec<String> = model.keys().cloned().collect();
    prop_assert_eq!(words.ids(None).unwrap(), all);
    prop_assert_eq!(words.count(), model.len() as u64);
    let numbers: BTreeMap<u64, &String> = model
        .iter()
        .map(|(id, (_, age))| (*age as u64, id))
        .collect();
    for number in 0..64 {
        let id = words.id_of_number(number).unwrap();
        prop_assert_eq!(id.as_ref(), numbers.get(&number).copied());
        prop_assert_eq!(words.contains_number(number).unwrap(), id.is_some());
        if let Some(id) = id {
            prop_assert_eq!(words.number_of(&id).unwrap(), Some(number));
        }
    }
    let mut by_age: Vec<(&String, usize)> = model.iter().map(|(id, (_, age))| (id, *age)).collect();
    by_age.sort_by_key(|(_, age)| *age);
    let by_age: Vec<&String> = by_age.into_iter().map(|(id, _)| id).collect();
    let placeholder = ids(
        words,
        &WordsQuery {
            limit: 100,
            ..WordsQuery::new("")
        },
    );
    prop_assert_eq!(placeholder.iter().collect::<Vec<_>>(), by_age);
    for wanted in [vec!["red"], vec!["red", "shoe"], vec!["oak", "tin", "lamp"]] {
        let text = format!("{} ", wanted.join(" "));
        let query = WordsQuery {
            limit: 100,
            matching: Matching::All,
            ..WordsQuery::new(&text)
        };
        let answer = words.search(&query).unwrap();
        let found: BTreeSet<String> = answer.hits.into_iter().map(|hit| hit.id).collect();
        let expected: BTreeSet<String> = model
            .iter()
            .filter(|(_, (has, _))| wanted.iter().all(|word| has.contains(word)))
            .map(|(id, _)| id.clone())
            .collect();
        prop_assert_eq!(answer.total, expected.len());
        prop_assert_eq!(found, expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5))]

    #[test]
    fn the_index_follows_a_map(operations in operations()) {
        let Shop { mut index, dir, .. } = Shop::new(plan());
        let path = dir.path().join("words");
        let (mut model, mut committed) = (Model::new(), Model::new());
        let mut sequence = 0;
        for (age, operation) in operations.into_iter().enumerate() {
            match operation {
                Operation::Put(id, words) => {
                    let document = json!({ "title": words.join(" ") });
                    let first = model.get(&id.to_string()).map_or(age, |(_, first)| *first);
                    index.put(&id.to_string(), first as u64, object(&document)).unwrap();
                    model.insert(id.to_string(), (words, first));
                }
                Operation::Delete(id) => {
                    index.delete(&id.to_string()).unwrap();
                    model.remove(&id.to_string());
                }
                Operation::Clear => {
                    index.clear().unwrap();
                    model.clear();
                }
                Operation::Commit => {
                    sequence += 1;
                    index.commit(sequence).unwrap();
                    committed = model.clone();
                    agree(&index.words(&QueryPlan::default()), &committed)?;
                }
                Operation::Reopen => {
                    drop(index);
                    index = WordsIndex::open(&path).unwrap();
                    model = committed.clone();
                    prop_assert_eq!(index.applied(), sequence);
                    agree(&index.words(&QueryPlan::default()), &committed)?;
                }
                Operation::Release => {
                    index.release_writer();
                    model = committed.clone();
                }
            }
        }
        let before = index.words(&QueryPlan::default());
        index.commit(sequence + 1).unwrap();
        agree(&index.words(&QueryPlan::default()), &model)?;
        // A snapshot stays what it was.
        agree(&before, &committed)?;
    }
}
