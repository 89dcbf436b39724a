//! The products that are recommended: their numbers, and how unlike two of them are.

use crate::trial::INDEX;
use anyhow::Context as _;
use domain::{Event, EventKind};
use engine::{DocumentsQuery, Engine, IndexReader, Recommendations};
use intake::Role;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Documents that are read together.
const PAGE: usize = 1_000;

/// See the module documentation.
pub struct Catalogue {
    pub reader: IndexReader,
    numbers: HashMap<String, u32>,
    /// By number: words of the title, brands and categories.
    said: Vec<BTreeSet<String>>,
}

impl Catalogue {
    /// Reads every document of the index.
    pub fn read(engine: &Engine) -> anyhow::Result<Self> {
        let reader = engine.index(INDEX)?;
        let key = reader.info()?.primary_key;
        let key = key.context("the index has no primary key")?;
        let (mut numbers, mut said) = (HashMap::new(), Vec::new());
        loop {
            let query = DocumentsQuery {
                offset: said.len(),
                limit: PAGE,
                ..DocumentsQuery::default()
            };
            let (page, _) = reader.documents(&query)?;
            if page.is_empty() {
                break;
            }
            for document in page {
                let document: Value = serde_json::from_str(document.get())?;
                let id = match &document[&key] {
                    Value::String(id) => id.clone(),
                    other => other.to_string(),
                };
                numbers.insert(id, said.len() as u32);
                said.push(said_of(&reader, &document));
            }
        }
        Ok(Self {
            reader,
            numbers,
            said,
        })
    }

    /// The number of a product, if it is there.
    pub fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// How many products there are.
    pub fn len(&self) -> usize {
        self.said.len()
    }

    /// From 0, the same words, brands and categories, to 1, none in common (Jaccard).
    pub fn distance(&self, one: u32, other: u32) -> f64 {
        let said = |number: u32| self.said.get(number as usize);
        let (Some(one), Some(other)) = (said(one), said(other)) else {
            return 1.0;
        };
        let all = one.union(other).count();
        match all {
            0 => 1.0,
            _ => 1.0 - one.intersection(other).count() as f64 / all as f64,
        }
    }

    /// The share of all purchases and clicks that each product has.
    pub fn popularity(&self, events: &[Event]) -> Vec<f64> {
        let mut counts = vec![0.0; self.len()];
        let mut all = 0.0;
        for event in events
            .iter()
            .filter(|event| event.kind != EventKind::Search)
        {
            let item = event.item.as_ref();
            if let Some(number) = item.and_then(|item| self.number(item.as_str())) {
                counts[number as usize] += 1.0;
                all += 1.0;
            }
        }
        counts
            .iter_mut()
            .for_each(|count| *count /= f64::max(all, 1.0));
        counts
    }

    /// The numbers of what was recommended.
    pub fn numbers_of(&self, answer: &Recommendations) -> Vec<u32> {
        let hits = answer.hits.iter();
        hits.filter_map(|hit| self.number(hit.item.as_str()))
            .collect()
    }
}

fn said_of(reader: &IndexReader, document: &Value) -> BTreeSet<String> {
    let (roles, _) = reader.roles();
    let mut said = BTreeSet::new();
    for path in roles.get(Role::Title) {
        let title = document[path].as_str().unwrap_or_default().to_lowercase();
        let words = title.split(|letter: char| !letter.is_alphanumeric());
        said.extend(
            words
                .filter(|word| word.chars().count() > 1)
                .map(str::to_owned),
        );
    }
    for role in [Role::Brand, Role::Categories] {
        for path in roles.get(role) {
            match &document[path] {
                Value::String(text) => {
                    said.insert(format!("{path} {text}"));
                }
                Value::Array(texts) => {
                    said.extend(texts.iter().map(|text| format!("{path} {text}")));
                }
                _ => {}
            }
        }
    }
    said
}
