//! Tests over whole indexes: small catalogues, and random ones against an oracle.

mod filters;
mod folder;
mod joined;
mod joined_oracle;
mod lookup;
mod numbers;
mod operations;
mod paging;
mod ranking;
mod understanding;

use crate::{AnalyzerPlan, IndexPlan, QueryPlan, Searchable, Words, WordsIndex, WordsQuery};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tempfile::TempDir;

/// Everything filterable and sortable; `title` counts more than `text`, the rest little.
pub(crate) fn plan() -> IndexPlan {
    let searchable = |path: &str, weight| Searchable {
        path: path.to_owned(),
        weight,
    };
    IndexPlan {
        searchable: vec![searchable("title", 3.0), searchable("text", 1.0)],
        search_rest: Some(0.2),
        filterable: vec!["*".to_owned()],
        sortable: vec!["*".to_owned()],
        distinct: None,
        analyzer: AnalyzerPlan::default(),
        localized: Vec::new(),
    }
}

/// An index in a folder that goes away with it.
pub(crate) struct Shop {
    pub index: WordsIndex,
    pub dir: TempDir,
    /// Given when an id is first put.
    pub numbers: BTreeMap<String, u64>,
}

impl Shop {
    pub fn new(plan: IndexPlan) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let index = WordsIndex::create(&dir.path().join("words"), plan).unwrap();
        let numbers = BTreeMap::new();
        Self {
            index,
            dir,
            numbers,
        }
    }

    /// Documents `1`, `2`, … in one commit.
    pub fn of(documents: &[Value]) -> Self {
        let mut shop = Self::new(plan());
        for (number, document) in documents.iter().enumerate() {
            shop.put(&(number + 1).to_string(), document);
        }
        shop.index.commit(1).unwrap();
        shop
    }

    /// One document for each title.
    pub fn titled(titles: &[&str]) -> Self {
        let documents: Vec<Value> = titles
            .iter()
            .map(|title| serde_json::json!({ "title": title }))
            .collect();
        Self::of(&documents)
    }

    pub fn put(&mut self, id: &str, document: &Value) {
        let next = self.numbers.len() as u64;
        let number = *self.numbers.entry(id.to_owned()).or_insert(next);
        self.index.put(id, number, object(document)).unwrap();
    }

    pub fn words(&self) -> Words {
        self.index.words(&QueryPlan::default())
    }

    /// The ids a text finds, in order.
    pub fn find(&self, text: &str) -> Vec<String> {
        ids(&self.words(), &WordsQuery::new(text))
    }
}

/// The ids of an answer, in order.
#[track_caller]
pub(crate) fn ids(words: &Words, query: &WordsQuery<'_>) -> Vec<String> {
    let answer = words.search(query).unwrap();
    answer.hits.into_iter().map(|hit| hit.id).collect()
}

pub(crate) fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}
