//! An index over a file of products in a folder of its own, for commands that measure.
//!
//! It has the settings of any new index and guessed roles, so that what is measured is what a
//! shop gets without turning a knob.

use crate::feed::{DocumentsFeed, Input, Refusals, Sink};
use anyhow::{Context as _, bail};
use domain::IndexUid;
use engine::{
    Encoders, Engine, Learn, ModelFolders, ModelName, OpenOptions, ServiceOptions, WriteMode,
};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// The name of the index.
pub const INDEX: &str = "trial";

/// A folder with one index, which is gone when dropped.
pub struct Trial {
    pub engine: Engine,
    /// Products that were indexed.
    pub products: u64,
    // After what reads from it, so that it is dropped last.
    _folder: Option<TempDir>,
}

/// By what the products can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy<'a> {
    Words,
    /// Words, and vectors of the standard embedder.
    Meaning,
    /// Words, and vectors of a model by name or folder.
    Model(&'a str),
}

impl Trial {
    /// A folder without an encoder of its own, for so many products: that of an earlier trial
    /// when one is given, which stays, otherwise an empty one.
    pub fn within(kept: Option<&Path>, products: u64) -> anyhow::Result<Self> {
        let (path, folder) = match kept {
            Some(path) => (path.to_owned(), None),
            None => {
                let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let options = OpenOptions {
            learn: Learn::AtClose,
            encoders: None,
        };
        Ok(Self {
            engine: Engine::open(&path, options)?,
            products,
            _folder: folder,
        })
    }

    /// A temporary folder without an index and without products yet.
    pub fn opened(options: OpenOptions) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        Ok(Self {
            engine: Engine::open(folder.path(), options)?,
            products: 0,
            _folder: Some(folder),
        })
    }

    /// Indexes a file of products, and waits for their vectors where there are to be any.
    pub fn of(products: &str, found_by: FoundBy<'_>) -> anyhow::Result<Self> {
        let input = Input::open(products, None)?;
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let with_meaning = found_by != FoundBy::Words;
        let (encoders, model) = match found_by {
            FoundBy::Words => (None, None),
            FoundBy::Meaning => (Some(crate::folder::encoders(None)), None),
            FoundBy::Model(model) => {
                let (encoders, name) = only(model)?;
                (Some(encoders), Some(name))
            }
        };
        let options = OpenOptions {
            learn: Learn::AtClose,
            encoders,
        };
        let engine = Engine::open(folder.path(), options)?;
        if let Some(model) = model {
            let setting = json!({"default": {"source": "vitrine", "model": model.as_str()}});
            Sink::Local(engine.clone())
                .change_settings(&IndexUid::new(INDEX)?, json!({"embedders": setting}))?;
        }
        let added = fill(&engine, input)?;
        if added == 0 {
            bail!("{products} has no product that can be indexed");
        }
        if with_meaning {
            engine.catch_up_meaning(INDEX)?;
            let faults = engine.index(INDEX)?.stats()?.meaning.faults;
            if let Some(why) = faults.values().next() {
                bail!("{why}");
            }
        }
        Ok(Self {
            engine,
            products: added,
            _folder: Some(folder),
        })
    }
}

/// The encoders of a folder in which this model lies, and its name there.
fn only(model: &str) -> anyhow::Result<(Arc<Encoders>, ModelName)> {
    let path = ModelFolders::of_environment(None).resolve(model)?;
    let path = path
        .canonicalize()
        .with_context(|| format!("cannot open {}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = ModelName::new(&name)?;
    let folders = ModelFolders::new(None, path.parent().map(Path::to_owned));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let encoders = Encoders::new(folders, threads, ServiceOptions::default());
    Ok((Arc::new(encoders), name))
}

/// Indexes the products and gives their number.
fn fill(engine: &Engine, input: Input) -> anyhow::Result<u64> {
    let sink = Sink::Local(engine.clone());
    let uid = IndexUid::new(INDEX)?;
    let mut feed = DocumentsFeed::new(&sink, uid, None, WriteMode::Replace, Refusals::first_ones());
    feed.send(input, |_| true)?;
    let report = feed.finish()?;
    match report.failures.first() {
        Some(failure) => bail!("{}", failure.message),
        None => Ok(report.added),
    }
}
