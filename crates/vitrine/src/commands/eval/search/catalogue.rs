//! The catalogue that is searched: what a query finds there, and what its products are called.
//!
//! One index serves every mode, so that modes differ by nothing else.

use super::Mode;
use crate::trial::{FoundBy, INDEX, Trial};
use anyhow::{Context as _, bail};
use engine::{IndexReader, SearchRequest};
use intake::Role;
use serde_json::Value;
use std::time::Instant;

/// How deep the ranking is looked at.
const DEPTH: usize = 100;

/// A searchable catalogue; it is gone when dropped.
pub struct Catalogue {
    trial: Trial,
    reader: IndexReader,
    key: String,
    title: Option<String>,
    /// How long it took until everything could be found.
    pub seconds: f64,
}

/// What a query found.
pub struct Found {
    /// The best hits, the best first.
    pub ids: Vec<String>,
    /// All hits that paging would reach.
    pub hits: usize,
    /// Milliseconds of the search in the engine.
    pub millis: f64,
}

impl Catalogue {
    /// Indexes a file of products, with vectors where a mode needs them, of this model where
    /// one is named.
    pub fn build(products: &str, modes: &[Mode], model: Option<&str>) -> anyhow::Result<Self> {
        let found_by = match (modes.iter().all(|mode| *mode == Mode::Words), model) {
            (true, _) => FoundBy::Words,
            (false, None) => FoundBy::Meaning,
            (false, Some(model)) => FoundBy::Model(model),
        };
        let started = Instant::now();
        let trial = Trial::of(products, found_by)?;
        let seconds = started.elapsed().as_secs_f64();
        let reader = trial.engine.index(INDEX)?;
        let key = reader.info()?.primary_key;
        Ok(Self {
            key: key.context("the index has no primary key")?,
            title: reader.roles().0.first(Role::Title).map(str::to_owned),
            trial,
            reader,
            seconds,
        })
    }

    /// Products in the index.
    pub fn products(&self) -> u64 {
        self.trial.products
    }

    /// Asks one query.
    pub fn ask(&self, query: &str, mode: Mode) -> anyhow::Result<Found> {
        let request = SearchRequest {
            q: query.to_owned(),
            limit: DEPTH,
            retrieve: Some(vec![self.key.clone()]),
            hybrid: mode.hybrid(),
            ..SearchRequest::default()
        };
        let started = Instant::now();
        let answer = self.reader.search(&request)?;
        let millis = started.elapsed().as_secs_f64() * 1e3;
        let mut ids = Vec::with_capacity(answer.hits.len());
        for hit in &answer.hits {
            let document: Value = serde_json::from_str(hit.document.get())?;
            ids.push(match document.get(&self.key) {
                Some(Value::String(id)) => id.clone(),
                Some(other) => other.to_string(),
                None => bail!("a hit came without its primary key `{}`", self.key),
            });
        }
        Ok(Found {
            ids,
            hits: answer.total,
            millis,
        })
    }

    /// The title of a product. Judged products need not be in the catalogue, nor have one.
    pub fn title(&self, id: &str) -> Option<String> {
        let title = self.title.as_ref()?;
        let document = self
            .reader
            .document(id, Some(std::slice::from_ref(title)), false)
            .ok()?;
        let document: Value = serde_json::from_str(document.get()).ok()?;
        document.get(title)?.as_str().map(str::to_owned)
    }

    /// Ends the threads of the index.
    pub fn close(self) {
        self.trial.engine.close();
    }
}
