//! An index of many items made from the titles of a smaller catalogue, for `vitrine bench search`.
//!
//! Encoding a million texts takes half an hour, so the items bring vectors, mixed like those of
//! `vitrine bench vectors`; queries are encoded as ever, by the model that encoded the titles.

use super::made::{self, Items, Titles};
use crate::commands::encode::ModelArgs;
use crate::feed::Sink;
use crate::progress;
use crate::trial::{INDEX, Trial};
use anyhow::bail;
use domain::IndexUid;
use encode::{Encoder, LongText, Prefix};
use engine::{DocumentsWrite, ModelFolders, WriteMode};
use intake::Map;
use serde_json::{Value, json};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// The same items on every run.
const SEED: u64 = 1;
/// How often a build of the graph is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Writes that may wait to be applied, so that they need not all be in memory.
const AHEAD: usize = 8;

/// An index of so many items, and what encodes queries for it.
pub struct Scaled {
    pub trial: Trial,
    encoder: Encoder,
}

impl Scaled {
    /// Makes the items, indexes them, and waits until their vectors have a graph if they are
    /// to have one. In a folder that is kept all of that is done once.
    pub fn of(products: &str, items: u32, kept: Option<&Path>) -> anyhow::Result<Self> {
        let model = ModelArgs::standard();
        let folders = ModelFolders::of_environment(None);
        let encoder = model.open(&folders, LongText::Cut)?;
        let trial = Trial::within(kept, items.into())?;
        let scaled = Self { trial, encoder };
        match scaled.trial.engine.index(INDEX) {
            Ok(index) if index.stats()?.documents == u64::from(items) => {}
            Ok(_) => bail!("the folder holds an index of another size: name another folder"),
            Err(_) => scaled.fill(products, items)?,
        }
        scaled.trial.engine.catch_up_meaning(INDEX)?;
        scaled.wait_for_graph()?;
        Ok(scaled)
    }

    fn fill(&self, products: &str, items: u32) -> anyhow::Result<()> {
        let Self { trial, encoder } = self;
        let titles = Titles::encode(made::titles(products)?, encoder)?;
        let sink = Sink::Local(trial.engine.clone());
        let uid = IndexUid::new(INDEX)?;
        sink.create_index(&uid, Some("id"))?;
        let embedder = json!({"source": "userProvided", "dimensions": encoder.dimensions()});
        sink.change_settings(&uid, json!({ "embedders": { "default": embedder } }))?;
        let mut source = Items::new(titles, None, SEED);
        let bar = progress::count("index", u64::from(items));
        let mut tasks = Vec::new();
        loop {
            let first = source.made();
            let Some(block) = source.block(items)? else {
                break;
            };
            let vectors = block.vectors.chunks_exact(encoder.dimensions());
            let documents = (first..).zip(&block.texts).zip(vectors);
            let documents = documents
                .map(|((number, text), vector)| document(number, text, vector))
                .collect();
            tasks.push(sink.documents(DocumentsWrite {
                uid: uid.clone(),
                primary_key: None,
                mode: WriteMode::Replace,
                documents,
                rows: Vec::new(),
                rejected: Vec::new(),
            })?);
            if let Some(task) = tasks.len().checked_sub(AHEAD) {
                fine(&sink, tasks[task])?;
            }
            bar.set_position(u64::from(source.made()));
        }
        if let Some(task) = tasks.last() {
            fine(&sink, *task)?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// A query as its vector.
    pub fn encode(&self, text: &str) -> anyhow::Result<Vec<f32>> {
        Ok(self.encoder.encode(&[text], Prefix::Query)?.vectors)
    }

    fn wait_for_graph(&self) -> anyhow::Result<()> {
        let bar = progress::count("build the graph", 1);
        loop {
            let meaning = self.trial.engine.index(INDEX)?.stats()?.meaning;
            if let Some(why) = meaning.faults.values().next() {
                bail!("{why}");
            }
            if meaning.waiting == 0 && !meaning.wants_graph {
                bar.finish_and_clear();
                return Ok(());
            }
            thread::sleep(LOOK);
        }
    }
}

fn fine(sink: &Sink, task: u64) -> anyhow::Result<()> {
    match sink.wait(task)?.error {
        Some(failure) => bail!("{}", failure.message),
        None => Ok(()),
    }
}

fn document(number: u32, text: &str, vector: &[f32]) -> Map {
    let mut document = Map::new();
    let brand = text.split_whitespace().next().unwrap_or_default();
    // Four digits say which way a number of a unit vector points.
    let vector: Vec<Value> = vector
        .iter()
        .map(|x| json!((f64::from(*x) * 1e4).round() / 1e4))
        .collect();
    document.insert("id".to_owned(), json!(number));
    document.insert("title".to_owned(), json!(text));
    document.insert("brand".to_owned(), json!(brand));
    let cents = u64::from(number) * 7_919 % 100_000;
    document.insert("price".to_owned(), json!(cents as f64 / 100.0));
    document.insert("_vectors".to_owned(), json!({ "default": vector }));
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_a_brand_a_price_and_its_vector() {
        let document = document(3, "Xerox toner black", &[0.6, -0.800_04]);
        let expected = json!({
            "id": 3, "title": "Xerox toner black", "brand": "Xerox", "price": 237.57,
            "_vectors": { "default": [0.6, -0.8] }
        });
        assert_eq!(Value::Object(document), expected);
    }
}
